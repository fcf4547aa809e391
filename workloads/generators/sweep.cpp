// Transport sweeps over a square of cells from its four corners, several angles each. A sweep
// carries a front for every row and every column from cell to cell and adds to the cell's flux, so
// that sweeps meet in the cells (Koch, Baker and Alcouffe, "Solution of the first-order form of the
// 3-D discrete ordinates equation on a massively parallel processor", 1992).
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize sweep_size(const GeneratorValues& values) {
  const double width = real_of(values, "width");
  const double tasks = 4 * real_of(values, "angles") * width * width;
  return {tasks, 3 * tasks};
}

core::Result<core::Program> make_sweep(const GeneratorValues& values) {
  const std::int64_t width = values.at("width"), angles = values.at("angles");
  const std::int64_t face = values.at("face");
  ProgramBuilder builder("sweep", "transport sweeps from the four corners of a square of cells");
  const std::vector<core::RegionView> flux =
      builder.add_blocks("flux", width * width, values.at("block"));
  const TaskFamily cell{"sweep", {}, stated_cost(duration_of(values))};
  const PlacementRule place(values);
  std::int64_t sweeps_left = 4 * angles;
  for (std::int64_t angle = 0; angle < angles; ++angle) {
    for (std::int64_t corner = 0; corner < 4; ++corner, --sweeps_left) {
      const std::string label = std::to_string(corner) + "_" + std::to_string(angle);
      const auto rows = builder.add_blocks("row_" + label, width, face);
      const auto columns = builder.add_blocks("column_" + label, width, face);
      for (std::int64_t step_i = 0; step_i < width; ++step_i) {
        for (std::int64_t step_j = 0; step_j < width; ++step_j) {
          const std::int64_t i = corner % 2 == 0 ? step_i : width - 1 - step_i;
          const std::int64_t j = corner / 2 == 0 ? step_j : width - 1 - step_j;
          builder.spawn(cell, {corner, angle, i, j},
                        {inout(rows[static_cast<std::size_t>(i)]),
                         inout(columns[static_cast<std::size_t>(j)]),
                         inout(flux[static_cast<std::size_t>(i * width + j)])},
                        place(i), 2 * width * sweeps_left - step_i - step_j);
        }
      }
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_sweep(GeneratorRegistry& registry);
void register_generator_sweep(GeneratorRegistry& registry) {
  registry.add({"sweep",
                "sweeps from four corners of a square of cells: 4 x angles x width^2 tasks",
                joined({number_parameter("width", 1, 1024, 8, "cells along an edge"),
                        number_parameter("angles", 1, 256, 2, "sweeps from each corner"),
                        block_parameter(4 << 20),
                        number_parameter("face", 0, 1 << 30, 1 << 18,
                                         "size of what passes from cell to cell", "bytes"),
                        duration_parameter(500'000)},
                       placement_parameters()),
                sweep_size, make_sweep});
}

}  // namespace parley::workloads
