// Kernels on the host: values and promotions as numpy 1.24.2 gives them (bfloat16, which it lacks,
// and tile kernels by hand), strided and flipped operands, casts.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/graph/element.h"
#include "core/graph/kernel.h"
#include "core/graph/program.h"
#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

using core::ArgumentMode;
using core::DType;

/// An operand with memory of its own, row-major.
class Values {
 public:
  Values(DType dtype, std::vector<std::int64_t> shape, const std::vector<double>& values)
      : bytes_(values.size() * static_cast<std::size_t>(core::element_bytes(dtype))) {
    operand.data = bytes_.data();
    operand.dtype = dtype;
    operand.strides = compact_strides(shape, core::element_bytes(dtype));
    operand.shape = std::move(shape);
    std::size_t at = 0;
    for (const double value : values) {
      core::encode_element(dtype, value, bytes_.data() + at);
      at += static_cast<std::size_t>(core::element_bytes(dtype));
    }
  }
  [[nodiscard]] std::vector<double> read() const {
    std::vector<double> values;
    for_each_element(operand, [&](const std::byte* element) {
      values.push_back(core::decode_element(operand.dtype, element));
    });
    return values;
  }

  HostOperand operand;

 private:
  std::vector<std::byte> bytes_;
};

using Parameters = std::vector<std::pair<std::string, double>>;

void run(const std::string& name, const Parameters& parameters,
         const std::vector<HostOperand>& operands) {
  static const KernelRegistry registry;
  const HostKernel* kernel = registry.find(name);
  REQUIRE(kernel != nullptr);
  core::KernelCall call{name, parameters, {}};
  (*kernel)(call, operands);
}

std::vector<double> zeros(std::size_t n) { return std::vector<double>(n, 0.0); }

TEST_CASE("every kernel of the signature table has a body on the host") {
  const KernelRegistry registry;
  for (const core::KernelSignature& signature : core::kernel_signatures()) {
    CHECK_MESSAGE(registry.find(signature.name) != nullptr, signature.name);
  }
}

TEST_CASE("mixed types promote as in numpy and are cast to the target") {
  struct Row {
    DType a, b, result;
  };
  const std::array<Row, 14> rows = {{
      {DType::kBool, DType::kInt8, DType::kInt8},
      {DType::kInt8, DType::kUint8, DType::kInt16},
      {DType::kInt32, DType::kUint32, DType::kInt64},
      {DType::kInt64, DType::kUint64, DType::kFloat64},
      {DType::kUint8, DType::kInt64, DType::kInt64},
      {DType::kInt8, DType::kFloat16, DType::kFloat16},
      {DType::kInt16, DType::kFloat16, DType::kFloat32},
      {DType::kInt32, DType::kFloat16, DType::kFloat64},
      {DType::kInt32, DType::kFloat32, DType::kFloat64},
      {DType::kFloat16, DType::kBfloat16, DType::kFloat32},
      {DType::kFloat32, DType::kComplex64, DType::kComplex64},
      {DType::kFloat64, DType::kComplex64, DType::kComplex128},
      {DType::kInt32, DType::kComplex64, DType::kComplex128},
      {DType::kInt16, DType::kComplex64, DType::kComplex64},
  }};
  for (const Row& row : rows) {
    CAPTURE(core::name_of(row.a));
    CAPTURE(core::name_of(row.b));
    CHECK(promoted(row.a, row.b) == row.result);
    CHECK(promoted(row.b, row.a) == row.result);
  }
}

TEST_CASE("integers wrap around, also when a wider target waits") {
  const Values a(DType::kUint8, {2}, {200, 1}), b(DType::kUint8, {2}, {100, 2});
  Values c(DType::kInt32, {2}, zeros(2));
  run("add", {}, {a.operand, b.operand, c.operand});
  CHECK(c.read() == std::vector<double>{44, 3});
  run("multiply", {}, {a.operand, b.operand, c.operand});
  CHECK(c.read() == std::vector<double>{32, 2});
}

