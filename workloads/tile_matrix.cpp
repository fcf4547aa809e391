#include "workloads/tile_matrix.h"

#include <utility>

#include "workloads/generator_parameters.h"

namespace parley::workloads {
namespace {

enum class Storage : std::int64_t { kTiles, kMatrix };

core::Initial contents(std::uint64_t seed, double diagonal) {
  return seed == TileMatrix::kUndefined ? core::Initial{} : random_contents(seed, diagonal);
}

}  // namespace

std::vector<GeneratorParameter> tile_parameters(std::int64_t default_tiles) {
  return joined(
      {number_parameter("tiles", 1, 1024, default_tiles, "tiles along an edge"),
       number_parameter("tile", 1, 1 << 20, 2048, "edge of a tile", "elements"), dtype_parameter(),
       word_parameter("storage", {"tiles", "matrix"},
                      "an array for each tile, or one array with a region for each")},
      joined(placement_parameters(), home_parameters()));
}

TileMatrix::TileMatrix(ProgramBuilder& builder, const GeneratorValues& values,
                       const std::string& name, Extent extent, std::uint64_t seed, double diagonal)
    : extent_(extent), tiles_(static_cast<std::size_t>(extent.rows * extent.columns)) {
  const std::int64_t edge = values.at("tile");
  const core::DType dtype = dtype_of(values);
  const HomeRule home(values);
  if (home.fault()) builder.refuse(*home.fault());
  const bool is_one_array = static_cast<Storage>(values.at("storage")) == Storage::kMatrix;
  core::RegionView matrix;
  if (is_one_array) {
    if (home.is_dealt_out()) {
      builder.refuse({"home", "block_cyclic needs storage=tiles: one array starts in one place"});
    }
    matrix = builder.add_array(name, {extent.rows * edge, extent.columns * edge}, dtype,
                               contents(seed, diagonal));
  }
  for (std::int64_t i = 0; i < extent.rows; ++i) {
    for (std::int64_t j = 0; j < extent.columns; ++j) {
      if (extent.part == Part::kLower && j > i) continue;
      const auto at = static_cast<std::size_t>(i * extent.columns + j);
      if (is_one_array) {
        tiles_[at] = builder.slice(
            matrix, {range(i * edge, (i + 1) * edge), range(j * edge, (j + 1) * edge)});
      } else {
        // Seeds far apart: element e of a tile is drawn from seed + e.
        const std::uint64_t tile_seed = seed == kUndefined ? kUndefined : seed + (at << 24U);
        tiles_[at] = builder.add_array(tile_name(name, i, j), {edge, edge}, dtype,
                                       contents(tile_seed, i == j ? diagonal : 0.0), home(i, j));
      }
    }
  }
}

core::Factorization TileMatrix::factorized(core::Factorization::Kind kind) const {
  core::Factorization factorization;
  factorization.kind = kind;
  factorization.rows = static_cast<std::size_t>(extent_.rows);
  for (const core::RegionView& tile : tiles_) factorization.tiles.push_back(tile.region);
  return factorization;
}

std::string tile_name(const std::string& name, std::int64_t i, std::int64_t j) {
  return name + "_" + std::to_string(i) + "_" + std::to_string(j);
}

TaskFamily tile_family(const GeneratorValues& values, std::string name, core::Kernel kernel,
                       double flops, double touched) {
  const auto edge = static_cast<double>(values.at("tile"));
  const auto element = static_cast<double>(core::element_bytes(dtype_of(values)));
  return {std::move(name), std::move(kernel), work_cost(flops, touched * edge * edge * element)};
}

double dominant_diagonal(const GeneratorValues& values) {
  return real_of(values, "tiles") * real_of(values, "tile");
}

double cube_of_tile(const GeneratorValues& values) {
  const auto edge = static_cast<double>(values.at("tile"));
  return edge * edge * edge;
}

}  // namespace parley::workloads
