#include "workloads/formats/host_reader.h"

namespace parley::workloads {
namespace {

core::Submitters read_submitters(FieldReader& reader, JsonValue value) {
  const auto name = reader.text(value);
  if (!name || *name == "one") return core::Submitters::kOne;
  if (*name != "per_gpu") reader.unknown(value, "kind of submitters", *name, {"one", "per_gpu"});
  return core::Submitters::kPerGpu;
}

}  // namespace

core::HostCosts read_host_costs(FieldReader& reader, JsonValue value) {
  const auto fields = reader.fields(
      value, {"issue_copy_ns", "issue_part_ns", "issue_joined_ns", "issue_launch_ns", "round_trip_ns", "decide_ns", "decide_command_ns",
              "poll_ns", "turn_ns", "event_ns", "handoff_ns", "pin_ns_per_mib", "submitters",
              "crowding", "copy_streams", "inline_copy_bytes"});
  if (!fields) return {};
  const auto duration = [&](std::string_view key) {
    const auto given = (*fields)[key];
    if (!given) return core::Duration(0);
    return core::Duration(reader.integer(*given, 0, core::kLongestDuration.count()).value_or(0));
  };
  core::HostCosts host;
  host.issue_copy = duration("issue_copy_ns");
  host.issue_launch = duration("issue_launch_ns");
  host.issue_part = duration("issue_part_ns");
  host.issue_joined = duration("issue_joined_ns");
  host.round_trip = duration("round_trip_ns");
  host.decide = duration("decide_ns");
  host.decide_command = duration("decide_command_ns");
  host.poll = duration("poll_ns");
  host.turn = duration("turn_ns");
  host.event = duration("event_ns");
  host.handoff = duration("handoff_ns");
  host.pin_ns_per_mib = duration("pin_ns_per_mib").count();
  if (const auto who = (*fields)["submitters"]) host.submitters = read_submitters(reader, *who);
  if (const auto crowding = (*fields)["crowding"]) {
    host.crowding = reader.share(*crowding).value_or(0.0);
  }
  if (const auto streams = (*fields)["copy_streams"]) {
    host.copy_streams = static_cast<std::int32_t>(reader.integer(*streams, 0, 1 << 10).value_or(0));
  }
  if (const auto bytes = (*fields)["inline_copy_bytes"]) {
    host.inline_copy = core::Bytes(reader.integer(*bytes, 0, std::int64_t{1} << 60U).value_or(0));
  }
  return host;
}

}  // namespace parley::workloads