TEST_CASE(
    "casts go towards zero, modulo the width, and complex numbers lose their imaginary part") {
  const Values a(DType::kFloat64, {4}, {-1.75, 2.5, 300.0, std::nan("")});
  Values b(DType::kInt8, {4}, zeros(4));
  run("copy", {}, {a.operand, b.operand});
  CHECK(b.read() == std::vector<double>{-1, 2, 44, 0});
  Values half(DType::kFloat16, {4}, zeros(4));
  const Values exact(DType::kFloat64, {4}, {1.0 / 3.0, 65504.0, 65520.0, 6e-8});
  run("copy", {}, {exact.operand, half.operand});
  const double expected = 0.333251953125;
  CHECK(half.read()[0] == doctest::Approx(expected).epsilon(1e-12));
  CHECK(half.read()[1] == doctest::Approx(65504.0));
  CHECK(std::isinf(half.read()[2]));
  CHECK(half.read()[3] == doctest::Approx(std::ldexp(1.0, -24)));
  Values truth(DType::kBool, {4}, zeros(4));
  run("copy", {}, {a.operand, truth.operand});
  CHECK(truth.read() == std::vector<double>{1, 1, 1, 1});
}

TEST_CASE("64-bit integers stay exact") {
  Values a(DType::kInt64, {1}, {0});
  const std::int64_t big = (std::int64_t{1} << 62U) + 1;
  core::encode_element(DType::kInt64, big, a.operand.data);
  run("add_scalar", {{"value", 1.0}}, {a.operand});
  CHECK(core::decode_integer(DType::kInt64, a.operand.data) == big + 1);
}

TEST_CASE("elementwise kernels walk strided and flipped operands") {
  Values a(DType::kFloat32, {3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  HostOperand column = a.operand;  // A[::-1, 1]
  column.data += 4 + 2 * 16;
  column.shape = {3};
  column.strides = {-16};
  Values target(DType::kFloat64, {3}, zeros(3));
  run("scale", {{"value", 2.0}}, {column, target.operand});
  CHECK(target.read() == std::vector<double>{18, 10, 2});
  run("add_scalar", {{"value", -1.0}}, {column});
  CHECK(a.read() == std::vector<double>{0, 0, 2, 3, 4, 4, 6, 7, 8, 8, 10, 11});
  run("axpy", {{"value", 10.0}}, {column, target.operand});
  CHECK(target.read() == std::vector<double>{98, 50, 2});
}

TEST_CASE("random: the numbers of an array with the same seed and diagonal, of every type") {
  for (std::size_t t = 0; t < core::kDTypeNames.size(); ++t) {
    const auto dtype = static_cast<DType>(t);
    CAPTURE(core::name_of(dtype));
    for (const std::vector<std::int64_t>& shape :
         std::vector<std::vector<std::int64_t>>{{}, {3}, {2, 3}, {4, 3}, {2, 3, 4}}) {
      CAPTURE(shape.size());
      core::ArraySpec spec;
      spec.shape = shape;
      spec.dtype = dtype;
      spec.initial.kind = core::Initial::Kind::kRandom;
      spec.initial.seed = 77;
      spec.initial.diagonal = 5.0;
      std::size_t count = 1;
      for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
      Values x(dtype, shape, zeros(count));
      run("random", {{"seed", 77.0}, {"diagonal", 5.0}}, {x.operand});
      std::vector<std::byte> expected(count * static_cast<std::size_t>(core::element_bytes(dtype)));
      core::initial_bytes(spec, expected);
      CHECK(std::memcmp(expected.data(), x.operand.data, expected.size()) == 0);
    }
  }
}

TEST_CASE("initial contents: any range of elements is that part of the whole") {
  core::ArraySpec spec;
  spec.shape = {5, 7};
  spec.initial.seed = 3;
  spec.initial.diagonal = 9.0;
  const auto bytes_of = [&](std::int64_t first, std::int64_t count) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(count) * sizeof(double));
    core::initial_elements(spec, first, bytes);
    return bytes;
  };
  for (const auto kind : {core::Initial::Kind::kFill, core::Initial::Kind::kValues,
                          core::Initial::Kind::kArange, core::Initial::Kind::kRandom}) {
    CAPTURE(static_cast<int>(kind));
    spec.initial.kind = kind;
    spec.initial.data.assign(kind == core::Initial::Kind::kFill ? 8 : 35 * 8, std::byte{1});
    for (std::size_t i = 0; i < spec.initial.data.size(); ++i) {
      spec.initial.data[i] = static_cast<std::byte>(i);
    }
    std::vector<std::byte> whole(35 * sizeof(double));
    core::initial_bytes(spec, whole);
    for (std::int64_t first = 0; first <= 35; ++first) {
      for (std::int64_t count = 0; first + count <= 35; ++count) {
        const std::vector<std::byte> part = bytes_of(first, count);
        CHECK(std::equal(part.begin(), part.end(),
                         whole.begin() + first * static_cast<std::int64_t>(sizeof(double))));
      }
    }
  }
}

