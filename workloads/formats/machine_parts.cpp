#include "workloads/formats/machine_parts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "workloads/formats/fabric_reader.h"
#include "workloads/formats/host_reader.h"
#include "workloads/formats/link_reader.h"
#include "workloads/formats/machine_links.h"
#include "workloads/formats/slowdown_reader.h"
#include "workloads/machine_file.h"

namespace parley::workloads {
namespace {

using core::Bandwidth;
using core::Bytes;
using core::Duration;

class PartsReader {
 public:
  PartsReader(FieldReader& reader, const JsonDocument& document, MachineDraft& draft,
              MachineSize size)
      : reader_(reader), document_(document), draft_(draft), size_(size) {}

  void read_parts(const FieldList& file) {
    for (const JsonValue space : list(file, "spaces")) read_space(space);
    if (spec().spaces.empty()) {  // everything else refers to them
      const auto spaces = file["spaces"];
      if (spaces && spaces->is_list()) reader_.fault(*spaces, "there is no memory space");
      return;
    }
    std::vector<JsonValue> gpu_groups;
    if (const auto gpus = file["gpus"]) {
      if (gpus->is_list()) {
        gpu_groups = reader_.list(*gpus, "a list");
      } else if (gpus->is_object()) {
        gpu_groups = {*gpus};
      } else {
        reader_.wrong_type(*gpus, "an object (a number of GPUs needs a \"template\")");
      }
    }
    std::vector<core::Device> gpus;
    for (const JsonValue group : gpu_groups) read_gpus(group, gpus);
    for (const JsonValue device : list(file, "devices")) read_device(device);
    for (core::Device& gpu : gpus) spec().devices.push_back(std::move(gpu));
    for (const JsonValue resource : list(file, "resources")) read_resource(resource);
    for (const JsonValue engine : list(file, "engines")) read_engine(engine);
    for (const JsonValue route : list(file, "routes")) {
      read_route(route);
      note_routes(route);
    }
    const auto hosts = std::ranges::count_if(spec().spaces, &core::MemorySpace::is_host);
    for (const JsonValue link : list(file, "links")) {
      draft_.has_direct_network |=
          hosts > 1 && turn_of(link) == 2 && has_word(link, "gpus", "direct");
    }
    // Links of their own between two spaces count before what pcie has for peers; networks go on
    // from the links within nodes.
    for (const int turn : {0, 1, 2}) {
      for (const JsonValue link : list(file, "links")) {
        if (turn_of(link) != turn) continue;
        read_link(reader_, draft_, link);
        note_routes(link);
      }
    }
    for (const JsonValue fabric : list(file, "fabrics")) read_fabric(reader_, draft_, fabric);
  }

  /// Kernel, then device or class, then dtype; a table replaces that of the template.
  void read_kernels(JsonValue value) { read_durations(value, spec().kernels); }
  void read_issue(JsonValue value) { read_durations(value, spec().issue); }

  void read_durations(JsonValue value, core::KernelTable& table) {
    for (const JsonValue kernel : members(value)) {
      for (const JsonValue device : members(kernel)) {
        for (const JsonValue dtype : members(device)) {
          auto& points = table[std::string(kernel.key_text())][std::string(device.key_text())]
                              [std::string(dtype.key_text())];
          points = read_points(dtype);
        }
      }
    }
  }

  /// As kernels, with parts of a device in the place of durations.
  void read_shares(JsonValue value) {
    for (const JsonValue kernel : members(value)) {
      for (const JsonValue device : members(kernel)) {
        for (const JsonValue dtype : members(device)) {
          auto& points =
              spec().shares[std::string(kernel.key_text())][std::string(device.key_text())]
                           [std::string(dtype.key_text())];
          points.clear();
          for (const JsonValue point : reader_.list(dtype, "a list of [size, share]")) {
            const std::vector<JsonValue> pair = reader_.list(point, "[size, share]");
            if (pair.size() != 2 && pair.size() != 3) {
              reader_.fault(point, "a point must be [size, share] or [size, share, share of two]");
              continue;
            }
            const auto size = reader_.integer(pair[0], 1);
            double shares[2] = {1.0, 0.0};
            for (std::size_t i = 1; i < pair.size(); ++i) {
              if (!pair[i].is_number()) {
                reader_.wrong_type(pair[i], "a number from 0 to 1");
              } else {
                shares[i - 1] = pair[i].number();
              }
            }
            if (pair.size() == 3 && shares[1] < shares[0]) {
              reader_.fault(pair[2], "the share of two must not be below that of all");
            }
            points.emplace_back(size.value_or(1), core::KernelShare(shares[0], shares[1]));
          }
        }
      }
    }
  }

