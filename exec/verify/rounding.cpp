#include "exec/verify/rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "core/graph/element.h"
#include "core/graph/kernel.h"
#include "exec/element.h"
#include "exec/task_kernel.h"
#include "exec/verify/operand_shape.h"

namespace parley::exec {
namespace {

using core::ArrayId;
using core::DType;
using core::RegionId;
using core::TaskId;

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 9> kRounding = {"sum",  "mean",  "gemm",  "syrk", "trsm",
                                                       "trmm", "trtri", "potrf", "getrf"};
constexpr std::array<std::string_view, 2> kArbitrary = {"hash_mix", "argmax"};
constexpr std::array<std::string_view, 2> kIdle = {"none", "spin"};
// Their terms are products of what they read.
constexpr std::array<std::string_view, 6> kProducts = {"gemm",     "syrk", "trmm",
                                                       "multiply", "axpy", "scale"};

/// Unit roundoff times two, of a type's components; 0 for types without rounding.
double epsilon_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return 0x1p-10;
    case DType::kBfloat16:
      return 0x1p-7;
    case DType::kFloat32:
    case DType::kComplex64:
      return static_cast<double>(std::numeric_limits<float>::epsilon());
    case DType::kFloat64:
    case DType::kComplex128:
      return std::numeric_limits<double>::epsilon();
    case DType::kBool:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kUint64:
      break;
  }
  return 0.0;
}

DType dtype_of(const core::Program& program, RegionId region) {
  return program.array(program.region(region).array).spec.dtype;
}

double element_count(const std::vector<std::int64_t>& shape) {
  double count = 1.0;
  for (const std::int64_t extent : shape) count *= static_cast<double>(extent);
  return count;
}

}  // namespace

double Rounding::allowed() const { return 10.0 * epsilon * std::sqrt(steps) * scale; }

RoundingTrace::RoundingTrace(const core::Program& program, const SequentialExecution& execution)
    : program_(program),
      execution_(execution),
      certainties_(program.array_count()),
      roundings_(program.array_count()) {}

Certainty RoundingTrace::worst_of(RegionId region) const {
  const std::vector<Certainty>& flags = certainties_[program_.region(region).array];
  auto worst = Certainty::kExact;
  if (flags.empty()) return worst;
  for_each_element_index(program_, region,
                         [&](std::size_t at) { worst = std::max(worst, flags[at]); });
  return worst;
}

void RoundingTrace::mark(RegionId region, Certainty certainty) {
  const ArrayId array = program_.region(region).array;
  std::vector<Certainty>& flags = certainties_[array];
  if (flags.empty()) {
    if (certainty == Certainty::kExact) return;
    const core::Array& described = program_.array(array);
    flags.assign(static_cast<std::size_t>(described.bytes.count() /
                                          std::max<std::int64_t>(described.element_bytes, 1)),
                 Certainty::kExact);
  }
  for_each_element_index(program_, region, [&](std::size_t at) { flags[at] = certainty; });
}

double RoundingTrace::greatest(RegionId region) const {
  const DType dtype = dtype_of(program_, region);
  const ArrayId array = program_.region(region).array;
  const std::byte* elements = execution_.array(array).data();
  const auto bytes = static_cast<std::size_t>(program_.array(array).element_bytes);
  double most = 0.0;
  const auto note = [&](double value) {
    if (std::isfinite(value)) most = std::max(most, std::abs(value));
  };
  for_each_element_index(program_, region, [&](std::size_t at) {
    if (dtype == DType::kFloat64) {
      double value = 0.0;
      std::memcpy(&value, elements + at * bytes, sizeof value);
      note(value);
    } else {
      note(core::decode_element(dtype, elements + at * bytes));
      note(core::decode_imaginary(dtype, elements + at * bytes));
    }
  });
  return most;
}

double RoundingTrace::magnitude_of_terms(TaskId task, const core::KernelCall& call,
                                         double steps) const {
  const bool is_product = is_one_of(call.name, kProducts);
  double product = std::abs(core::parameter_of(call, "alpha").value_or(1.0));
  if (call.name == "axpy" || call.name == "scale") {
    product = std::abs(core::parameter_of(call, "value").value_or(1.0));
  }
  double most = 0.0;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const core::KernelArgument& argument = call.arguments[i];
    if (argument.is_scratch || core::argument_mode(call, i) == core::ArgumentMode::kWrite) continue;
    const RegionId region = program_.accesses(task)[argument.index].region;
    double magnitude = greatest(region);
    if (worst_of(region) != Certainty::kExact) {
      magnitude = std::max(magnitude, roundings_[program_.region(region).array].scale);
    }
    most = std::max(most, magnitude);
    const bool is_factor =
        core::argument_mode(call, i) == core::ArgumentMode::kRead || call.name == "trmm";
    if (is_factor) product *= call.name == "syrk" ? magnitude * magnitude : magnitude;
  }
  if (is_product) return std::max(most, steps * product);
  return call.name == "sum" ? steps * most : most;
}

