// Regions in a workload file: texts and access objects, resolved against the arrays read before.
// Arrays that were refused are remembered, so that their regions do not cause faults of their own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/graph/program.h"
#include "workloads/formats/json_reader.h"

namespace parley::workloads {

/// A region that was named, or what is known of it in spite of a fault.
struct ReadRegion {
  std::optional<core::RegionView> view;
  std::optional<core::ArrayId> array;  // without view: the array that was meant, probably
};

class RegionReader {
 public:
  RegionReader(JsonReader& reader, core::Program& program) : reader_(reader), program_(program) {}

  /// Takes note of an array that was refused, "" if it has no name: any unknown one may be meant.
  /// All of them before the first read().
  void add_refused_array(std::string name) { refused_.insert(std::move(name)); }
  /// The region that `text` names; a fault is noted on `at`.
  ReadRegion read(JsonValue at, std::string_view text);
  /// The array of that name, likewise.
  std::optional<core::ArrayId> read_array(JsonValue at, std::string_view name);

 private:
  ReadRegion unknown_array(JsonValue at, std::string_view name);

  JsonReader& reader_;
  core::Program& program_;
  std::unordered_set<std::string> refused_;  // looked up only
  std::vector<std::string> names_;  // of all arrays, for suggestions; filled when first needed
};

}  // namespace parley::workloads
