// One GPU writes a block and all others read it, round after round; the writer moves on by one GPU
// each round unless root=first.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

enum class Root : std::int64_t { kMoves, kFirst };

GeneratorSize broadcast_size(const GeneratorValues& values) {
  const double tasks = real_of(values, "rounds") * real_of(values, "gpus");
  return {tasks, tasks};
}

core::Result<core::Program> make_broadcast(const GeneratorValues& values) {
  const std::int64_t gpus = values.at("gpus"), rounds = values.at("rounds");
  const bool moves = static_cast<Root>(values.at("root")) == Root::kMoves;
  ProgramBuilder builder("broadcast", "one GPU writes a block, all others read it");
  const core::RegionView block = builder.add_block("B", values.at("block"));
  const TaskFamily write{"write", {}, stated_cost(duration_of(values))};
  const TaskFamily read{"read", {}, stated_cost(duration_of(values))};
  for (std::int64_t round = 0; round < rounds; ++round) {
    const std::int64_t root = moves ? round % gpus : 0;
    const std::int64_t urgency = 2 * (rounds - round);
    builder.spawn(write, {round}, {out(block)}, on_gpu(root), urgency);
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      if (gpu != root) builder.spawn(read, {round, gpu}, {in(block)}, on_gpu(gpu), urgency - 1);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_broadcast(GeneratorRegistry& registry);
void register_generator_broadcast(GeneratorRegistry& registry) {
  registry.add({"broadcast",
                "one GPU writes a block and all others read it: rounds x gpus tasks",
                {gpu_count_parameter(), number_parameter("rounds", 1, 1'000'000, 8, "rounds"),
                 word_parameter("root", {"moves", "first"}, "who writes"),
                 block_parameter(64 << 20), duration_parameter(100'000)},
                broadcast_size,
                make_broadcast});
}

}  // namespace parley::workloads
