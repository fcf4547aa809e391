// Lloyd's k-means: each task assigns a block of points to the nearest centre and leaves sums per
// cluster in its slice of one array; one task makes the new centres of all slices.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize kmeans_size(const GeneratorValues& values) {
  const double blocks = real_of(values, "blocks"), iterations = real_of(values, "iterations");
  return {iterations * (blocks + 1), iterations * (3 * blocks + 2)};
}

core::Result<core::Program> make_kmeans(const GeneratorValues& values) {
  const std::int64_t blocks = values.at("blocks"), points = values.at("points");
  const std::int64_t clusters = values.at("clusters"), dims = values.at("dims");
  const std::int64_t iterations = values.at("iterations");
  ProgramBuilder builder("kmeans", "Lloyd's k-means over blocks of points");
  const core::DType dtype = dtype_of(values);
  const auto element = static_cast<double>(core::element_bytes(dtype));
  std::vector<core::RegionView> data;
  for (std::int64_t i = 0; i < blocks; ++i) {
    data.push_back(builder.add_array("points_" + std::to_string(i), {points, dims}, dtype,
                                     random_contents(static_cast<std::uint64_t>(i + 1) << 32U)));
  }
  const core::RegionView centres =
      builder.add_array("centres", {clusters, dims}, dtype, random_contents(1));
  // Per cluster the sum of its points and their number.
  const core::RegionView sums =
      builder.add_array("sums", {blocks, clusters, dims + 1}, dtype, core::Initial{});

  const double coordinates = static_cast<double>(points) * static_cast<double>(dims);
  const double partial = static_cast<double>(blocks * clusters * (dims + 1));
  const TaskFamily assign{
      "assign",
      {},
      work_cost(3 * coordinates * static_cast<double>(clusters), coordinates * element)};
  const TaskFamily combine{"combine", {}, work_cost(partial, partial * element)};
  const PlacementRule place(values);
  for (std::int64_t t = 0; t < iterations; ++t) {
    for (std::int64_t i = 0; i < blocks; ++i) {
      builder.spawn(
          assign, {t, i},
          {in(data[static_cast<std::size_t>(i)]), in(centres), out(builder.slice(sums, {i}))},
          place(i), 2 * (iterations - t));
    }
    builder.spawn(combine, {t}, {in(sums), out(centres)}, place(0), 2 * (iterations - t) - 1);
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_kmeans(GeneratorRegistry& registry);
void register_generator_kmeans(GeneratorRegistry& registry) {
  registry.add(
      {"kmeans", "Lloyd's k-means: iterations x (blocks + 1) tasks",
       joined({number_parameter("blocks", 1, 100'000, 16, "blocks of points"),
               number_parameter("points", 1, 1 << 28, 625'000, "points of a block"),
               number_parameter("dims", 1, 4096, 10, "coordinates of a point"),
               number_parameter("clusters", 1, 65'536, 10, "clusters"),
               number_parameter("iterations", 1, 1'000'000, 20, "iterations"), dtype_parameter()},
              placement_parameters()),
       kmeans_size, make_kmeans});
}

}  // namespace parley::workloads
