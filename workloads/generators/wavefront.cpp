// Dynamic programming over a matrix of blocks: each waits for those above and to the left.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize wavefront_size(const GeneratorValues& values) {
  const double rows = real_of(values, "rows"), columns = real_of(values, "columns");
  return {rows * columns, 3 * rows * columns - rows - columns};
}

core::Result<core::Program> make_wavefront(const GeneratorValues& values) {
  const std::int64_t rows = values.at("rows"), columns = values.at("columns");
  ProgramBuilder builder("wavefront", "each block waits for those above and to the left");
  const std::vector<core::RegionView> blocks =
      builder.add_blocks("B", rows * columns, values.at("block"));
  const auto block = [&](std::int64_t i, std::int64_t j) {
    return blocks[static_cast<std::size_t>(i * columns + j)];
  };
  const TaskFamily cell{"cell", kernel_of(values), stated_cost(duration_of(values))};
  const PlacementRule place(values);
  const core::AccessMode first = first_use_of(values);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      std::vector<core::Access> accesses;
      if (i > 0) accesses.push_back(in(block(i - 1, j)));
      if (j > 0) accesses.push_back(in(block(i, j - 1)));
      accesses.push_back(access(block(i, j), first));
      builder.spawn(cell, {i, j}, std::move(accesses), place(i), rows - i + columns - j);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_wavefront(GeneratorRegistry& registry);
void register_generator_wavefront(GeneratorRegistry& registry) {
  registry.add(
      {"wavefront", "blocks that wait for those above and to the left",
       joined({number_parameter("rows", 1, 4096, 24, "block rows"),
               number_parameter("columns", 1, 4096, 24, "block columns"), block_parameter(4 << 20),
               duration_parameter(500'000), kernel_parameter(), first_use_parameter()},
              placement_parameters()),
       wavefront_size, make_wavefront});
}

}  // namespace parley::workloads
