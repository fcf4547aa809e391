// CUDA kernels against the host's, on random types, shapes and layouts: byte for byte but for the
// bits of NaN, except where a comment says otherwise.
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "core/graph/element.h"
#include "exec/cuda/device_kernel.h"
#include "exec/element.h"
#include "tests/gpu/device_run.h"

namespace parley::exec::cuda {
namespace {

using core::ArgumentMode;
using core::DType;
using core::KernelCall;
using Parameters = std::vector<std::pair<std::string, double>>;
using Shape = std::vector<std::int64_t>;

DType any_dtype(Random& random) { return static_cast<DType>(below(random, 15)); }

Shape any_shape(Random& random) {
  Shape shape(static_cast<std::size_t>(below(random, 5)));
  const std::int64_t most = shape.size() <= 1 ? 5000 : (shape.size() == 2 ? 80 : 12);
  for (std::int64_t& extent : shape) extent = is_one_in(random, 25) ? 0 : 1 + below(random, most);
  return shape;
}

Layout any_layout(Random& random) { return is_one_in(random, 2) ? Layout::kPlain : Layout::kAny; }

struct Elementwise {
  const char* name;
  std::size_t operands;
  bool has_value;
};
constexpr Elementwise kElementwise[] = {
    {"add", 3, false},  {"multiply", 3, false},   {"add_scalar", 2, true}, {"add_scalar", 1, true},
    {"scale", 2, true}, {"scale", 1, true},       {"sqrt", 2, false},      {"sqrt", 1, false},
    {"copy", 2, false}, {"clone_here", 2, false}, {"axpy", 2, true},
};

Parameters any_value(Random& random, const Elementwise& kernel) {
  constexpr double kValues[] = {2, -3, 0.5, 0, 1, 255, 1e10, -1e10, 1e30};
  if (!kernel.has_value) return {};
  return {{"value", kValues[below(random, 9)]}};
}

// Square roots of complex numbers are within a few units of the last place of their greater part.
bool is_complex_root(const Elementwise& kernel, DType source) {
  return std::string(kernel.name) == "sqrt" && core::is_complex(source);
}

void check_elementwise(Random& random, const Elementwise& kernel, const std::vector<DType>& dtypes,
                       const Shape& shape, Layout layout) {
  std::vector<Arranged> operands;
  const bool is_rooted = is_complex_root(kernel, dtypes[0]);
  for (std::size_t i = 0; i < kernel.operands; ++i) {
    operands.push_back(
        arranged(random, dtypes[i], shape, layout, is_rooted ? Contents::kFinite : Contents::kAny));
  }
  CAPTURE(kernel.name);
  for (std::size_t i = 0; i < kernel.operands; ++i) CAPTURE(core::name_of(dtypes[i]));
  const BothRuns runs = run_both({kernel.name, any_value(random, kernel), {}}, operands);
  if (!is_rooted) {
    CHECK(difference(operands, runs) == "");
    return;
  }
  if (is_integral(dtypes[kernel.operands - 1])) return;  // a unit's difference may be truncated
  const auto [error, size] = distance(operands, runs, kernel.operands - 1);
  CHECK(error <= 1e-2 * size);
}

TEST_CASE("every kernel of the signature table has a body on GPUs") {
  const DeviceKernelRegistry registry;
  for (const core::KernelSignature& signature : core::kernel_signatures()) {
    CHECK_MESSAGE(registry.find(signature.name) != nullptr, signature.name);
  }
}

TEST_CASE("elementwise kernels equal the host's for any mixture of types and layouts") {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    Random random(seed);
    CAPTURE(seed);
    const Elementwise& kernel = kElementwise[seed % std::size(kElementwise)];
    std::vector<DType> dtypes;
    for (std::size_t i = 0; i < kernel.operands; ++i) dtypes.push_back(any_dtype(random));
    check_elementwise(random, kernel, dtypes, any_shape(random), any_layout(random));
  }
}

TEST_CASE("elementwise kernels equal the host's for long operands of one type without gaps") {
  Random random(7);
  for (const Elementwise& kernel : kElementwise) {
    for (int i = 0; i < 15; ++i) {
      const std::vector<DType> dtypes(3, static_cast<DType>(i));
      check_elementwise(random, kernel, dtypes, {100'003}, Layout::kPlain);
    }
  }
}

TEST_CASE("roots of complex numbers are close to the host's, over the whole range") {
  Random random(11);
  for (const DType dtype : {DType::kComplex64, DType::kComplex128}) {
    CAPTURE(core::name_of(dtype));
    std::vector<Arranged> operands = {
        arranged(random, dtype, {4000}, Layout::kPlain, Contents::kFinite)};
    for (std::size_t i = 0; i < 4000; ++i) {
      std::byte* at =
          operands[0].bytes.data() + i * static_cast<std::size_t>(core::element_bytes(dtype));
      const int most = dtype == DType::kComplex64 ? 120 : 1000;
      const double scale = std::ldexp(1.0, static_cast<int>(below(random, 2 * most)) - most);
      core::encode_element(dtype, core::decode_element(dtype, at) * scale, at);
      core::encode_imaginary(dtype, core::decode_imaginary(dtype, at) * scale, at);
    }
    const BothRuns runs = run_both({"sqrt", {}, {}}, operands);
    const double eps = dtype == DType::kComplex64 ? 0x1p-23 : 0x1p-52;
    double worst = 0.0;
    for (std::size_t i = 0; i < 4000; ++i) {
      const std::size_t at = i * static_cast<std::size_t>(core::element_bytes(dtype));
      const std::byte* host = runs.host[0].data() + at;
      const std::byte* device = runs.device[0].data() + at;
      const double re = core::decode_element(dtype, host), im = core::decode_imaginary(dtype, host);
      const double error = std::hypot(re - core::decode_element(dtype, device),
                                      im - core::decode_imaginary(dtype, device));
      worst = std::max(worst, error / std::hypot(re, im));
    }
    CHECK(worst <= 8.0 * eps);
  }
}

TEST_CASE("an operand that is its own source is visited in the host's order") {
  Random random(3);
  for (const DType dtype : {DType::kFloat64, DType::kInt8, DType::kComplex64}) {
    CAPTURE(core::name_of(dtype));
    Arranged forward = arranged(random, dtype, {301}, Layout::kPlain, Contents::kFinite);
    Arranged backward = forward;  // x[::-1]
    const std::int64_t bytes = core::element_bytes(dtype);
    backward.offset = 300 * bytes;
    backward.operand.strides = {-bytes};
    for (const char* name : {"copy", "scale"}) {
      CAPTURE(name);
      const Parameters value =
          std::string(name) == "scale" ? Parameters{{"value", 2}} : Parameters{};
      const std::vector<Arranged> operands = {backward, forward};
      CHECK(difference({forward}, run_both({name, value, {}}, operands, true)) == "");
    }
  }
}

TEST_CASE("fill and random write the host's bytes") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    CAPTURE(seed);
    const DType dtype = any_dtype(random);
    CAPTURE(core::name_of(dtype));
    const Shape shape = seed % 10 == 0 ? Shape{200'001} : any_shape(random);
    const std::vector<Arranged> operands = {
        arranged(random, dtype, shape, any_layout(random), Contents::kAny)};
    constexpr double kValues[] = {0, 1, -7, 2.5, 300, 1e30, -1e30};
    CHECK(difference(operands, run_both({"fill", {{"value", kValues[below(random, 7)]}}, {}},
                                        operands)) == "");
    const Parameters parameters = {{"seed", static_cast<double>(below(random, 1'000'000))},
                                   {"diagonal", is_one_in(random, 2) ? 0.0 : 17.5}};
    CHECK(difference(operands, run_both({"random", parameters, {}}, operands)) == "");
  }
}

TEST_CASE("hash_mix writes the host's bytes whatever its operands") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    CAPTURE(seed);
    std::vector<Arranged> operands;
    const std::int64_t count = 1 + below(random, seed % 20 == 0 ? 40 : 5);
    for (std::int64_t i = 0; i < count; ++i) {
      const Shape shape = seed % 8 == 0 ? Shape{1 + below(random, 60'000)} : any_shape(random);
      operands.push_back(
          arranged(random, any_dtype(random), shape, any_layout(random), Contents::kAny));
      operands.back().operand.mode = static_cast<ArgumentMode>(below(random, 3));
    }
    const Parameters parameters = {{"seed", static_cast<double>(random() >> 11U)}};
    CHECK(difference(operands, run_both({"hash_mix", parameters, {}}, operands)) == "");
  }
}

TEST_CASE("spin lasts as long as it says, and none touches nothing") {
  Random random(1);
  const std::vector<Arranged> operands = {
      arranged(random, DType::kInt32, {1000}, Layout::kPlain, Contents::kAny)};
  for (const double ns : {0.0, 3e6}) {
    const auto start = std::chrono::steady_clock::now();
    CHECK(difference(operands, run_both({"spin", {{"ns", ns}}, {}}, operands)) == "");
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    CHECK(taken.count() >= ns);
  }
  CHECK(difference(operands, run_both({"none", {}, {}}, operands)) == "");
}

// ---- reductions ----

DType widest(DType dtype) {
  if (core::is_complex(dtype)) return DType::kComplex128;
  return dtype >= DType::kUint8 && dtype <= DType::kUint64 ? DType::kUint64 : DType::kInt64;
}

Shape without(Shape shape, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  shape.erase(shape.begin() + (axis < 0 ? axis + rank : axis));
  return shape;
}

TEST_CASE("reductions equal the host's: exactly, but for the rounding of sums of floating point") {
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    Random random(seed);
    constexpr const char* kNames[] = {"sum", "mean", "max", "argmax"};
    const std::string name = kNames[seed % 4];
    const DType dtype = any_dtype(random);
    const bool is_added = name == "sum" || name == "mean";
    const bool is_rounded = name == "mean" || (is_added && !is_integral(dtype));
    Shape shape = any_shape(random);
    for (std::int64_t& extent : shape) extent = std::max<std::int64_t>(extent, 1);
    if (seed % 9 == 0) shape = {3, 40'000};
    if (seed % 9 == 1) shape = {2'000, 70};
    if (seed % 9 == 2) shape = {300'000};
    Parameters parameters;
    Shape reduced;
    if (!shape.empty() && is_one_in(random, 2)) {
      const auto rank = static_cast<std::int64_t>(shape.size());
      const std::int64_t axis = below(random, 2 * rank) - rank;
      parameters = {{"axis", static_cast<double>(axis)}};
      reduced = without(shape, axis);
    }
    DType target = is_one_in(random, 2) ? any_dtype(random) : widest(dtype);
    if (is_rounded) target = core::is_complex(dtype) ? DType::kComplex128 : DType::kFloat64;
    const std::vector<Arranged> operands = {
        arranged(random, dtype, shape, any_layout(random),
                 is_rounded ? Contents::kFinite : Contents::kAny),
        arranged(random, target, reduced, any_layout(random), Contents::kAny)};
    CAPTURE(seed);
    CAPTURE(name);
    CAPTURE(core::name_of(dtype));
    CAPTURE(core::name_of(target));
    const BothRuns runs = run_both({name, parameters, {}}, operands);
    if (!is_rounded) {
      CHECK(difference(operands, runs) == "");
      continue;
    }
    // n * 2^-53 of the sum of magnitudes; 64-bit integers are the greatest.
    const double most = is_integral(dtype) ? std::ldexp(1.0, 64) : std::ldexp(1.0, 20);
    double count = 1.0;
    for (const std::int64_t extent : shape) count *= static_cast<double>(extent);
    const double bound = count * 0x1p-53 * most * (name == "mean" ? 1.0 : count);
    CHECK(distance(operands, runs, 1).first <= bound);
  }
}

TEST_CASE("a sum of numbers that add up without rounding is exact") {
  Random random(5);
  for (const DType dtype : {DType::kFloat16, DType::kFloat32, DType::kFloat64}) {
    std::vector<Arranged> operands = {
        arranged(random, dtype, {700, 900}, Layout::kPlain, Contents::kFinite),
        arranged(random, DType::kFloat64, {}, Layout::kPlain, Contents::kFinite)};
    const auto bytes = static_cast<std::size_t>(core::element_bytes(dtype));
    for (std::size_t i = 0; i < 700 * 900; ++i) {
      core::encode_element(dtype, static_cast<double>(below(random, 1000)),
                           operands[0].bytes.data() + i * bytes);
    }
    CHECK(difference(operands, run_both({"sum", {}, {}}, operands)) == "");
    CHECK(difference(operands, run_both({"mean", {}, {}}, operands)) == "");
  }
}

// ---- stencil ----

TEST_CASE("stencils equal the host's for any rank, radius, type and layout") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    const std::int64_t radius = is_one_in(random, 2) ? 1 : 1 + below(random, 4);
    const auto rank = static_cast<std::size_t>(1 + below(random, seed % 5 == 0 ? 5 : 3));
    Shape target(rank), source(rank);
    const std::int64_t most = rank == 1 ? 5000 : (rank == 2 ? 90 : (rank == 3 ? 20 : 5));
    for (std::size_t d = 0; d < rank; ++d) {
      target[d] = 1 + below(random, most);
      source[d] = target[d] + 2 * radius;
    }
    const DType dtype =
        is_one_in(random, 2) ? any_dtype(random) : (seed % 2 ? DType::kFloat64 : DType::kFloat32);
    const DType result = is_one_in(random, 3) ? any_dtype(random) : dtype;
    const Layout layout = any_layout(random);
    const std::vector<Arranged> operands = {
        arranged(random, dtype, source, layout, Contents::kAny),
        arranged(random, result, target, layout, Contents::kAny)};
    CAPTURE(seed);
    CAPTURE(rank);
    CAPTURE(core::name_of(dtype));
    CAPTURE(core::name_of(result));
    const Parameters parameters = {{"radius", static_cast<double>(radius)}};
    CHECK(difference(operands, run_both({"stencil", parameters, {}}, operands)) == "");
  }
}

}  // namespace
}  // namespace parley::exec::cuda