 private:
  core::MachineSpec& spec() { return draft_.spec; }

  /// A name that check_values does not complain about where the file has none.
  std::string name_or_path(const FieldList& fields) {
    const auto value = fields["name"];
    const auto name = value ? reader_.name(*value) : std::nullopt;
    return name ? *name : "(" + document_.path(fields.object()) + ")";
  }

  std::vector<JsonValue> list(const FieldList& file, std::string_view key) {
    const auto value = file[key];
    return value ? reader_.list(*value, "a list") : std::vector<JsonValue>();
  }

  Duration duration(const FieldList& fields, std::string_view key) {
    const auto value = fields[key];
    return Duration(value ? reader_.integer(*value, 0, core::kLongestDuration.count()).value_or(0)
                          : 0);
  }

  // ---- spaces and devices ----

  Bytes bytes(JsonValue value) {
    if (!value.is_string()) return Bytes(reader_.integer(value, 1).value_or(1));
    const core::Result<Bytes> size = parse_bytes(value.text());
    if (size && *size > Bytes(0)) return *size;
    reader_.fault(value, size ? "a size must be at least 1 byte" : size.faults().front().what);
    return Bytes(1);
  }

  void read_space(JsonValue value) {
    const auto fields = reader_.fields(value, {"name", "bytes", "node", "host"}, {"name", "bytes"});
    core::MemorySpace space;
    space.capacity = Bytes(1);
    if (!fields) {
      space.name = "(" + document_.path(value) + ")";
      draft_.add(std::move(space));
      return;
    }
    space.name = name_or_path(*fields);
    if (const auto size = (*fields)["bytes"]) space.capacity = bytes(*size);
    if (const auto node = (*fields)["node"]) space.node = reader_.name(*node).value_or("");
    const auto host = (*fields)["host"];
    space.is_host = host ? reader_.boolean(*host).value_or(false) : space.name == "host";
    for (std::int64_t node = 0; node < size_.nodes; ++node) draft_.add(on_node(space, node));
  }

  /// Of a machine of several nodes: "host" is on the first, "host1" on the next, ...
  [[nodiscard]] core::MemorySpace on_node(core::MemorySpace space, std::int64_t node) const {
    if (size_.nodes > 1) space.node = node_name(node);
    if (node > 0) space.name += std::to_string(node);
    return space;
  }

  [[nodiscard]] std::string node_name(std::int64_t node) const {
    return size_.nodes > 1 ? "n" + std::to_string(node) : "";
  }

  void read_device(JsonValue value) {
    core::Device device;
    const auto fields =
        reader_.fields(value,
                       {"name", "class", "space", "node", "slots", "streams", "flops_per_s",
                        "bytes_per_s", "launch_ns", "saturation", "interference", "power"},
                       {"name", "class", "space"});
    device.name = fields ? name_or_path(*fields) : "(" + document_.path(value) + ")";
    device.device_class = device.name;
    if (fields) {
      const auto name = (*fields)["class"];
      if (name) device.device_class = reader_.name(*name).value_or(device.name);
      if (const auto space = (*fields)["space"]) device.space = space_named(*space);
      read_rates(*fields, device);
      check_node(*fields, device);
    }
    add_on_nodes(std::move(device));
  }

  /// Of a machine of several nodes: "cpu:0", "cpu:1", ..., each in its node's space.
  void add_on_nodes(core::Device device) {
    if (size_.nodes == 1 || device.space.is_none()) {
      spec().devices.push_back(std::move(device));
      return;
    }
    const std::string name = device.name, space = draft_.name_of(device.space);
    for (std::int64_t node = 0; node < size_.nodes; ++node) {
      device.name = name + ":" + std::to_string(node);
      device.space = find_part(draft_.spaces, space + (node > 0 ? std::to_string(node) : ""));
      spec().devices.push_back(device);
    }
  }

