#include "workloads/formats/link_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace parley::workloads {

using core::Bandwidth;
using core::CopyEngineId;
using core::ResourceId;
using core::Route;
using core::SpaceId;

/// The rate that a route approaches: its cap, or the last slope of its curve. 0 when neither is.
double asymptotic_rate(const Route& route) {
  if (route.curve.size() < 2) return route.rate_cap.bytes_per_s();
  const auto& [low_bytes, low_ns] = route.curve[route.curve.size() - 2];
  const auto& [high_bytes, high_ns] = route.curve.back();
  if (high_ns <= low_ns) return 0.0;
  return static_cast<double>(high_bytes - low_bytes) * 1e9 / static_cast<double>(high_ns - low_ns);
}

std::optional<FieldList> LinkReader::fields(std::vector<std::string> keys,
                                            std::initializer_list<std::string_view> required) {
  keys.insert(keys.end(), {"type", "kind"});
  std::optional<FieldList> fields = reader_.fields(link_, keys, required);
  if (const auto kind = fields ? (*fields)["kind"] : std::nullopt) {
    kind_ = reader_.name(*kind).value_or(kind_);
  }
  return fields;
}

SpaceId LinkReader::space(JsonValue value) {
  const std::optional<std::string> name = reader_.name(value);
  if (!name) return SpaceId::none();
  const SpaceId id = find_part(draft_.spaces, *name);
  if (id.is_none()) reader_.unknown(value, "space", *name, names_of(draft_.spaces));
  return id;
}

std::vector<SpaceId> LinkReader::spaces(const FieldList& fields) {
  const std::optional<JsonValue> value = fields["spaces"];
  if (!value) return {};
  if (value->is_string() && value->text() == "gpus") {
    if (draft_.gpus.empty()) reader_.fault(*value, "the file has no \"gpus\"");
    return draft_.gpus;
  }
  if (value->is_string() && value->text() == "hosts") {
    std::vector<SpaceId> hosts;
    for (std::size_t s = 0; s < draft_.spec.spaces.size(); ++s) {
      if (draft_.spec.spaces[SpaceId(s)].is_host) hosts.emplace_back(s);
    }
    return hosts;
  }
  std::vector<SpaceId> ids;
  for (const JsonValue element : reader_.list(*value, "\"gpus\", \"hosts\" or a list of spaces")) {
    const SpaceId id = space(element);
    if (id.is_none()) continue;
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) {
      reader_.fault(element, "\"" + draft_.name_of(id) + "\" is named twice");
    } else {
      ids.push_back(id);
    }
  }
  return ids;
}

std::optional<double> LinkReader::rate(const FieldList& fields, std::string_view key) {
  const std::optional<JsonValue> value = fields[key];
  return value ? reader_.positive(*value) : std::nullopt;
}

Route LinkReader::pace(const FieldList& fields) {
  Route route;
  route.kind = kind_;
  read_pace(reader_, fields, route);
  if (asymptotic_rate(route) <= 0.0) {
    reader_.fault(fields.object(),
                  "a link needs a rate: \"bytes_per_s\", or a \"curve\" that rises");
  }
  return route;
}

std::optional<Route> LinkReader::pace_of(const FieldList& fields, std::string_view key) {
  const std::optional<JsonValue> value = fields[key];
  if (!value) return std::nullopt;
  const std::optional<FieldList> own = reader_.fields(*value, with_pace_keys({}));
  if (!own) return std::nullopt;
  return pace(*own);
}

SpaceId LinkReader::host_of(SpaceId space) const {
  const auto& spaces = draft_.spec.spaces;
  for (std::size_t s = 0; s < spaces.size(); ++s) {
    const core::MemorySpace& host = spaces[SpaceId(s)];
    if (host.is_host && host.node == spaces[space].node) return SpaceId(s);
  }
  return SpaceId::none();
}

std::vector<SpaceId> LinkReader::devices_of(SpaceId host) const {
  const auto& spaces = draft_.spec.spaces;
  std::vector<SpaceId> devices;
  for (std::size_t s = 0; s < spaces.size(); ++s) {
    if (SpaceId(s) != host && spaces[SpaceId(s)].node == spaces[host].node) devices.emplace_back(s);
  }
  return devices;
}