TEST_CASE("random: the diagonal is where all indices are equal") {
  Values plain(DType::kFloat64, {3, 4}, zeros(12)), with(DType::kFloat64, {3, 4}, zeros(12));
  run("random", {{"seed", 3.0}}, {plain.operand});
  run("random", {{"seed", 3.0}, {"diagonal", 10.0}}, {with.operand});
  const std::vector<double> a = plain.read(), b = with.read();
  for (std::size_t i = 0; i < 12; ++i) {
    CAPTURE(i);
    const bool is_on_diagonal = i == 0 || i == 5 || i == 10;
    CHECK(b[i] == (is_on_diagonal ? a[i] + 10.0 : a[i]));
  }
}

TEST_CASE("fill, random and sqrt") {
  Values a(DType::kInt16, {5}, zeros(5));
  run("fill", {{"value", -7.0}}, {a.operand});
  CHECK(a.read() == std::vector<double>(5, -7.0));
  Values x(DType::kFloat64, {64}, zeros(64)), y(DType::kFloat64, {64}, zeros(64));
  run("random", {{"seed", 3.0}}, {x.operand});
  run("random", {{"seed", 4.0}}, {y.operand});
  const std::vector<double> drawn = x.read();
  const std::set<double> distinct(drawn.begin(), drawn.end());
  CHECK(distinct.size() == 64);
  CHECK(*distinct.begin() >= 0.0);
  CHECK(*distinct.rbegin() < 1.0);
  // Element i of seed s is element i - 1 of seed s + 1.
  CHECK(std::equal(drawn.begin() + 1, drawn.end(), y.read().begin()));
  Values n(DType::kInt32, {3}, {4, 9, 10});
  Values root(DType::kFloat64, {3}, zeros(3));
  run("sqrt", {}, {n.operand, root.operand});
  CHECK(root.read() == std::vector<double>{2, 3, std::sqrt(10.0)});
  run("sqrt", {}, {n.operand});
  CHECK(n.read() == std::vector<double>{2, 3, 3});
}

TEST_CASE("reductions over an axis and over everything") {
  const Values a(DType::kInt8, {2, 3}, {100, 50, -3, 100, 60, 7});
  Values rows(DType::kInt64, {2}, zeros(2)), columns(DType::kInt64, {3}, zeros(3)),
      all(DType::kFloat64, {}, zeros(1));
  run("sum", {{"axis", 1.0}}, {a.operand, rows.operand});
  CHECK(rows.read() == std::vector<double>{147, 167});
  run("sum", {{"axis", -2.0}}, {a.operand, columns.operand});
  CHECK(columns.read() == std::vector<double>{200, 110, 4});
  run("max", {{"axis", 0.0}}, {a.operand, columns.operand});
  CHECK(columns.read() == std::vector<double>{100, 60, 7});
  run("argmax", {{"axis", 1.0}}, {a.operand, rows.operand});
  CHECK(rows.read() == std::vector<double>{0, 0});
  run("argmax", {}, {a.operand, all.operand});
  CHECK(all.read() == std::vector<double>{0});
  run("mean", {}, {a.operand, all.operand});
  CHECK(all.read()[0] == doctest::Approx(314.0 / 6.0));
}

TEST_CASE("NaN is the greatest element") {
  const Values a(DType::kFloat32, {4}, {1, std::nan(""), 9, std::nan("")});
  Values index(DType::kInt64, {}, zeros(1)), value(DType::kFloat32, {}, zeros(1));
  run("argmax", {}, {a.operand, index.operand});
  CHECK(index.read() == std::vector<double>{1});
  run("max", {}, {a.operand, value.operand});
  CHECK(std::isnan(value.read()[0]));
}

