#include "workloads/formats/machine_json.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "core/base/check.h"
#include "core/machine/machine_check.h"
#include "workloads/formats/field_reader.h"
#include "workloads/formats/machine_draft.h"
#include "workloads/formats/machine_parts.h"

namespace parley::workloads {
namespace {

class MachineReader {
 public:
  /// `size`: instead of the file's, where that says "gpus"; and on how many nodes.
  MachineReader(const JsonDocument& document, const std::string& source,
                const MachineTemplates& templates, MachineSize size)
      : reader_(document, source), document_(document), templates_(templates), size_(size) {}

  core::Result<core::MachineSpec> read() {
    for (const core::Fault& fault : document_.duplicate_keys()) {
      reader_.fault_at(fault.where, fault.what);
    }
    const JsonValue root = document_.root();
    const bool has_template = root.is_object() && FieldList(root).has("template");
    const auto file = has_template
                          ? reader_.fields(root, kTemplateKeys, kRequired, refused(root))
                          : reader_.fields(root, kKeys, {"format", "version", "name", "spaces"});
    if (!file) return reader_.take_faults();
    read_header(*file);
    if (has_template) {
      read_template(*file);
    } else {
      read_machine_parts(reader_, document_, *file, size_, draft_);
    }
    const auto name = (*file)["name"];
    draft_.spec.name = name ? reader_.name(*name).value_or("(name)") : "(name)";
    if (const auto text = (*file)["source"]) {
      draft_.spec.source = reader_.text(*text).value_or("");
    }
    read_machine_costs(reader_, document_, *file, draft_);
    report_values();
    if (reader_.has_faults()) return reader_.take_faults();
    return std::move(draft_.spec);
  }

 private:
  inline static const std::vector<std::string> kKeys = {
      "format",  "version", "name",  "source",  "spaces", "devices", "gpus",   "resources",
      "engines", "routes",  "links", "fabrics", "host",   "kernels", "shares", "issue"};
  inline static const std::vector<std::string> kTemplateKeys = {
      "format", "version", "name",    "source", "template", "gpus",
      "nodes",  "host",    "kernels", "shares", "issue"};

  inline static const std::initializer_list<std::string_view> kRequired = {"format", "version",
                                                                           "name"};

  static bool is_part(const std::string& key) {
    return std::ranges::find(kKeys, key) != kKeys.end() &&
           std::ranges::find(kTemplateKeys, key) == kTemplateKeys.end();
  }

  /// A template has the parts of a machine already: one fault for all that the file states, which
  /// it returns.
  std::vector<std::string> refused(JsonValue root) {
    std::vector<std::string> stated;
    for (const JsonValue member : root) {
      if (const std::string key(member.key_text()); is_part(key)) stated.push_back(key);
    }
    if (stated.empty()) return stated;
    reader_.fault(*FieldList(root)["template"],
                  "a template has its own parts; found " + core::names_text(stated) + " beside it");
    return stated;
  }

  void read_header(const FieldList& file) {
    const auto format = file["format"];
    const auto format_name = format ? reader_.text(*format) : std::nullopt;
    if (format_name && *format_name != "parley-machine") {
      reader_.wrong_type(*format, "\"parley-machine\"");
    }
    const auto version = file["version"];
    if (version && (version->kind() != JsonKind::kInteger || version->integer() != 1)) {
      reader_.wrong_type(*version, "1, the only version there is");
    }
  }

  void read_template(const FieldList& file) {
    const JsonValue value = *file["template"];
    const auto name = reader_.text(value);
    MachineSize size;
    const auto gpus = file["gpus"], nodes = file["nodes"];
    if (gpus) size.gpus = reader_.integer(*gpus, 1, kMostGpus).value_or(1);
    if (nodes) size.nodes = reader_.integer(*nodes, 1, kMostNodes).value_or(1);
    if (size.gpus * size.nodes > kMostGpusInAll) {
      reader_.fault(*gpus, std::to_string(size.gpus * size.nodes) + " GPUs in all; at most " +
                               std::to_string(kMostGpusInAll));
      size = {};
    }
    if (!name) return;
    const auto& names = templates_.names;
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      return reader_.unknown(value, "template", *name, names);
    }
    const auto document = JsonDocument::parse(templates_.text(*name), {});
    PARLEY_CHECK(document.has_value(), "the template " + *name + " is not JSON");
    auto spec = MachineReader(*document, *name, templates_, size).read();
    PARLEY_CHECK(spec.has_value(),
                 "the template " + *name + " has a fault: " + spec.faults().front().what);
    draft_.spec = *std::move(spec);
  }

  /// Faults of values, where the file has them: a link stands for many routes, of which the first
  /// that is wrong says enough.
  void report_values() {
    if (draft_.spec.spaces.empty() && reader_.has_faults()) return;  // nothing was read
    std::set<std::string> links;
    for (core::Fault& fault : core::check_values(draft_.spec)) {
      fault.where = as_stated(fault.where, draft_.route_paths);
      if (const std::size_t other = fault.what.rfind(": routes["); other != std::string::npos) {
        const std::string place = fault.what.substr(other + 2);
        fault.what.replace(other + 2, place.size(), as_stated(place, draft_.route_paths));
      }
      if (fault.where.starts_with("links") && !links.insert(fault.where).second) continue;
      reader_.fault_at(fault.where, std::move(fault.what));
    }
  }

  /// A place in the machine's own list, "routes[7].via[0]", as the file has it: of a link, which
  /// states all of its routes, the link.
  static std::string as_stated(const std::string& place, const std::vector<std::string>& paths) {
    constexpr std::string_view list = "routes[";
    if (!place.starts_with(list)) return place;
    std::size_t index = 0;
    const char* end = place.data() + place.size();
    const auto parsed = std::from_chars(place.data() + list.size(), end, index);
    if (index >= paths.size()) return place;
    const std::string& path = paths[index];
    return path.starts_with("links") ? path : path + std::string(parsed.ptr + 1, end);
  }

  FieldReader reader_;
  const JsonDocument& document_;
  const MachineTemplates& templates_;
  MachineSize size_;
  MachineDraft draft_;
};

}  // namespace

core::Result<core::MachineSpec> read_machine(std::string_view json, const std::string& source,
                                             const MachineTemplates& templates) {
  const core::Result<JsonDocument> document = JsonDocument::parse(json, {});
  if (!document) {
    core::Faults faults = document.faults();
    for (core::Fault& fault : faults) fault.where = source + fault.where;
    return faults;
  }
  return MachineReader(*document, source, templates, {}).read();
}

}  // namespace parley::workloads
