// Tile linear algebra on a GPU against the host's, by norms: results of the libraries may differ by
// rounding, those of the plain kernels for other types and layouts not at all where they are real.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/graph/element.h"
#include "tests/gpu/device_run.h"

namespace parley::exec::cuda {
namespace {

using core::DType;
using Parameters = std::vector<std::pair<std::string, double>>;

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kComplex64,
                            DType::kComplex128};

double eps_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return 0x1p-10;
    case DType::kBfloat16:
      return 0x1p-7;
    case DType::kFloat32:
    case DType::kComplex64:
      return 0x1p-23;
    default:
      return 0x1p-52;
  }
}

double any_flag(Random& random) { return static_cast<double>(below(random, 2)); }

struct Call {
  std::string name;
  Parameters parameters;
  std::vector<Arranged> operands;
  double growth;  // tolerance in units of eps of the greatest result
};

using Maker = Arranged (*)(Random&, DType, std::int64_t, std::int64_t);

Arranged odd(Random& random, DType dtype, std::int64_t rows, std::int64_t columns) {
  return arranged(random, dtype, {rows, columns}, Layout::kAny, Contents::kSmall);
}

Call any_gemm(Random& random, DType dtype, Maker make) {
  const std::int64_t m = 1 + below(random, 90), n = 1 + below(random, 90),
                     k = 1 + below(random, 90);
  const double ta = any_flag(random), tb = any_flag(random);
  constexpr double kBetas[] = {0, 1, -1, 0.5};
  return {"gemm",
          {{"transpose_a", ta},
           {"transpose_b", tb},
           {"alpha", -1.5},
           {"beta", kBetas[below(random, 4)]}},
          {make(random, dtype, ta > 0.5 ? k : m, ta > 0.5 ? m : k),
           make(random, dtype, tb > 0.5 ? n : k, tb > 0.5 ? k : n), make(random, dtype, m, n)},
          4.0 * static_cast<double>(k)};
}

Call any_syrk(Random& random, DType dtype, Maker make) {
  const std::int64_t n = 1 + below(random, 90), k = 1 + below(random, 90);
  const double t = any_flag(random);
  return {"syrk",
          {{"transpose", t}, {"alpha", 2.0}, {"beta", any_flag(random)}},
          {make(random, dtype, t > 0.5 ? k : n, t > 0.5 ? n : k), make(random, dtype, n, n)},
          4.0 * static_cast<double>(k)};
}

Parameters any_triangle(Random& random) {
  return {{"left", any_flag(random)},
          {"upper", any_flag(random)},
          {"transpose", any_flag(random)},
          {"unit", 0.0},
          {"alpha", 0.75}};
}

Call any_triangular(Random& random, DType dtype, Maker make, const std::string& name) {
  const std::int64_t n = 1 + below(random, 90), m = 1 + below(random, 90);
  Call call{name, any_triangle(random), {}, 8.0 * static_cast<double>(n)};
  const bool is_left = call.parameters[0].second > 0.5;
  call.operands.push_back(make(random, dtype, n, n));
  add_to_diagonal(call.operands[0], static_cast<double>(2 * n));
  const bool is_out_of_place = name == "trmm" && is_one_in(random, 2);
  for (int i = 0; i < (is_out_of_place ? 2 : 1); ++i) {
    call.operands.push_back(make(random, dtype, is_left ? n : m, is_left ? m : n));
  }
  return call;
}

Call any_trtri(Random& random, DType dtype, Maker make) {
  // Edges that halve down to 32 are inverted by products.
  const bool halves = is_one_in(random, 2);
  const std::int64_t n = halves ? std::int64_t{32} << below(random, 4) : 1 + below(random, 90);
  Call call{"trtri",
            {{"upper", any_flag(random)}, {"unit", 0.0}},
            {make(random, dtype, n, n), make(random, dtype, n, n)},
            8.0 * static_cast<double>(n)};
  add_to_diagonal(call.operands[0], static_cast<double>(2 * n));
  return call;
}

Call any_factorisation(Random& random, DType dtype, Maker make, const std::string& name) {
  const std::int64_t n = 1 + below(random, 120);
  Call call{name, {}, {make(random, dtype, n, n)}, 8.0 * static_cast<double>(n)};
  add_to_diagonal(call.operands[0], static_cast<double>(2 * n));
  return call;
}

Call any_call(Random& random, DType dtype, Maker make, std::uint64_t which) {
  switch (which % 7) {
    case 0:
      return any_gemm(random, dtype, make);
    case 1:
      return any_syrk(random, dtype, make);
    case 2:
      return any_triangular(random, dtype, make, "trsm");
    case 3:
      return any_triangular(random, dtype, make, "trmm");
    case 4:
      return any_trtri(random, dtype, make);
    case 5:
      return any_factorisation(random, dtype, make, "potrf");
    default:
      return any_factorisation(random, dtype, make, "getrf");
  }
}