TEST_CASE("gemm with transposes, factors and a target that is not read when beta is 0") {
  const Values a(DType::kFloat64, {2, 3}, {1, 2, 3, 4, 5, 6});
  const Values b(DType::kFloat64, {2, 3}, {1, 0, 2, 0, 1, 1});
  Values c(DType::kFloat64, {2, 2}, {1, 1, 1, 1});
  run("gemm", {{"alpha", 2.0}, {"beta", -1.0}, {"transpose_b", 1.0}},
      {a.operand, b.operand, c.operand});
  CHECK(c.read() == std::vector<double>{13, 9, 31, 21});
  const Values at(DType::kFloat64, {3, 2}, {1, 4, 2, 5, 3, 6});
  Values d(DType::kFloat64, {2, 2}, std::vector<double>(4, std::nan("")));
  run("gemm", {{"beta", 0.0}, {"transpose_a", 1.0}, {"transpose_b", 1.0}},
      {at.operand, b.operand, d.operand});
  CHECK(d.read() == std::vector<double>{7, 5, 16, 11});
}

/// The lower triangle of a product L L^T for a well-conditioned L.
constexpr std::array<double, 9> kLower = {2, 0, 0, 1, 3, 0, -1, 2, 4};

TEST_CASE("potrf, trsm, syrk and getrf undo one another") {
  const std::vector<double> lower(kLower.begin(), kLower.end());
  const Values l(DType::kFloat64, {3, 3}, lower);
  Values a(DType::kFloat64, {3, 3}, std::vector<double>(9, 77.0));
  run("syrk", {{"beta", 0.0}}, {l.operand, a.operand});
  CHECK(a.read() == std::vector<double>{4, 77, 77, 2, 10, 77, -2, 5, 21});  // upper part kept
  run("potrf", {}, {a.operand});
  const std::vector<double> factor = {2, 77, 77, 1, 3, 77, -1, 2, 4};
  CHECK(a.read() == factor);

  // X L^T = B, for B = X0 L^T.
  const Values x0(DType::kFloat64, {2, 3}, {1, 2, 3, -1, 0, 5});
  Values b(DType::kFloat64, {2, 3}, zeros(6));
  run("gemm", {{"beta", 0.0}, {"transpose_b", 1.0}}, {x0.operand, l.operand, b.operand});
  run("trsm", {}, {l.operand, b.operand});
  CHECK(b.read() == x0.read());

  // L X = B from the left, with T given as the upper L^T, transposed.
  const Values upper(DType::kFloat64, {3, 3}, {2, 1, -1, 0, 3, 2, 0, 0, 4});
  const Values y0(DType::kFloat64, {3, 1}, {1, -2, 3});
  Values y(DType::kFloat64, {3, 1}, zeros(3));
  run("gemm", {{"beta", 0.0}}, {l.operand, y0.operand, y.operand});
  run("trsm", {{"left", 1.0}, {"upper", 1.0}}, {upper.operand, y.operand});
  CHECK(y.read() == y0.read());
  run("gemm", {{"beta", 0.0}}, {upper.operand, y0.operand, y.operand});
  run("trsm", {{"left", 1.0}, {"upper", 1.0}, {"transpose", 0.0}}, {upper.operand, y.operand});
  CHECK(y.read() == y0.read());

  Values lu(DType::kFloat64, {2, 2}, {4, 3, 6, 3});
  run("getrf", {}, {lu.operand});
  CHECK(lu.read() == std::vector<double>{4, 3, 1.5, -1.5});
}

TEST_CASE("a stencil takes the mean of the neighbours, itself left out") {
  const Values a(DType::kFloat64, {3, 3}, {0, 1, 0, 2, 100, 4, 0, 5, 0});
  Values b(DType::kFloat64, {1, 1}, zeros(1));
  run("stencil", {}, {a.operand, b.operand});
  CHECK(b.read() == std::vector<double>{3});
  const Values line(DType::kFloat32, {6}, {1, 2, 3, 4, 5, 6});
  Values inner(DType::kFloat32, {2}, zeros(2));
  run("stencil", {{"radius", 2.0}}, {line.operand, inner.operand});
  CHECK(inner.read() == std::vector<double>{3, 4});
}

std::vector<double> hashed(std::vector<double> input, double seed, std::vector<double> inout) {
  const auto size = static_cast<std::int64_t>(input.size());
  Values in(DType::kFloat32, {size}, input);
  Values target(DType::kFloat64, {static_cast<std::int64_t>(inout.size())}, inout);
  in.operand.mode = ArgumentMode::kRead;
  target.operand.mode = ArgumentMode::kReadWrite;
  run("hash_mix", {{"seed", seed}}, {in.operand, target.operand});
  return target.read();
}

