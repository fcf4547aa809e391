#include "workloads/formats/array_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <unordered_map>

#include "workloads/formats/element_values.h"

namespace parley::workloads {
namespace {

constexpr KeySet kArrayKeys = {Key::kName, Key::kShape, Key::kDtype, Key::kBytes,
                               Key::kInit, Key::kHome,  Key::kAtEnd};
constexpr KeySet kInitKeys = {Key::kFill, Key::kValues, Key::kArange, Key::kRandom, Key::kDiagonal};

/// Reads one array. Positions of names: in which entry each was first seen.
class ArrayReader {
 public:
  ArrayReader(JsonReader& reader, JsonValue entry) : reader_(reader), entry_(entry) {}

  /// What could be read of it; check the reader for faults.
  core::ArraySpec read() {
    core::ArraySpec spec;
    const auto fields = reader_.fields(entry_, kArrayKeys, "an array object");
    if (!fields) return spec;
    read_name(*fields, spec);
    read_extents(*fields, spec);
    if (const auto home = (*fields)[Key::kHome]) read_home(*home, spec);
    if (const auto at_end = (*fields)[Key::kAtEnd]) {
      const auto choice = reader_.choice(*at_end, {"anywhere", "home", "discard"});
      spec.at_end = static_cast<core::AtEnd>(choice.value_or(0));
    }
    if (const auto init = (*fields)[Key::kInit]) read_init(*init, spec);
    return spec;
  }

 private:
  void read_name(const Fields& fields, core::ArraySpec& spec) {
    const auto name = fields[Key::kName];
    if (!name) {
      reader_.fault(entry_, "missing key \"name\"");
      return;
    }
    const auto text = reader_.name(*name);
    if (!text) return;
    spec.name = *text;
    const bool has_spaces = text->front() == ' ' || text->back() == ' ';
    if (text->find_first_of("[]{}") != std::string_view::npos || text->front() == '$' ||
        has_spaces) {
      reader_.fault(*name, "array name " + describe(*name) +
                               " cannot be told from a selection: no brackets or braces, no \"$\" "
                               "in front, no spaces around");
    }
  }

  void read_extents(const Fields& fields, core::ArraySpec& spec) {
    if (const auto bytes = fields[Key::kBytes]) {
      spec.is_opaque = true;
      spec.dtype = core::DType::kUint8;
      spec.shape = {reader_.integer(*bytes, 0).value_or(0)};
      for (const Key key : {Key::kShape, Key::kDtype}) {
        if (const auto other = fields[key]) {
          reader_.fault(*other, "an array has either \"bytes\", or \"shape\" and \"dtype\"");
        }
      }
      return;
    }
    const auto shape = fields[Key::kShape];
    if (!shape) {
      reader_.fault(entry_, "missing key \"shape\" (or \"bytes\" for an array without elements)");
    } else if (auto extents = read_shape(reader_, *shape)) {
      spec.shape = std::move(*extents);
    } else {
      has_extents_ = false;
    }
    if (const auto dtype = fields[Key::kDtype]) {
      const auto read = read_dtype(reader_, *dtype);
      has_extents_ = has_extents_ && read.has_value();
      spec.dtype = read.value_or(core::DType::kFloat64);
    }
    has_extents_ = has_extents_ && shape.has_value();
  }

  void read_home(JsonValue value, core::ArraySpec& spec) {
    if (!value.is_list()) {
      if (const auto name = reader_.name(value)) spec.homes = {std::string(*name)};
      return;
    }
    spec.homes.clear();
    for (const JsonValue item : value) {
      const auto name = reader_.name(item);
      if (!name) continue;
      if (std::find(spec.homes.begin(), spec.homes.end(), *name) != spec.homes.end()) {
        reader_.fault(item, "space " + describe(item) + " is named twice");
      }
      spec.homes.emplace_back(*name);
    }
    if (value.size() == 0) reader_.fault(value, "expected at least one memory space");
  }

