#include "cli/report/summary.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cli/report/execution.h"
#include "cli/report/json_writer.h"
#include "cli/report/names.h"
#include "cli/report/run_report.h"
#include "cli/report/run_rows.h"

namespace parley::cli {
namespace {

void write_header(const RunResult& result, JsonWriter& json) {
  json.member("format", "parley-summary").member("version", 1);
  json.member("workload", result.program.name()).member("machine", result.machine.name());
  json.member("mode", result.execution == nullptr ? "sim" : "exec");
  if (result.execution != nullptr) json.member("backend", result.execution->backend);
  json.line_break().key("policies").begin_object();
  for (const auto& [kind, text] : policy_choice(result.options)) json.member(kind, text);
  json.end_object();
  json.key("window");
  if (result.options.window == 0) {
    json.value("unlimited");
  } else {
    json.value(result.options.window);
  }
  json.member("seed", result.options.seed);
  if (result.model.empty()) return;
  json.key("model").begin_object();
  for (const auto& [name, text] : result.model) json.member(name, text);
  json.end_object();
}

void write_traffic(const RunResult& result, JsonWriter& json) {
  json.line_break().key("bytes_copied").begin_object();
  for (const auto& [route, traffic] : traffic_by_route(result.machine, result.run)) {
    json.member(route_text(result.machine, route.first, route.second), traffic.bytes.count());
  }
  json.end_object();
  json.key("bytes_by_link").begin_object();
  for (const auto& [kind, traffic] : traffic_by_kind(result.machine, result.run)) {
    json.member(kind, traffic.bytes.count());
  }
  json.end_object();
}

void write_figures(const RunResult& result, JsonWriter& json) {
  const core::RunRecord& run = result.run;
  json.line_break().member("makespan_ns", run.makespan.ns());
  if (result.bounds) {
    json.key("bounds_ns").begin_object();
    json.member("critical_path", result.bounds->critical_path.count());
    json.member("work", result.bounds->work.count());
    json.member("transfer", result.bounds->transfer.count()).end_object();
  }
  if (run.deciding > core::Duration(0)) {
    json.member("deciding_ns", run.deciding.count()).member("commands", run.commands);
  }
  if (lists_commands(result)) write_traffic(result, json);
  json.line_break().member("copies", result.statistics.copies);
  json.member("prefetches", result.statistics.prefetches);
  json.member("evictions", result.statistics.evictions);
  json.member("written_back_bytes", result.statistics.written_back_bytes.count());
  json.member("early_write_backs", result.statistics.early_write_backs);
  json.member("refetches", result.statistics.refetches);
  json.member("refetched_bytes", result.statistics.refetched_bytes.count());
  json.member("compactions", result.statistics.compactions);
  json.line_break().key("peak_bytes").begin_object();
  for (std::size_t i = 0; i < run.peak_bytes.size(); ++i) {
    const core::SpaceId space(i);
    json.member(result.machine.space(space).name, run.peak_bytes[space].count());
  }
  json.end_object();
  if (lists_commands(result)) write_busy(result.machine, run, json);
}

void write_thrashing(const RunResult& result, JsonWriter& json) {
  constexpr std::size_t kMost = 100;
  json.line_break().key("thrashing").begin_array();
  for (std::size_t i = 0; i < std::min(kMost, result.thrashing.size()); ++i) {
    const core::Thrashing& one = result.thrashing[i];
    json.begin_array().value(result.program.region_text(one.region));
    json.value(result.machine.space(one.space).name).value(one.times).value(one.bytes.count());
    json.end_array();
  }
  json.end_array();
}

void write_route(const core::Machine& machine, const core::Route& route, JsonWriter& json) {
  json.line_break().begin_object();
  json.member("from", machine.space(route.from).name).member("to", machine.space(route.to).name);
  json.member("kind", route.kind.empty() ? "link" : route.kind);
  json.key("engines").begin_array();
  for (const core::CopyEngineId id : route.engines) {
    json.value(machine.spec().engines[id].name);
  }
  json.end_array().key("bytes_per_s");
  if (route.rate_cap.is_unlimited()) {
    json.raw("null");
  } else {
    json.value(route.rate_cap.bytes_per_s());
  }
  json.end_object();
}

/// What pictures need to lay out their lanes, in the machine's order.
void write_layout(const core::Machine& machine, const core::RunRecord& run, JsonWriter& json) {
  json.line_break().key("layout").begin_object().key("spaces").begin_array();
  for (const core::MemorySpace& space : machine.spec().spaces) {
    json.line_break().begin_object();
    json.member("name", space.name).member("bytes", space.capacity.count());
    json.member("host", space.is_host).end_object();
  }
  json.end_array().key("devices").begin_array();
  for (const core::Device& device : machine.spec().devices) {
    json.line_break().begin_object();
    json.member("name", device.name).member("class", device.device_class);
    json.member("space", machine.space(device.space).name);
    json.member("slots", device.slots).end_object();
  }
  json.end_array().key("routes").begin_array();
  std::set<core::RouteId> routes;
  for (std::size_t i = 0; i < machine.stated_route_count(); ++i) routes.emplace(i);
  for (const core::CopyRecord& copy : run.copies) {
    if (!copy.route.is_none()) routes.insert(copy.route);  // fabrics have one for every pair
  }
  for (const core::RouteId route : routes) write_route(machine, machine.route(route), json);
  json.end_array().end_object();
}

void write_overviews(const RunResult& result, JsonWriter& json) {
  constexpr std::int64_t kMostValues = 10000;
  json.line_break().key("overviews").begin_array();
  for (std::size_t i = 0; i < result.overviews.size(); ++i) {
    const core::Overview& overview = result.overviews[i];
    json.line_break().begin_object();
    if (!overview.after.is_none()) {
      json.member("after", result.program.task_name(overview.after));
    }
    json.member("array", result.program.array(overview.array).spec.name);
    json.member("text", shown_text(result, i));
    const exec::ShownValues* shown = shown_values(result, i);
    if (shown != nullptr) {
      const ArrayValues values = array_values(result.program, shown->array, shown->bytes);
      if (values.size() <= kMostValues) write_values(values, json.key("values"));
    }
    json.end_object();
  }
  json.end_array();
}

struct TimedState {
  core::Time at;
  const core::StateChange* change = nullptr;
};

/// A copy takes effect at its end, a task at its start. What another command causes (an eviction on
/// request) takes effect with the last change before it.
std::vector<TimedState> timed_states(const RunResult& result) {
  std::vector<std::pair<core::CommandId, core::Time>> effects;
  for (const core::TaskRecord& task : result.run.tasks)
    effects.emplace_back(task.command, task.start);
  for (const core::CopyRecord& copy : result.run.copies)
    effects.emplace_back(copy.command, copy.end);
  std::sort(effects.begin(), effects.end());
  std::vector<TimedState> states;
  core::Time last;
  for (const core::StateChange& change : result.states) {
    if (!change.cause.is_none()) {
      const auto effect =
          std::lower_bound(effects.begin(), effects.end(), std::pair(change.cause, core::Time()));
      if (effect != effects.end() && effect->first == change.cause) last = effect->second;
    }
    states.push_back({change.cause.is_none() ? core::Time() : last, &change});
  }
  std::stable_sort(states.begin(), states.end(),
                   [](const TimedState& a, const TimedState& b) { return a.at < b.at; });
  return states;
}

void write_states(const RunResult& result, JsonWriter& json) {
  json.line_break().key("states").begin_array();
  for (const auto& [at, change] : timed_states(result)) {
    json.line_break().begin_array();
    json.value(result.program.array(change->array).spec.name);
    json.value(result.machine.space(change->space).name).value(name_of(change->state));
    json.value(change->valid_share).value(at.ns()).end_array();
  }
  json.end_array();
}

void write_residency(const RunResult& result, JsonWriter& json) {
  json.line_break().key("residency").begin_array();
  for (const core::ResidencySample& sample : result.run.residency) {
    json.line_break().begin_array().value(result.machine.space(sample.space).name);
    json.value(sample.at.ns()).value(sample.bytes.count()).end_array();
  }
  json.end_array();
}

}  // namespace

std::vector<std::pair<const char*, double>> WallTimes::parts() const {
  std::vector<std::pair<const char*, double>> parts = {{"load", load_s}};
  if (setup_s) parts.emplace_back("setup", *setup_s);
  parts.emplace_back("run", run_s);
  if (verify_s) parts.emplace_back("verify", *verify_s);
  return parts;
}

void write_summary(const RunResult& result, const SummaryOptions& options, std::ostream& stream) {
  JsonWriter json(stream);
  json.begin_object();
  write_header(result, json);
  write_figures(result, json);
  if (!result.thrashing.empty()) write_thrashing(result, json);
  write_layout(result.machine, result.run, json);
  if (!options.is_brief) write_rows(result.program, result.machine, result.run, json);
  write_overviews(result, json);
  if (!result.states.empty()) write_states(result, json);
  if (options.with_residency) write_residency(result, json);
  if (result.execution != nullptr) write_execution(result, !options.is_brief, json);
  if (options.wall) {
    json.line_break().key("wall_s").begin_object();
    for (const auto& [name, seconds] : options.wall->parts()) json.member(name, seconds);
    json.end_object();
  }
  json.end_object();
  stream << '\n';
}

}  // namespace parley::cli