TEST_CASE("hash_mix depends on every byte read, its place, the old contents and the seed") {
  const std::vector<double> base = hashed({1, 2, 3}, 5, {0, 0});
  CHECK(base[0] != base[1]);
  CHECK(base == hashed({1, 2, 3}, 5, {0, 0}));
  CHECK(base != hashed({2, 1, 3}, 5, {0, 0}));
  CHECK(base != hashed({1, 2, 3.0000002}, 5, {0, 0}));
  CHECK(base != hashed({1, 2, 3}, 6, {0, 0}));
  CHECK(base != hashed({1, 2, 3}, 5, {0, 1}));
  for (const double value : base) CHECK((value >= 1.0 && value < 2.0));
}

TEST_CASE("any changed, moved or swapped byte changes every element that hash_mix writes") {
  const auto differs_everywhere = [](const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] >= b[i] && a[i] <= b[i]) return false;
    }
    return true;
  };
  for (const DType dtype : {DType::kUint8, DType::kInt16, DType::kFloat32, DType::kComplex128}) {
    CAPTURE(core::name_of(dtype));
    const auto hash = [&](const std::vector<std::byte>& bytes) {
      Values in(dtype, {6}, zeros(6)), out(DType::kFloat64, {5}, zeros(5));
      std::memcpy(in.operand.data, bytes.data(), bytes.size());
      in.operand.mode = ArgumentMode::kRead;
      out.operand.mode = ArgumentMode::kWrite;
      run("hash_mix", {{"seed", 9.0}}, {in.operand, out.operand});
      return out.read();
    };
    std::vector<std::byte> bytes(static_cast<std::size_t>(6 * core::element_bytes(dtype)));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 1);
    const std::vector<double> base = hash(bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::vector<std::byte> changed = bytes;
      changed[i] ^= std::byte{1};
      CHECK(differs_everywhere(hash(changed), base));
      for (std::size_t j = i + 1; j < bytes.size(); ++j) {
        std::vector<std::byte> swapped = bytes;
        std::swap(swapped[i], swapped[j]);
        if (swapped != bytes) CHECK(differs_everywhere(hash(swapped), base));
      }
    }
    std::vector<std::byte> moved = bytes;
    std::rotate(moved.begin(), moved.begin() + 1, moved.end());
    CHECK(differs_everywhere(hash(moved), base));
  }
}

TEST_CASE("hash_mix tells operands apart, whatever their order and the cut between them") {
  const auto hash = [](std::vector<std::vector<double>> inputs) {
    std::vector<Values> values;
    for (const std::vector<double>& input : inputs) {
      values.emplace_back(DType::kFloat64,
                          std::vector<std::int64_t>{static_cast<std::int64_t>(input.size())},
                          input);
      values.back().operand.mode = ArgumentMode::kRead;
    }
    Values out(DType::kUint64, {1}, zeros(1));
    out.operand.mode = ArgumentMode::kWrite;
    std::vector<HostOperand> operands;
    for (const Values& value : values) operands.push_back(value.operand);
    operands.push_back(out.operand);
    run("hash_mix", {}, operands);
    return core::decode_integer(DType::kUint64, out.operand.data);
  };
  const std::set<std::int64_t> hashes = {hash({{1, 2}, {3}}), hash({{3}, {1, 2}}),
                                         hash({{1}, {2, 3}}), hash({{1, 2, 3}, {}}),
                                         hash({{}, {1, 2, 3}})};
  CHECK(hashes.size() == 5);
}

TEST_CASE("hash_mix writes legal elements of every type and reads nothing that is only written") {
  for (std::size_t i = 0; i < core::kDTypeNames.size(); ++i) {
    const auto dtype = static_cast<DType>(i);
    CAPTURE(core::name_of(dtype));
    Values a(dtype, {7}, zeros(7)), b(dtype, {7}, std::vector<double>(7, 1.0));
    a.operand.mode = b.operand.mode = ArgumentMode::kWrite;
    run("hash_mix", {}, {a.operand});
    run("hash_mix", {}, {b.operand});
    CHECK(a.read() == b.read());
    for (const double value : a.read()) CHECK(std::isfinite(value));
    if (dtype == DType::kBool) {
      for (std::size_t e = 0; e < 7; ++e) CHECK(std::to_integer<int>(a.operand.data[e]) < 2);
    }
  }
}

}  // namespace
}  // namespace parley::exec
