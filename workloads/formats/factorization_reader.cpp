#include "workloads/formats/factorization_reader.h"

#include <optional>
#include <utility>

namespace parley::workloads {
namespace {

constexpr KeySet kFactorizationKeys = {Key::kKind, Key::kTiles};
using Kind = core::Factorization::Kind;

/// One row of tiles into `factorization`. False, and noted, when something of it cannot be read.
bool read_row(JsonReader& reader, JsonValue row, std::size_t i, RegionReader& regions,
              core::Factorization& factorization) {
  if (!reader.expect_list(row, "a list of tiles")) return false;
  const std::size_t rows = factorization.rows;
  const bool is_lower = factorization.kind == Kind::kCholesky;
  if (row.size() > rows || row.size() < (is_lower ? i + 1 : rows)) {
    reader.fault(row, "found " + std::to_string(row.size()) + " tiles; expected " +
                          (is_lower ? std::to_string(i + 1) + " to " : "") + std::to_string(rows));
    return false;
  }
  bool is_good = true;
  std::size_t j = 0;
  for (const JsonValue item : row) {
    core::RegionId& tile = factorization.tiles[i * rows + j++];
    if (item.kind() == JsonKind::kNull) continue;
    const auto text = reader.text(item);
    if (!text) {
      is_good = false;
      continue;
    }
    const auto read = regions.read(item, *text);
    is_good = is_good && read.view.has_value();
    if (!read.view) continue;
    tile = read.view->region;
    if (read.view->view == core::OperandView{}) continue;
    reader.fault(item,
                 "a tile keeps both dimensions and their direction: slices, no integers and "
                 "no negative steps");
    is_good = false;
  }
  return is_good;
}

}  // namespace

void read_factorization(JsonReader& reader, JsonValue value, core::Program& program,
                        RegionReader& regions) {
  const auto fields = reader.fields(value, kFactorizationKeys, "a factorization object");
  if (!fields) return;
  for (const Key key : {Key::kKind, Key::kTiles}) {
    if (!fields->has(key)) {
      reader.fault(value, "missing key \"" + std::string(name_of(key)) + "\"");
    }
  }
  const auto kind_text = (*fields)[Key::kKind];
  const auto tiles = (*fields)[Key::kTiles];
  const auto kind = kind_text ? reader.choice(*kind_text, {"cholesky", "lu"}) : std::nullopt;
  if (!tiles || !reader.expect_list(*tiles, "a list of rows of tiles") || !kind) return;
  core::Factorization factorization;
  factorization.kind = static_cast<Kind>(*kind);
  factorization.rows = tiles->size();
  factorization.tiles.resize(factorization.rows * factorization.rows);
  bool is_good = true;
  std::size_t i = 0;
  for (const JsonValue row : *tiles) {
    is_good = read_row(reader, row, i++, regions, factorization) && is_good;
  }
  if (!is_good) return;
  const core::Result<bool> stated = program.set_factorization(std::move(factorization));
  for (const core::Fault& fault : stated.faults()) {
    reader.fault(value, fault.what, "." + fault.where);
  }
}

}  // namespace parley::workloads
