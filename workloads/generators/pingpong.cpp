// One block is updated in turn on two sides: two GPUs, or the host and a GPU.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

enum class Between : std::int64_t { kGpus, kHost };

GeneratorSize pingpong_size(const GeneratorValues& values) {
  const double tasks = 2 * real_of(values, "rounds");
  return {tasks, tasks};
}

core::Result<core::Program> make_pingpong(const GeneratorValues& values) {
  const std::int64_t rounds = values.at("rounds");
  const bool is_host = static_cast<Between>(values.at("between")) == Between::kHost;
  ProgramBuilder builder("pingpong", "one block goes to and fro");
  const core::RegionView block = builder.add_block("B", values.at("block"));
  const TaskFamily turn{"turn", kernel_of(values), stated_cost(duration_of(values))};
  for (std::int64_t i = 0; i < 2 * rounds; ++i) {
    const core::AccessMode mode = i == 0 ? first_use_of(values) : core::AccessMode::kInout;
    builder.spawn(turn, {i}, {access(block, mode)},
                  i % 2 == 0 ? on_gpu(0) : (is_host ? on("cpu") : on_gpu(1)));
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_pingpong(GeneratorRegistry& registry);
void register_generator_pingpong(GeneratorRegistry& registry) {
  registry.add({"pingpong",
                "one block is updated in turn on two sides: 2 x rounds tasks",
                {word_parameter("between", {"gpus", "host"}, "two GPUs, or a GPU and the host"),
                 number_parameter("rounds", 1, 10'000'000, 50, "times to and fro"),
                 block_parameter(64 << 20), duration_parameter(0), kernel_parameter(),
                 first_use_parameter()},
                pingpong_size,
                make_pingpong});
}

}  // namespace parley::workloads
