// A random program in layers: each task reads some blocks and writes one, by `in`, `out` or `inout`
// as the draw has it. The same seed gives the same program everywhere.
#include <algorithm>

#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

/// splitmix64 (Steele, Lea and Flood 2014): the standard library's distributions differ between
/// implementations.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}

  /// Uniform in lowest..highest, but for a bias below 2^-32.
  std::int64_t between(std::int64_t lowest, std::int64_t highest) {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
    x ^= x >> 31U;
    const auto count = static_cast<std::uint64_t>(highest - lowest + 1);
    return lowest + static_cast<std::int64_t>(((x >> 32U) * count) >> 32U);
  }

 private:
  std::uint64_t state_;
};

GeneratorSize random_size(const GeneratorValues& values) {
  const double tasks = real_of(values, "levels") * real_of(values, "width");
  return {tasks, tasks * (real_of(values, "reads") + 1)};
}

core::Result<core::Program> make_random(const GeneratorValues& values) {
  const std::int64_t levels = values.at("levels"), width = values.at("width");
  const std::int64_t count = values.at("blocks");
  const std::int64_t most_reads = std::min(values.at("reads"), count - 1);
  ProgramBuilder builder("random", "a random program in layers");
  const std::vector<core::RegionView> blocks = builder.add_blocks("B", count, values.at("block"));
  Draws draws(static_cast<std::uint64_t>(values.at("seed")));
  const PlacementRule place(values);
  const std::int64_t mean = values.at("task_ns");
  for (std::int64_t level = 0; level < levels; ++level) {
    for (std::int64_t i = 0; i < width; ++i) {
      const std::int64_t target = draws.between(0, count - 1);
      const core::RegionView written = blocks[static_cast<std::size_t>(target)];
      std::vector<core::Access> accesses;
      const std::int64_t reads = draws.between(0, most_reads);
      for (std::int64_t read = 0; read < reads; ++read) {
        // Another block than the target; the same one may be drawn twice and then counts once.
        const std::int64_t source = (target + draws.between(1, count - 1)) % count;
        accesses.push_back(in(blocks[static_cast<std::size_t>(source)]));
      }
      accesses.push_back(draws.between(0, 1) == 0 ? out(written) : inout(written));
      const TaskFamily family{
          "T", {}, stated_cost(core::Duration(draws.between(mean / 2, mean + mean / 2)))};
      builder.spawn(family, {level, i}, std::move(accesses), place(target), levels - level);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_random(GeneratorRegistry& registry);
void register_generator_random(GeneratorRegistry& registry) {
  registry.add({"random", "a random program: tasks read and write blocks as the seed has it",
                joined({number_parameter("levels", 1, 1'000'000, 20, "layers"),
                        number_parameter("width", 1, 1'000'000, 16, "tasks of a layer"),
                        number_parameter("blocks", 1, 1'000'000, 64, "blocks"),
                        number_parameter("reads", 0, 16, 3, "most blocks that a task reads"),
                        seed_parameter(), block_parameter(16 << 20), duration_parameter(1'000'000)},
                       placement_parameters()),
                random_size, make_random});
}

}  // namespace parley::workloads