  void read_rates(const FieldList& fields, core::Device& device) {
    if (const auto slots = fields["slots"]) {
      device.slots = static_cast<std::int32_t>(reader_.integer(*slots, 1, 1 << 20).value_or(1));
    }
    if (const auto streams = fields["streams"]) {
      device.streams = static_cast<std::int32_t>(reader_.integer(*streams, 0, 1 << 10).value_or(0));
    }
    if (const auto saturation = fields["saturation"]) {
      device.saturation = reader_.positive(*saturation).value_or(0.0);
    }
    if (const auto rate = fields["bytes_per_s"]) {
      device.bytes_per_s = reader_.positive(*rate).value_or(0.0);
    }
    device.launch = duration(fields, "launch_ns");
    if (const auto interference = fields["interference"]) {
      device.interference = read_interference(reader_, *interference);
    }
    if (const auto power = fields["power"]) device.power = read_power(reader_, *power);
    const auto flops = fields["flops_per_s"];
    if (flops && !flops->is_object()) reader_.wrong_type(*flops, "an object of rates by dtype");
    if (!flops || !flops->is_object()) return;
    for (const JsonValue rate : *flops) {
      if (rate.key_text() == "meta") continue;
      device.flops_per_s[std::string(rate.key_text())] = reader_.positive(rate).value_or(1.0);
    }
  }

  /// A device is where its space is; saying so is allowed.
  void check_node(const FieldList& fields, const core::Device& device) {
    const auto node = fields["node"];
    const auto name = node ? reader_.text(*node) : std::nullopt;
    if (!name || !spec().spaces.contains(device.space)) return;
    const std::string& of_space = spec().spaces[device.space].node;
    if (*name == of_space) return;
    reader_.fault(*node, "\"" + *name + "\", but its space is of node \"" + of_space + "\"");
  }

  /// `count` alike devices on each of the nodes: spaces gpu0, gpu1, ..., devices gpu:0, gpu:1, ...
  void read_gpus(JsonValue value, std::vector<core::Device>& gpus) {
    const auto fields =
        reader_.fields(value,
                       {"count", "nodes", "bytes", "slots", "streams", "flops_per_s", "bytes_per_s",
                        "launch_ns", "saturation", "interference", "power"},
                       {"count", "bytes"});
    if (!fields) return;
    core::Device device;
    device.device_class = "gpu";
    read_rates(*fields, device);
    const auto size = (*fields)["bytes"];
    const Bytes capacity = size ? bytes(*size) : Bytes(1);
    const auto given = (*fields)["count"];
    auto count = given ? reader_.integer(*given, 1, kMostGpus).value_or(1) : 1;
    if (size_.gpus > 0) count = size_.gpus;
    std::vector<std::string> nodes;
    if (const auto names = (*fields)["nodes"]) {
      for (const JsonValue node : reader_.list(*names, "a list of nodes")) {
        if (const auto name = reader_.name(node)) nodes.push_back(*name);
      }
    } else {
      for (std::int64_t node = 0; node < size_.nodes; ++node) nodes.push_back(node_name(node));
    }
    for (const std::string& node : nodes) {
      for (std::int64_t i = 0; i < count; ++i) {
        const std::string number = std::to_string(draft_.gpus.size());
        draft_.gpus.push_back(draft_.add(core::MemorySpace{"gpu" + number, capacity, node, false}));
        device.name = "gpu:" + number;
        device.space = draft_.gpus.back();
        gpus.push_back(device);
      }
    }
  }

  // ---- links ----

  static int turn_of(JsonValue link) {
    return has_word(link, "type", "network") ? 2 : has_word(link, "type", "pcie") ? 1 : 0;
  }

  static bool has_word(JsonValue object, std::string_view key, std::string_view word) {
    const auto value = object.is_object() ? FieldList(object)[key] : std::nullopt;
    return value && value->is_string() && value->text() == word;
  }

  /// Remembers where the routes read since the last call come from.
  void note_routes(JsonValue value) { draft_.note_routes(reader_.path(value)); }

  core::SpaceId space_named(JsonValue value) {
    return read_part(reader_, value, "space", draft_.spaces);
  }

  void read_resource(JsonValue value) {
    const auto fields = reader_.fields(value, {"name", "bytes_per_s"}, {"name", "bytes_per_s"});
    core::Resource resource{"(" + document_.path(value) + ")", Bandwidth(1.0)};
    if (fields) resource.name = name_or_path(*fields);
    if (const auto rate = fields ? (*fields)["bytes_per_s"] : std::nullopt) {
      resource.capacity = Bandwidth(reader_.positive(*rate).value_or(1.0));
    }
    draft_.add(std::move(resource));
  }