// Every operand, so that a source that was written, or a triangle that is to be kept, shows too.
void check_close(const Call& call, double eps) {
  CAPTURE(call.name);
  const BothRuns runs = run_both({call.name, call.parameters, {}}, call.operands);
  for (std::size_t i = 0; i < call.operands.size(); ++i) {
    CAPTURE(i);
    const auto [error, size] = distance(call.operands, runs, i);
    CHECK(error <= call.growth * eps * (size + 1e-300));
    if (i + 1 < call.operands.size()) CHECK(error <= 0.0);
  }
}

TEST_CASE("tile kernels of the libraries agree with the host's") {
  for (std::uint64_t seed = 0; seed < 560; ++seed) {
    Random random(seed);
    const DType dtype = kTypes[seed / 7 % 4];
    CAPTURE(seed);
    CAPTURE(core::name_of(dtype));
    check_close(any_call(random, dtype, matrix, seed), eps_of(dtype));
  }
}

TEST_CASE("tile kernels take any layout and type") {
  constexpr DType kMore[] = {DType::kFloat16, DType::kBfloat16,  DType::kFloat32,
                             DType::kFloat64, DType::kComplex64, DType::kComplex128};
  for (std::uint64_t seed = 0; seed < 420; ++seed) {
    Random random(1000 + seed);
    const DType dtype = kMore[seed / 7 % 6];
    CAPTURE(seed);
    CAPTURE(core::name_of(dtype));
    check_close(any_call(random, dtype, odd, seed), eps_of(dtype));
  }
}

TEST_CASE("larger tiles of doubles agree, and the other triangle is kept") {
  for (std::uint64_t which = 0; which < 7; ++which) {
    Random random(which);
    const std::int64_t n = 700;
    const auto square = [](Random& r, DType dtype, std::int64_t, std::int64_t) {
      return arranged(r, dtype, {n, n}, Layout::kPlain, Contents::kSmall);
    };
    Call call = any_call(random, DType::kFloat64, square, which);
    if (which > 1) {  // whatever small extent it was conditioned for
      add_to_diagonal(call.operands[0], static_cast<double>(2 * n));
    }
    call.growth = 8.0 * static_cast<double>(n);
    check_close(call, eps_of(DType::kFloat64));
  }
}

TEST_CASE("triangles with a unit diagonal do not look at it") {
  for (const char* name : {"trsm", "trmm", "trtri"}) {
    for (const DType dtype : kTypes) {
      Random random(17);
      Call call = std::string(name) == "trtri" ? any_trtri(random, dtype, matrix)
                                               : any_triangular(random, dtype, matrix, name);
      for (auto& [key, value] : call.parameters) {
        if (key == "unit") value = 1.0;
      }
      // A triangle of small numbers beside the ones, so that the inverse stays small.
      Arranged& t = call.operands[0];
      const std::int64_t n = t.operand.shape[0];
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          std::byte* at =
              t.bytes.data() + t.offset + i * t.operand.strides[0] + j * t.operand.strides[1];
          const double small = i == j ? std::nan("") : 0.5 / static_cast<double>(n);
          core::encode_element(dtype, small, at);
        }
      }
      CAPTURE(core::name_of(dtype));
      check_close(call, eps_of(dtype));
    }
  }
}

TEST_CASE("operands that are one array are computed as on the host") {
  for (const DType dtype : kTypes) {
    Random random(23);
    const Arranged one = matrix(random, dtype, 40, 40);
    CAPTURE(core::name_of(dtype));
    const std::vector<Arranged> three(3, one);
    const BothRuns runs = run_both({"gemm", {{"beta", 2.0}}, {}}, three, true);
    const auto [error, size] = distance(three, runs, 0);
    CHECK(error <= 200.0 * eps_of(dtype) * size);
  }
}

TEST_CASE("a matrix that is not positive definite gives NaN on the diagonal") {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const bool is_odd : {false, true}) {
      Random random(29);
      Arranged a = is_odd ? odd(random, dtype, 50, 50) : matrix(random, dtype, 50, 50);
      add_to_diagonal(a, 100.0);
      std::byte* pivot =
          a.bytes.data() + a.offset + 20 * (a.operand.strides[0] + a.operand.strides[1]);
      core::encode_element(dtype, -1.0, pivot);
      const BothRuns runs = run_both({"potrf", {}, {}}, {a});
      for (std::int64_t i = 0; i < 50; ++i) {
        const std::int64_t at = a.offset + i * (a.operand.strides[0] + a.operand.strides[1]);
        CAPTURE(i);
        CHECK(std::isnan(core::decode_element(dtype, runs.device[0].data() + at)) == (i >= 20));
        CHECK(std::isnan(core::decode_element(dtype, runs.host[0].data() + at)) == (i >= 20));
      }
    }
  }
}

}  // namespace
}  // namespace parley::exec::cuda
