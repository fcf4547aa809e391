// Repeated averaging over a grid in one or two dimensions. Two arrays take turns; each task writes
// one block of the one and reads the same block of the other with a halo, so that neighbouring
// tasks read overlapping regions.
#include <cmath>

#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

struct Grid {
  std::int64_t dims, blocks, points, radius;

  [[nodiscard]] std::vector<std::int64_t> shape() const {
    return std::vector<std::int64_t>(static_cast<std::size_t>(dims), blocks * points + 2 * radius);
  }
  /// Indices of block `at` along one dimension, with `halo` points on either side.
  [[nodiscard]] core::Slice along(std::int64_t at, std::int64_t halo) const {
    return range(radius + at * points - halo, radius + (at + 1) * points + halo);
  }
  [[nodiscard]] core::RegionView block(ProgramBuilder& builder, core::RegionView array,
                                       std::int64_t i, std::int64_t j, std::int64_t halo) const {
    if (dims == 1) return builder.slice(array, {along(i, halo)});
    return builder.slice(array, {along(i, halo), along(j, halo)});
  }
};

GeneratorSize stencil_size(const GeneratorValues& values) {
  const double tasks =
      real_of(values, "iterations") * std::pow(real_of(values, "blocks"), real_of(values, "dims"));
  return {tasks, 2 * tasks};
}

core::Result<core::Program> make_stencil(const GeneratorValues& values) {
  const Grid grid{values.at("dims"), values.at("blocks"), values.at("points"), values.at("radius")};
  const std::int64_t iterations = values.at("iterations");
  const std::int64_t columns = grid.dims == 2 ? grid.blocks : 1;
  ProgramBuilder builder("stencil", "averaging over a grid, blocks with overlapping halos");
  const core::DType dtype = dtype_of(values);
  const core::RegionView arrays[] = {
      builder.add_array("U", grid.shape(), dtype, random_contents(1)),
      builder.add_array("V", grid.shape(), dtype, random_contents(1))};

  const double elements = std::pow(static_cast<double>(grid.points), grid.dims);
  const double neighbours = 2.0 * static_cast<double>(grid.radius * grid.dims);
  const TaskFamily average{
      "average",
      {kernel_call("stencil", {0, 1}, {{"radius", static_cast<double>(grid.radius)}})},
      work_cost(elements * neighbours,
                2 * elements * static_cast<double>(core::element_bytes(dtype)))};
  const PlacementRule place(values);
  for (std::int64_t t = 0; t < iterations; ++t) {
    for (std::int64_t i = 0; i < grid.blocks; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        builder.spawn(average, {t, i, j},
                      {in(grid.block(builder, arrays[t % 2], i, j, grid.radius)),
                       out(grid.block(builder, arrays[(t + 1) % 2], i, j, 0))},
                      place(i), iterations - t);
      }
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_stencil(GeneratorRegistry& registry);
void register_generator_stencil(GeneratorRegistry& registry) {
  registry.add(
      {"stencil",
       "averages over a 1-D or 2-D grid, overlapping halos: iterations x blocks^dims tasks",
       joined({number_parameter("dims", 1, 2, 2, "dimensions of the grid"),
               number_parameter("blocks", 1, 4096, 8, "blocks along each dimension"),
               number_parameter("points", 1, 1 << 24, 1024, "points of a block along each",
                                "elements"),
               number_parameter("radius", 1, 64, 1, "neighbours on each side", "elements"),
               number_parameter("iterations", 1, 1'000'000, 10, "how often"), dtype_parameter()},
              placement_parameters()),
       stencil_size, make_stencil});
}

}  // namespace parley::workloads
