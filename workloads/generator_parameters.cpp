#include "workloads/generator_parameters.h"

#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

constexpr std::array<std::string_view, 4> kRealTypes = {"float64", "float32", "float16",
                                                        "bfloat16"};
enum class Place : std::int64_t { kGpu, kAny, kCpu, kFixed };
enum class Home : std::int64_t { kHost, kBlockCyclic };
enum class Executed : std::int64_t { kHashMix, kSpin, kNone };

}  // namespace

GeneratorParameter number_parameter(std::string name, std::int64_t lowest, std::int64_t highest,
                                    std::int64_t default_value, std::string meaning,
                                    std::string unit) {
  return {std::move(name), lowest, highest, default_value, std::move(meaning), {}, std::move(unit)};
}

GeneratorParameter word_parameter(std::string name, std::vector<std::string> choices,
                                  std::string meaning) {
  const auto highest = static_cast<std::int64_t>(choices.size()) - 1;
  return {std::move(name), 0, highest, 0, std::move(meaning), std::move(choices), ""};
}

double real_of(const GeneratorValues& values, const std::string& name) {
  return static_cast<double>(values.at(name));
}

GeneratorParameter dtype_parameter() {
  return word_parameter("dtype", {kRealTypes.begin(), kRealTypes.end()}, "element type");
}

core::DType dtype_of(const GeneratorValues& values) {
  const auto dtype = core::dtype_named(kRealTypes[static_cast<std::size_t>(values.at("dtype"))]);
  PARLEY_CHECK(dtype.has_value(), "a generator names an unknown element type");
  return *dtype;
}

GeneratorParameter block_parameter(std::int64_t default_bytes, std::int64_t lowest) {
  return number_parameter("block", lowest, std::int64_t{1} << 40, default_bytes,
                          "size of each block", "bytes");
}

GeneratorParameter duration_parameter(std::int64_t default_ns) {
  return number_parameter("task_ns", 0, 1'000'000'000'000, default_ns, "duration of each task",
                          "ns");
}

core::Duration duration_of(const GeneratorValues& values) {
  return core::Duration(values.at("task_ns"));
}

GeneratorParameter kernel_parameter() {
  return word_parameter(
      "kernel", {"hash_mix", "spin", "none"},
      "what tasks execute: a hash of all they read, or nothing but time, or nothing");
}

core::Kernel kernel_of(const GeneratorValues& values) {
  const auto duration = values.find("task_ns");
  const std::int64_t ns = duration == values.end() ? 0 : duration->second;
  switch (static_cast<Executed>(values.at("kernel"))) {
    case Executed::kHashMix:
      return {};
    case Executed::kSpin:
      return {kernel_call("spin", {}, {{"ns", static_cast<double>(ns)}})};
    case Executed::kNone:
      return {kernel_call("none", {})};
  }
  PARLEY_CHECK(false, "no such kernel");
}

GeneratorParameter first_use_parameter() {
  return word_parameter("first", {"inout", "out"},
                        "the first task on a block updates what it held at the start, or writes it");
}

core::AccessMode first_use_of(const GeneratorValues& values) {
  return values.at("first") == 0 ? core::AccessMode::kInout : core::AccessMode::kOut;
}

GeneratorParameter seed_parameter() {
  return number_parameter("seed", 0, std::numeric_limits<std::int32_t>::max(), 1,
                          "of the random choices");
}

std::vector<GeneratorParameter> placement_parameters() {
  return {word_parameter("place", {"gpu", "any", "cpu", "fixed"},
                         "any GPU, any device, the CPU, or a GPU fixed by what the task writes"),
          number_parameter("gpus", 1, 1024, 4,
                           "how many GPUs take part where tasks or arrays are dealt out")};
}

PlacementRule::PlacementRule(const GeneratorValues& values) {
  switch (static_cast<Place>(values.at("place"))) {
    case Place::kGpu:
      by_owner_ = {on("gpu")};
      return;
    case Place::kAny:
      by_owner_ = {on("any")};
      return;
    case Place::kCpu:
      by_owner_ = {on("cpu")};
      return;
    case Place::kFixed:
      for (std::int64_t i = 0; i < values.at("gpus"); ++i) by_owner_.push_back(on_gpu(i));
      return;
  }
  PARLEY_CHECK(false, "no such place");
}

core::Placement PlacementRule::operator()(std::int64_t owner) const {
  return by_owner_[static_cast<std::size_t>(owner) % by_owner_.size()];
}

std::vector<GeneratorParameter> home_parameters() {
  return {word_parameter("home", {"host", "block_cyclic"},
                         "where tiles start: in host memory, or dealt out to a grid of gpus GPUs, "
                         "as the mapper block_cyclic does"),
          number_parameter("grid_rows", 0, 1024, 0,
                           "rows of that grid; 0: as square as can be, no more rows than columns")};
}

HomeRule::HomeRule(const GeneratorValues& values) {
  if (static_cast<Home>(values.at("home")) == Home::kHost) return;
  const std::int64_t gpus = values.at("gpus"), rows = values.at("grid_rows");
  grid_ = core::ProcessGrid::of(gpus);
  if (rows > 0 && gpus % rows != 0) {
    fault_ = core::Fault{"grid_rows",
                         std::to_string(rows) + " does not divide gpus=" + std::to_string(gpus)};
  } else if (rows > 0) {
    grid_ = core::ProcessGrid{rows, gpus / rows};
  }
}

std::string HomeRule::operator()(std::int64_t i, std::int64_t j) const {
  return grid_ ? "gpu" + std::to_string(grid_->owner(i, j)) : "host";
}

std::string HomeRule::operator()(std::int64_t i) const {
  return grid_ ? "gpu" + std::to_string(i % grid_->size()) : "host";
}

GeneratorParameter gpu_count_parameter(std::int64_t lowest) {
  return number_parameter("gpus", lowest, 1024, 4, "how many GPUs take part");
}

std::vector<GeneratorParameter> joined(std::vector<GeneratorParameter> first,
                                       const std::vector<GeneratorParameter>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace parley::workloads