void RoundingTrace::add_call(TaskId task, std::uint16_t alternative, const core::KernelCall& call,
                             Effect& effect) const {
  if (is_one_of(call.name, kIdle)) return;
  const std::span<const core::Access> accesses = program_.accesses(task);
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const core::KernelArgument& argument = call.arguments[i];
    if (argument.is_scratch || !core::writes(accesses[argument.index].mode)) continue;
    const bool is_read_only = core::argument_mode(call, i) == core::ArgumentMode::kRead;
    if (!is_read_only) effect.is_written[argument.index] = true;
  }
  bool is_rounding = call.own != nullptr || is_one_of(call.name, kRounding);
  if (call.name == "sum" && !call.arguments[0].is_scratch) {
    is_rounding = !is_integral(dtype_of(program_, accesses[call.arguments[0].index].region));
  }
  const bool is_arbitrary = is_one_of(call.name, kArbitrary);
  effect.is_arbitrary = effect.is_arbitrary || is_arbitrary;
  effect.is_rounding = effect.is_rounding || is_rounding;
  if (is_arbitrary || (!is_rounding && read_ == Certainty::kExact && !effect.is_rounding)) return;
  const auto shapes = argument_shapes(program_, task, alternative, call);
  const double elements = shapes.empty() ? 1.0 : element_count(shapes.back());
  double steps = std::max(1.0, core::kernel_flops(call, shapes) / std::max(1.0, elements));
  if (call.own != nullptr) {  // as if each result were a sum of all there is
    for (const auto& shape : shapes) steps = std::max(steps, element_count(shape));
  }
  effect.steps += steps;
  effect.scale = std::max(effect.scale, magnitude_of_terms(task, call, steps));
}

RoundingTrace::Effect RoundingTrace::effect_of(TaskId task, std::uint16_t alternative) const {
  Effect effect;
  effect.is_written.resize(program_.accesses(task).size());
  const core::Kernel& kernel = kernel_of(program_, task, alternative);
  if (kernel.empty()) add_call(task, alternative, hash_of_all(program_, task), effect);
  for (const core::KernelCall& call : kernel) add_call(task, alternative, call, effect);
  return effect;
}

void RoundingTrace::before(TaskId task, std::uint16_t alternative) {
  read_ = Certainty::kExact;
  inherited_ = {};
  if (program_.task(task).kind != core::TaskKind::kCompute) return;
  for (const core::Access& access : program_.accesses(task)) {
    if (!core::reads(access.mode)) continue;
    const Certainty certainty = worst_of(access.region);
    read_ = std::max(read_, certainty);
    if (certainty == Certainty::kExact) continue;
    const Rounding& rounding = roundings_[program_.region(access.region).array];
    inherited_.epsilon = std::max(inherited_.epsilon, rounding.epsilon);
    inherited_.steps = std::max(inherited_.steps, rounding.steps);
    inherited_.scale = std::max(inherited_.scale, rounding.scale);
  }
  effect_ = effect_of(task, alternative);
}

void RoundingTrace::skip(TaskId task) {
  for (const core::Access& access : program_.accesses(task)) {
    if (core::writes(access.mode)) mark(access.region, Certainty::kUnknown);
  }
}

void RoundingTrace::after(TaskId task, std::uint16_t) {
  if (program_.task(task).kind != core::TaskKind::kCompute) return;
  Certainty result = read_;
  if (effect_.is_rounding) result = std::max(result, Certainty::kRounded);
  if (effect_.is_arbitrary && result != Certainty::kExact) result = Certainty::kUnknown;
  const std::span<const core::Access> accesses = program_.accesses(task);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (!core::writes(accesses[i].mode)) continue;
    if (!effect_.is_written[i]) {
      if (!core::reads(accesses[i].mode)) mark(accesses[i].region, Certainty::kUnknown);
      continue;
    }
    const double epsilon = epsilon_of(dtype_of(program_, accesses[i].region));
    const bool is_whole_number = result == Certainty::kRounded && !(epsilon > 0.0);
    mark(accesses[i].region, is_whole_number ? Certainty::kUnknown : result);
    if (result != Certainty::kRounded) continue;
    Rounding& rounding = roundings_[program_.region(accesses[i].region).array];
    rounding.epsilon = std::max({rounding.epsilon, inherited_.epsilon, epsilon});
    rounding.steps = std::max(rounding.steps, inherited_.steps + effect_.steps);
    rounding.scale =
        std::max({rounding.scale, inherited_.scale, effect_.scale, greatest(accesses[i].region)});
  }
}

}  // namespace parley::exec
