#include "core/graph/factorization.h"

#include <algorithm>
#include <string>

#include "core/graph/program.h"

namespace parley::core {
namespace {

std::string place_text(std::size_t i, std::size_t j) {
  return "tiles[" + std::to_string(i) + "][" + std::to_string(j) + "]";
}

/// Looks at one tile after the other.
class TileCheck {
 public:
  TileCheck(const Program& program, const Factorization& factorization)
      : program_(program), factorization_(factorization) {}

  /// What is wrong with tile (i, j), or "".
  [[nodiscard]] std::string fault(std::size_t i, std::size_t j) const {
    const bool is_cholesky = factorization_.kind == Factorization::Kind::kCholesky;
    const RegionId tile = factorization_.tile(i, j);
    if (is_cholesky && j > i) {
      return tile.is_none() ? "" : "a tile above the diagonal, which Cholesky does not have";
    }
    if (tile.is_none()) return "no tile; there is one for each place";
    const Array& array = program_.array(program_.region(tile).array);
    const Box& box = program_.region(tile).box;
    if (box.rank() != 2) return "a tile has two dimensions; found " + std::to_string(box.rank());
    const DType dtype = array.spec.dtype;
    if (dtype != DType::kFloat64 && dtype != DType::kFloat32) {
      return "a tile of " + std::string(name_of(dtype)) + "; allowed: float32, float64";
    }
    if (dtype != first_type()) {
      return "a tile of " + std::string(name_of(dtype)) + " in a matrix of " +
             std::string(name_of(first_type()));
    }
    if (array.spec.initial.kind == Initial::Kind::kNone) {
      return "the contents of \"" + array.spec.name + "\" are undefined at the start";
    }
    if (box[0].count != edge(i) || box[1].count != edge(j)) {
      return "a tile of " + std::to_string(box[0].count) + " x " + std::to_string(box[1].count) +
             "; the tiles on the diagonal ask for " + std::to_string(edge(i)) + " x " +
             std::to_string(edge(j));
    }
    return "";
  }

 private:
  [[nodiscard]] DType first_type() const {
    const RegionId first = factorization_.tile(0, 0);
    if (first.is_none()) return DType::kFloat64;
    return program_.array(program_.region(first).array).spec.dtype;
  }
  /// Rows of the diagonal tile of row i; 0 when there is no such tile.
  [[nodiscard]] std::int64_t edge(std::size_t i) const {
    const RegionId tile = factorization_.tile(i, i);
    if (tile.is_none()) return 0;
    const Box& box = program_.region(tile).box;
    return box.rank() == 2 ? box[0].count : 0;
  }

  const Program& program_;
  const Factorization& factorization_;
};

/// The first region that stands in two places, or "".
std::string twice_fault(const Program& program, const Factorization& factorization) {
  std::vector<RegionId> tiles = factorization.tiles;
  std::sort(tiles.begin(), tiles.end());
  const auto twice = std::adjacent_find(tiles.begin(), tiles.end());
  if (twice == tiles.end() || twice->is_none()) return "";
  return "\"" + program.region_text(*twice) + "\" is named twice";
}

}  // namespace

std::string_view name_of(Factorization::Kind kind) {
  switch (kind) {
    case Factorization::Kind::kCholesky:
      return "cholesky";
    case Factorization::Kind::kLu:
      return "lu";
  }
  return "";
}

Faults factorization_faults(const Program& program, const Factorization& factorization) {
  if (factorization.rows == 0) return {{"tiles", "a matrix has at least one tile"}};
  Faults faults;
  const TileCheck check(program, factorization);
  for (std::size_t i = 0; i < factorization.rows; ++i) {
    for (std::size_t j = 0; j < factorization.rows; ++j) {
      std::string fault = check.fault(i, j);
      if (!fault.empty()) faults.push_back({place_text(i, j), std::move(fault)});
    }
  }
  std::string twice = twice_fault(program, factorization);
  if (!twice.empty()) faults.push_back({"tiles", std::move(twice)});
  return faults;
}

Result<bool> Program::set_factorization(Factorization factorization) {
  Faults faults = factorization_faults(*this, factorization);
  if (!faults.empty()) return faults;
  factorization_ = std::move(factorization);
  return true;
}

}  // namespace parley::core
