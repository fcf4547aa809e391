#include "workloads/formats/region_reader.h"

#include "workloads/formats/region_text.h"

namespace parley::workloads {

ReadRegion RegionReader::read(JsonValue at, std::string_view text) {
  const RegionText parts = split_region_text(text);
  const std::optional<core::ArrayId> array = program_.find_array(parts.array);
  if (!array) return unknown_array(at, parts.array);
  if (parts.selections.empty()) return {program_.whole(*array), array};
  core::Result<core::RegionView> view = select_region(program_, *array, parts.selections);
  if (view) return {*view, array};
  reader_.fault(at, view.faults().front().what);
  return {std::nullopt, array};
}

std::optional<core::ArrayId> RegionReader::read_array(JsonValue at, std::string_view name) {
  const std::optional<core::ArrayId> array = program_.find_array(name);
  if (!array) unknown_array(at, name);
  return array;
}

ReadRegion RegionReader::unknown_array(JsonValue at, std::string_view name) {
  if (refused_.contains(std::string(name)) || refused_.contains("")) return {};
  if (names_.empty()) {
    for (std::size_t i = 0; i < program_.array_count(); ++i) {
      names_.push_back(program_.array(core::ArrayId(i)).spec.name);
    }
  }
  std::string what = "unknown array ";
  append_quoted(what, name);
  const std::string nearest = reader_.nearest(name, names_);
  if (name.starts_with('$')) {
    what += "; names with $ are scratch arrays, which only the args of kernels may name";
  } else if (names_.empty() && refused_.empty()) {
    what += "; the workload has no arrays";
  } else {
    what += nearest;
  }
  reader_.fault(at, what);
  // `; did you mean "A_2"?`: take the suggestion for what was meant, lest later readers of A_2 be
  // told that nobody writes it.
  const std::size_t open = nearest.find('"');
  if (open == std::string::npos) return {};
  return {std::nullopt,
          program_.find_array(nearest.substr(open + 1, nearest.rfind('"') - open - 1))};
}

}  // namespace parley::workloads