  void read_engine(JsonValue value) {
    const auto fields = reader_.fields(value, {"name", "slots"}, {"name"});
    core::CopyEngine engine{"(" + document_.path(value) + ")", 1};
    if (fields) engine.name = name_or_path(*fields);
    if (const auto slots = fields ? (*fields)["slots"] : std::nullopt) {
      engine.slots = static_cast<std::int32_t>(reader_.integer(*slots, 1, 1 << 20).value_or(1));
    }
    draft_.add(std::move(engine));
  }

  void read_route(JsonValue value) {
    if (value.is_object() && FieldList(value).has("relay")) return read_relay(value);
    core::Route route;
    const auto fields = reader_.fields(
        value, with_pace_keys({"from", "to", "relay", "via", "engines", "kind"}), {"from", "to"});
    if (fields) {
      if (const auto from = (*fields)["from"]) route.from = space_named(*from);
      if (const auto to = (*fields)["to"]) route.to = space_named(*to);
      for (const JsonValue via : list(*fields, "via")) {
        route.via.push_back(read_via(reader_, draft_, via));
      }
      for (const JsonValue engine : list(*fields, "engines")) {
        route.engines.push_back(read_part(reader_, engine, "engine", draft_.engines));
      }
      if (const auto kind = (*fields)["kind"]) route.kind = reader_.text(*kind).value_or("");
      read_pace(reader_, *fields, route);
    }
    spec().routes.push_back(std::move(route));
  }

  void read_relay(JsonValue value) {
    const auto fields = reader_.fields(value, {"from", "to", "relay"}, {"from", "to"});
    if (!fields) return;
    core::MachineSpec::Relay relay;
    relay.where = document_.path(value);
    if (const auto from = (*fields)["from"]) relay.from = space_named(*from);
    if (const auto to = (*fields)["to"]) relay.to = space_named(*to);
    for (const JsonValue stop : list(*fields, "relay")) relay.through.push_back(space_named(stop));
    spec().relays.push_back(std::move(relay));
  }

  // ---- tables ----

  std::vector<JsonValue> members(JsonValue value) {
    std::vector<JsonValue> result;
    if (!value.is_object()) {
      reader_.wrong_type(value, "an object");
      return result;
    }
    for (const JsonValue member : value) {
      if (member.key_text() != "meta") result.push_back(member);
    }
    return result;
  }

  std::vector<std::pair<std::int64_t, Duration>> read_points(JsonValue value) {
    std::vector<std::pair<std::int64_t, Duration>> points;
    bool has_fault = false;
    for (const JsonValue point : reader_.list(value, "a list of [SIZE, NS]")) {
      const std::vector<JsonValue> parts = reader_.list(point, "[SIZE, NS]");
      if (parts.size() != 2) {
        if (point.is_list()) reader_.wrong_type(point, "[SIZE, NS]");
        has_fault = true;
        continue;
      }
      const auto size = reader_.integer(parts[0], 1);
      const auto ns = reader_.integer(parts[1], 0, core::kLongestDuration.count());
      has_fault |= !size || !ns;
      if (size && ns) points.emplace_back(*size, Duration(*ns));
    }
    if (points.empty() && has_fault) points.emplace_back(1, Duration(1));  // noted: not empty
    return points;
  }

  FieldReader& reader_;
  const JsonDocument& document_;
  MachineDraft& draft_;
  MachineSize size_;
};

}  // namespace

void read_machine_parts(FieldReader& reader, const JsonDocument& document, const FieldList& file,
                        MachineSize size, MachineDraft& draft) {
  PartsReader(reader, document, draft, size).read_parts(file);
}

void read_machine_costs(FieldReader& reader, const JsonDocument& document, const FieldList& file,
                        MachineDraft& draft) {
  PartsReader parts(reader, document, draft, {});
  if (const auto host = file["host"]) draft.spec.host = read_host_costs(reader, *host);
  if (const auto kernels = file["kernels"]) parts.read_kernels(*kernels);
  if (const auto shares = file["shares"]) parts.read_shares(*shares);
  if (const auto issue = file["issue"]) parts.read_issue(*issue);
}

}  // namespace parley::workloads
