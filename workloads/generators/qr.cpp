// QR factorisation by tiles with a flat tree of elimination. Tasks as in Buttari, Langou, Kurzak
// and Dongarra 2009; flops in units of tile^3/3 are 4, 6, 6 and 12 (Bouwmeester, Jacquelin, Langou
// and Robert, "Tiled QR factorization algorithms", 2011). No kernels: the tasks run as hash_mix.
#include <algorithm>

#include "workloads/generator_parameters.h"
#include "workloads/tile_matrix.h"

namespace parley::workloads {
namespace {

constexpr std::int64_t kInnerBlock = 64;  // rows of the reflectors' triangular factors T

class Reflectors {
 public:
  Reflectors(ProgramBuilder& builder, const GeneratorValues& values) : tiles_(values.at("tiles")) {
    const std::int64_t edge = values.at("tile");
    for (std::int64_t i = 0; i < tiles_; ++i) {
      for (std::int64_t k = 0; k < tiles_; ++k) {
        const std::string name = "T_" + std::to_string(i) + "_" + std::to_string(k);
        const bool is_used = k <= i;
        factors_.push_back(is_used ? builder.add_array(name, {std::min(kInnerBlock, edge), edge},
                                                       dtype_of(values), core::Initial{})
                                   : core::RegionView{});
      }
    }
  }
  [[nodiscard]] core::RegionView operator()(std::int64_t i, std::int64_t k) const {
    return factors_[static_cast<std::size_t>(i * tiles_ + k)];
  }

 private:
  std::int64_t tiles_;
  std::vector<core::RegionView> factors_;  // row-major; none above the diagonal
};

GeneratorSize qr_size(const GeneratorValues& values) {
  const double n = real_of(values, "tiles");
  const double panels = n * (n - 1), updates = n * (n - 1) * (2 * n - 1) / 6;
  return {n + panels + updates, 2 * n + 3 * panels + 4 * updates};
}

core::Result<core::Program> make_qr(const GeneratorValues& values) {
  const std::int64_t tiles = values.at("tiles");
  ProgramBuilder builder("qr", "tiled QR factorisation, flat tree");
  const TileMatrix a(builder, values, "A", {tiles, tiles}, 1);
  const Reflectors t(builder, values);

  const double unit = cube_of_tile(values) / 3;
  const TaskFamily geqrt = tile_family(values, "geqrt", {}, 4 * unit, 2);
  const TaskFamily unmqr = tile_family(values, "unmqr", {}, 6 * unit, 3);
  const TaskFamily tsqrt = tile_family(values, "tsqrt", {}, 6 * unit, 4);
  const TaskFamily tsmqr = tile_family(values, "tsmqr", {}, 12 * unit, 5);
  const PlacementRule place(values);
  // Priority: steps still to come, and within a step what the next diagonal tile waits for first.
  // All of unmqr comes at once, because it reads the tile that tsqrt is going to overwrite.
  const auto urgency = [&](std::int64_t k, std::int64_t distance) {
    return 3 * (tiles - k) - std::min<std::int64_t>(distance, 2);
  };
  for (std::int64_t k = 0; k < tiles; ++k) {
    builder.spawn(geqrt, {k}, {inout(a(k, k)), out(t(k, k))}, place(k), urgency(k, 0));
    for (std::int64_t j = k + 1; j < tiles; ++j) {
      builder.spawn(unmqr, {k, j}, {in(a(k, k)), in(t(k, k)), inout(a(k, j))}, place(k),
                    urgency(k, 0));
    }
    for (std::int64_t i = k + 1; i < tiles; ++i) {
      builder.spawn(tsqrt, {i, k}, {inout(a(k, k)), inout(a(i, k)), out(t(i, k))}, place(i),
                    urgency(k, i - k - 1));
      for (std::int64_t j = k + 1; j < tiles; ++j) {
        builder.spawn(tsmqr, {i, j, k}, {in(a(i, k)), in(t(i, k)), inout(a(k, j)), inout(a(i, j))},
                      place(i), urgency(k, std::max(i, j) - k));
      }
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_qr(GeneratorRegistry& registry);
void register_generator_qr(GeneratorRegistry& registry) {
  registry.add({"qr", "tiled QR factorisation: n(n+1)(2n+1)/6 tasks for n tiles",
                tile_parameters(12), qr_size, make_qr});
}

}  // namespace parley::workloads
