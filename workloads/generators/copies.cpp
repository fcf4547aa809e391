// Copies that all start at once, in the patterns by which a machine's links are measured: blocks
// lie where they come from, and a task of no duration reads each where it goes.
#include <utility>

#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

enum class Pattern : std::int64_t {
  kHostToGpu,
  kGpuToHost,
  kBothWays,
  kPeer,
  kPeerBothWays,
  kRing,
  kBroadcast,
  kGather,
  kAllToAll,
};

constexpr std::int64_t kHost = -1;
using Flow = std::pair<std::int64_t, std::int64_t>;  // from, to; a GPU's number or kHost

std::vector<Flow> flows_of(Pattern pattern, std::int64_t gpus) {
  std::vector<Flow> flows;
  for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
    const std::int64_t right = (gpu + 1) % gpus;
    switch (pattern) {
      case Pattern::kHostToGpu:
        flows.emplace_back(kHost, gpu);
        break;
      case Pattern::kGpuToHost:
        flows.emplace_back(gpu, kHost);
        break;
      case Pattern::kBothWays:
        flows.emplace_back(kHost, gpu);
        flows.emplace_back(gpu, kHost);
        break;
      case Pattern::kPeer:  // 0 to 1, 2 to 3, ...
        if (gpu % 2 == 0 && gpu + 1 < gpus) flows.emplace_back(gpu, gpu + 1);
        break;
      case Pattern::kPeerBothWays:
        if ((gpu ^ 1) < gpus) flows.emplace_back(gpu, gpu ^ 1);
        break;
      case Pattern::kRing:
        if (right != gpu) flows.emplace_back(gpu, right);
        break;
      case Pattern::kBroadcast:
        if (gpu != 0) flows.emplace_back(0, gpu);
        break;
      case Pattern::kGather:
        if (gpu != 0) flows.emplace_back(gpu, 0);
        break;
      case Pattern::kAllToAll:
        for (std::int64_t to = 0; to < gpus; ++to) {
          if (to != gpu) flows.emplace_back(gpu, to);
        }
        break;
    }
  }
  return flows;
}

std::vector<Flow> flows_of(const GeneratorValues& values) {
  return flows_of(static_cast<Pattern>(values.at("pattern")), values.at("gpus"));
}

GeneratorSize copies_size(const GeneratorValues& values) {
  const double tasks = static_cast<double>(flows_of(values).size()) * real_of(values, "count");
  return {tasks, tasks};
}

core::Result<core::Program> make_copies(const GeneratorValues& values) {
  ProgramBuilder builder("copies", "copies that all start at once");
  const TaskFamily read{"read", kernel_of(values), stated_cost(core::Duration(0))};
  const std::vector<Flow> flows = flows_of(values);
  for (std::int64_t i = 0; i < values.at("count"); ++i) {
    std::int64_t flow = 0;
    for (const auto& [from, to] : flows) {
      const core::RegionView block = builder.add_block(
          "B_" + std::to_string(flow) + "_" + std::to_string(i), values.at("block"),
          from == kHost ? "host" : "gpu" + std::to_string(from));
      builder.spawn(read, {flow, i}, {in(block)}, to == kHost ? on("cpu") : on_gpu(to));
      ++flow;
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_copies(GeneratorRegistry& registry);
void register_generator_copies(GeneratorRegistry& registry) {
  registry.add(
      {"copies",
       "copies that all start at once, as links are measured: count tasks a flow",
       {word_parameter("pattern",
                       {"host_to_gpu", "gpu_to_host", "both_ways", "peer", "peer_both_ways", "ring",
                        "broadcast", "gather", "all_to_all"},
                       "who sends to whom"),
        gpu_count_parameter(), number_parameter("count", 1, 100'000, 4, "copies of a flow"),
        block_parameter(256 << 20), kernel_parameter()},
       copies_size,
       make_copies});
}

}  // namespace parley::workloads
