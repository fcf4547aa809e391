// Map, shuffle, reduce: each map task writes one row per reducer into an array of its own, and each
// reducer reads its row of all of them.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize map_reduce_size(const GeneratorValues& values) {
  const double maps = real_of(values, "maps"), reducers = real_of(values, "reducers");
  return {maps + reducers, 2 * maps + reducers * (maps + 1)};
}

core::Result<core::Program> make_map_reduce(const GeneratorValues& values) {
  const std::int64_t maps = values.at("maps"), reducers = values.at("reducers");
  const std::int64_t row = values.at("block");
  ProgramBuilder builder("map_reduce", "map, shuffle, reduce");
  const std::vector<core::RegionView> inputs = builder.add_blocks("input", maps, row * reducers);
  const TaskFamily map{"map", {}, stated_cost(duration_of(values))};
  const TaskFamily reduce{"reduce", {}, stated_cost(duration_of(values))};
  const PlacementRule place(values);
  std::vector<core::RegionView> shuffled;
  for (std::int64_t i = 0; i < maps; ++i) {
    shuffled.push_back(builder.add_array("shuffled_" + std::to_string(i), {reducers, row},
                                         core::DType::kUint8, core::Initial{}));
    builder.spawn(map, {i}, {in(inputs[static_cast<std::size_t>(i)]), out(shuffled.back())},
                  place(i), 1);
  }
  for (std::int64_t j = 0; j < reducers; ++j) {
    std::vector<core::Access> accesses;
    for (const core::RegionView rows : shuffled) accesses.push_back(in(builder.slice(rows, {j})));
    accesses.push_back(out(builder.add_array("result_" + std::to_string(j), {row},
                                             core::DType::kUint8, core::Initial{})));
    builder.spawn(reduce, {j}, std::move(accesses), place(j));
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_map_reduce(GeneratorRegistry& registry);
void register_generator_map_reduce(GeneratorRegistry& registry) {
  registry.add({"map_reduce", "map tasks, and reducers that read a row of each one's result",
                joined({number_parameter("maps", 1, 4096, 32, "map tasks"),
                        number_parameter("reducers", 1, 4096, 16, "reducers"),
                        block_parameter(4 << 20, 1), duration_parameter(1'000'000)},
                       placement_parameters()),
                map_reduce_size, make_map_reduce});
}

}  // namespace parley::workloads
