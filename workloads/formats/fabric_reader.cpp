#include "workloads/formats/fabric_reader.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace parley::workloads {
namespace {

using core::Bandwidth;
using core::Duration;
using core::Fabric;

class FabricReader {
 public:
  FabricReader(FieldReader& reader, MachineDraft& draft) : reader_(reader), draft_(draft) {}

  void read(JsonValue value) {
    const auto fields = reader_.fields(
        value, {"name", "kind", "latency_ns", "bytes_per_s", "via", "levels", "members"},
        {"name", "members"});
    if (!fields) return;
    Fabric fabric;
    if (const auto name = (*fields)["name"]) fabric.name = reader_.name(*name).value_or("");
    if (const auto kind = (*fields)["kind"]) fabric.kind = reader_.text(*kind).value_or("");
    fabric.latency = duration(*fields, "latency_ns");
    fabric.rate_cap = rate(*fields, "bytes_per_s");
    fabric.via = via_list(*fields, "via");
    for (const JsonValue level : list(*fields, "levels"))
      fabric.levels.push_back(read_level(level));
    for (const JsonValue member : list(*fields, "members")) {
      fabric.members.push_back(read_member(member));
    }
    draft_.spec.fabrics.push_back(std::move(fabric));
  }

 private:
  Fabric::Level read_level(JsonValue value) {
    Fabric::Level level;
    const auto fields = reader_.fields(value, {"latency_ns", "groups"}, {"groups"});
    if (!fields) return level;
    level.latency = duration(*fields, "latency_ns");
    for (const JsonValue group : list(*fields, "groups")) {
      const std::vector<JsonValue> parts = reader_.list(group, "[UP, DOWN], two resources");
      if (parts.size() == 2) {
        level.groups.push_back({read_part(reader_, parts[0], "resource", draft_.resources),
                                read_part(reader_, parts[1], "resource", draft_.resources)});
      } else if (group.is_list()) {
        reader_.wrong_type(group, "[UP, DOWN], two resources");
      }
    }
    return level;
  }

  Fabric::Member read_member(JsonValue value) {
    Fabric::Member member;
    const auto fields =
        reader_.fields(value,
                       {"space", "out", "in", "engines_out", "engines_in", "latency_out_ns",
                        "latency_in_ns", "out_bytes_per_s", "in_bytes_per_s", "groups"},
                       {"space"});
    if (!fields) return member;
    if (const auto space = (*fields)["space"]) {
      member.space = read_part(reader_, *space, "space", draft_.spaces);
    }
    member.out = via_list(*fields, "out");
    member.in = via_list(*fields, "in");
    member.engines_out = engines(*fields, "engines_out");
    member.engines_in = engines(*fields, "engines_in");
    member.latency_out = duration(*fields, "latency_out_ns");
    member.latency_in = duration(*fields, "latency_in_ns");
    member.rate_out = rate(*fields, "out_bytes_per_s");
    member.rate_in = rate(*fields, "in_bytes_per_s");
    for (const JsonValue group : list(*fields, "groups")) {
      const auto number = reader_.integer(group, 0, UINT32_MAX);
      member.groups.push_back(static_cast<std::uint32_t>(number.value_or(0)));
    }
    return member;
  }

  std::vector<JsonValue> list(const FieldList& fields, std::string_view key) {
    const auto value = fields[key];
    return value ? reader_.list(*value, "a list") : std::vector<JsonValue>();
  }

  std::vector<core::Via> via_list(const FieldList& fields, std::string_view key) {
    std::vector<core::Via> via;
    for (const JsonValue part : list(fields, key)) via.push_back(read_via(reader_, draft_, part));
    return via;
  }

  std::vector<core::CopyEngineId> engines(const FieldList& fields, std::string_view key) {
    std::vector<core::CopyEngineId> ids;
    for (const JsonValue name : list(fields, key)) {
      ids.push_back(read_part(reader_, name, "engine", draft_.engines));
    }
    return ids;
  }

  Duration duration(const FieldList& fields, std::string_view key) {
    const auto value = fields[key];
    if (!value) return Duration(0);
    return Duration(reader_.integer(*value, 0, core::kLongestDuration.count()).value_or(0));
  }

  Bandwidth rate(const FieldList& fields, std::string_view key) {
    const auto value = fields[key];
    if (!value || value->kind() == JsonKind::kNull) return {};
    return Bandwidth(reader_.positive(*value).value_or(1.0));
  }

  FieldReader& reader_;
  MachineDraft& draft_;
};

}  // namespace

void read_fabric(FieldReader& reader, MachineDraft& draft, JsonValue value) {
  FabricReader(reader, draft).read(value);
}

core::Via read_via(FieldReader& reader, const MachineDraft& draft, JsonValue value) {
  core::Via via;
  if (value.is_string()) {
    via.resource = read_part(reader, value, "resource", draft.resources);
    return via;
  }
  const auto fields = reader.fields(value, {"resource", "weight"}, {"resource"});
  if (!fields) return via;
  if (const auto name = (*fields)["resource"]) {
    via.resource = read_part(reader, *name, "resource", draft.resources);
  }
  if (const auto weight = (*fields)["weight"]) via.weight = reader.positive(*weight).value_or(1.0);
  return via;
}

}  // namespace parley::workloads
