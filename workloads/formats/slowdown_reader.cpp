#include "workloads/formats/slowdown_reader.h"

namespace parley::workloads {

core::Interference read_interference(FieldReader& reader, JsonValue value) {
  core::Interference interference{1.0, 1.0};  // of what is missing, noted
  const auto fields =
      reader.fields(value, {"bytes_per_s", "slowdown"}, {"bytes_per_s", "slowdown"});
  if (!fields) return interference;
  if (const auto rate = (*fields)["bytes_per_s"]) {
    interference.bytes_per_s = reader.positive(*rate).value_or(1.0);
  }
  if (const auto slowdown = (*fields)["slowdown"]) {
    interference.slowdown = reader.positive(*slowdown).value_or(1.0);
  }
  return interference;
}

core::PowerCap read_power(FieldReader& reader, JsonValue value) {
  core::PowerCap power;
  const auto fields = reader.fields(value, {"burst_ns", "sustained"}, {"burst_ns", "sustained"});
  if (!fields) return power;
  if (const auto burst = (*fields)["burst_ns"]) {
    power.burst =
        core::Duration(reader.integer(*burst, 0, core::kLongestDuration.count()).value_or(0));
  }
  if (const auto sustained = (*fields)["sustained"]) {
    power.sustained = reader.positive(*sustained).value_or(1.0);
  }
  return power;
}

}  // namespace parley::workloads