  void read_init(JsonValue value, core::ArraySpec& spec) {
    const std::size_t faults_before = reader_.fault_count();
    const auto fields = reader_.fields(value, kInitKeys, "an object such as {\"fill\": 0}");
    if (!fields || reader_.fault_count() != faults_before) return;
    std::size_t count = 0;
    for (const Key key : {Key::kFill, Key::kValues, Key::kArange, Key::kRandom}) {
      count += fields->has(key) ? 1 : 0;
    }
    if (count != 1) {
      reader_.fault(value, "expected exactly one of fill, values, arange, random; found " +
                               std::to_string(count));
      return;
    }
    const auto diagonal = (*fields)[Key::kDiagonal];
    if (diagonal && !fields->has(Key::kRandom)) {
      reader_.fault(*diagonal, "\"diagonal\" goes with \"random\" only");
      return;
    }
    using Kind = core::Initial::Kind;
    if (const auto fill = (*fields)[Key::kFill]) {
      spec.initial.kind = Kind::kFill;
      spec.initial.data.resize(static_cast<std::size_t>(core::element_bytes(spec.dtype)));
      if (has_extents_) read_element(reader_, *fill, spec.dtype, spec.initial.data.data());
    } else if (const auto values = (*fields)[Key::kValues]) {
      spec.initial.kind = Kind::kValues;
      if (has_extents_) {
        read_elements(reader_, *values, spec.dtype, spec.shape, spec.initial.data);
      }
    } else if (const auto arange = (*fields)[Key::kArange]) {
      spec.initial.kind = Kind::kArange;
      const auto is_on = reader_.boolean(*arange);
      if (is_on && !*is_on) reader_.fault(*arange, "expected true; leave \"init\" out for none");
    } else if (const auto random = (*fields)[Key::kRandom]) {
      spec.initial.kind = Kind::kRandom;
      if (random->kind() == JsonKind::kUnsigned) {
        spec.initial.seed = random->unsigned_integer();
      } else {
        spec.initial.seed = static_cast<std::uint64_t>(reader_.integer(*random, 0).value_or(0));
      }
      if (diagonal) read_diagonal(*diagonal, spec);
    }
  }

  void read_diagonal(JsonValue value, core::ArraySpec& spec) {
    constexpr double kLargestExact = 9007199254740992.0;  // 2^53
    if (!value.is_number()) {
      reader_.wrong_type(value, "a number");
    } else if (!(std::abs(value.number()) <= kLargestExact)) {
      reader_.fault(value, "found " + describe(value) + "; allowed: -2^53 to 2^53");
    } else {
      spec.initial.diagonal = value.number();
    }
  }

  JsonReader& reader_;
  JsonValue entry_;
  bool has_extents_ = true;  // shape and dtype are known, so values can be checked
};

}  // namespace

void read_arrays(JsonReader& reader, JsonValue arrays, core::Program& program,
                 RegionReader& regions) {
  if (!reader.expect_list(arrays, "a list of arrays")) return;
  std::unordered_map<std::string, std::size_t> first_seen;  // looked up only
  std::size_t position = 0;
  for (const JsonValue entry : arrays) {
    const std::size_t faults_before = reader.fault_count();
    core::ArraySpec spec = ArrayReader(reader, entry).read();
    const std::string name = spec.name;
    const auto [seen, is_new] = first_seen.try_emplace(name, position++);
    if (!name.empty() && !is_new) {
      reader.fault(entry,
                   "duplicate array name \"" + name + "\"; arrays[" + std::to_string(seen->second) +
                       "] has it",
                   ".name");
      continue;
    }
    if (reader.fault_count() == faults_before) {
      const core::Result<core::ArrayId> id = program.add_array(std::move(spec));
      if (id) continue;
      for (const core::Fault& fault : id.faults()) {
        reader.fault(entry, fault.what, fault.where.empty() ? "" : "." + fault.where);
      }
    }
    regions.add_refused_array(name);
  }
}

std::optional<std::vector<std::int64_t>> read_shape(JsonReader& reader, JsonValue value) {
  if (!reader.expect_list(value, "a list of extents")) return std::nullopt;
  std::vector<std::int64_t> shape;
  bool is_good = true;
  for (const JsonValue item : value) {
    const auto extent = reader.integer(item, 0);
    is_good = is_good && extent.has_value();
    shape.push_back(extent.value_or(0));
  }
  if (!is_good) return std::nullopt;
  return shape;
}

std::optional<core::DType> read_dtype(JsonReader& reader, JsonValue value) {
  const std::vector<std::string> names(core::kDTypeNames.begin(), core::kDTypeNames.end());
  const auto choice = reader.choice(value, names);
  if (!choice) return std::nullopt;
  return static_cast<core::DType>(*choice);
}

}  // namespace parley::workloads