std::string LinkReader::unused_fabric_name(const std::string& name) const {
  const auto is_used = [&](const std::string& wanted) {
    return std::any_of(draft_.spec.fabrics.begin(), draft_.spec.fabrics.end(),
                       [&](const core::Fabric& fabric) { return fabric.name == wanted; });
  };
  std::string unused = name;
  for (int number = 2; is_used(unused); ++number) unused = name + std::to_string(number);
  return unused;
}

/// The number as it is shortest.
static std::string shortest(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end.ptr};
}

ResourceId LinkReader::resource(const std::string& name, double bytes_per_s) {
  const ResourceId known = find_part(draft_.resources, name);
  if (known.is_none()) return draft_.add(core::Resource{name, Bandwidth(bytes_per_s)});
  const double before = draft_.spec.resources[known].capacity.bytes_per_s();
  if (before != bytes_per_s && !has_told_of_figures_) {
    has_told_of_figures_ = true;
    reader_.fault(link_, "gives resource \"" + name + "\" " + shortest(bytes_per_s) +
                             " bytes/s, and it has " + shortest(before) +
                             " already; a resource has one figure");
  }
  return known;
}

bool LinkReader::has_resource(const std::string& name) const {
  return !find_part(draft_.resources, name).is_none();
}

bool LinkReader::is_overlap(SpaceId from, SpaceId to) const {
  return std::ranges::any_of(
      draft_.spec.routes, [&](const Route& route) { return route.from == from && route.to == to; });
}

CopyEngineId LinkReader::engine(const std::string& name) {
  const CopyEngineId known = find_part(draft_.engines, name);
  return known.is_none() ? draft_.add(core::CopyEngine{name, 1}) : known;
}

void LinkReader::add_route(Route pace, SpaceId from, SpaceId to, std::vector<core::Via> via,
                           std::vector<CopyEngineId> engines) {
  pace.from = from;
  pace.to = to;
  pace.via = std::move(via);
  pace.engines = std::move(engines);
  draft_.spec.routes.push_back(std::move(pace));
}

std::vector<std::string> with_pace_keys(std::vector<std::string> keys) {
  keys.insert(keys.end(), {"latency_ns", "bytes_per_s", "curve", "share", "gives_way", "issue_ns"});
  return keys;
}

void read_pace(FieldReader& reader, const FieldList& fields, Route& route) {
  if (const auto latency = fields["latency_ns"]) {
    route.latency =
        core::Duration(reader.integer(*latency, 0, core::kLongestDuration.count()).value_or(0));
  }
  const auto rate = fields["bytes_per_s"];
  if (rate && rate->kind() != JsonKind::kNull) {
    route.rate_cap = Bandwidth(reader.positive(*rate).value_or(1.0));
  }
  if (const auto share = fields["share"]) {
    const std::optional<std::string> word = reader.text(*share);
    if (word && *word == "pair") {
      route.share = core::ShareMode::kPair;
    } else if (word && *word != "flow") {
      reader.unknown(*share, "share", *word, {"flow", "pair"});
    }
  }
  if (const auto gives_way = fields["gives_way"]) {
    route.gives_way = reader.share(*gives_way).value_or(0.0);
  }
  if (const auto issue = fields["issue_ns"]) {
    route.issue =
        core::Duration(reader.integer(*issue, 0, core::kLongestDuration.count()).value_or(0));
  }
  const auto curve = fields["curve"];
  if (!curve) return;
  bool has_faults = false;
  for (const JsonValue point : reader.list(*curve, "a list of [BYTES, NS]")) {
    const std::vector<JsonValue> parts = reader.list(point, "[BYTES, NS]");
    if (parts.size() != 2) {
      if (point.is_list()) reader.wrong_type(point, "[BYTES, NS]");
      has_faults = true;
      continue;
    }
    const auto bytes = reader.integer(parts[0], 0);
    const auto ns = reader.integer(parts[1], 0, core::kLongestDuration.count());
    if (bytes && ns) route.curve.emplace_back(*bytes, *ns);
    has_faults |= !bytes || !ns;
  }
  // Noted: nothing is said of what is missing then.
  if (has_faults && route.curve.size() < 2) route.curve = {{0, 0}, {1, 1}};
}

}  // namespace parley::workloads
