#include "cli/report/run_result.h"

namespace parley::cli {

PolicyChoice policy_choice(const core::EngineOptions& options) {
  const std::pair<core::PolicyKind, const std::string&> chosen[] = {
      {core::PolicyKind::kMapper, options.mapper},
      {core::PolicyKind::kOrder, options.order},
      {core::PolicyKind::kPrefetcher, options.prefetch},
      {core::PolicyKind::kEvictor, options.evict},
      {core::PolicyKind::kSource, options.source}};
  PolicyChoice choice;
  for (const auto& [kind, text] : chosen) {
    choice.emplace_back(core::name_of(kind),
                        text.empty() ? core::PolicyRegistry::default_name(kind) : text);
  }
  return choice;
}

RunResult run_result(const core::Program& program, const core::Machine& machine,
                     const core::EngineOptions& options, const sim::SimResult& simulation) {
  return {program,
          machine,
          options,
          simulation.run,
          simulation.bounds,
          simulation.engine->statistics(),
          simulation.engine->overviews(),
          simulation.engine->state_changes(),
          nullptr,
          simulation.engine->thrashing()};
}

RunResult run_result(const core::Program& program, const core::Machine& machine,
                     const core::EngineOptions& options, const exec::ExecResult& executed,
                     const Execution& execution, std::optional<sim::Bounds> bounds) {
  return {program,
          machine,
          options,
          executed.run,
          bounds,
          executed.engine->statistics(),
          executed.engine->overviews(),
          executed.engine->state_changes(),
          &execution,
          executed.engine->thrashing()};
}

bool lists_commands(const RunResult& result) {
  const bool has_none = result.run.tasks.empty() && result.run.copies.empty();
  return !has_none || (result.statistics.tasks_finished == 0 && result.statistics.copies == 0);
}

std::vector<std::pair<std::pair<core::SpaceId, core::SpaceId>, Traffic>> traffic_by_route(
    const core::Machine& machine, const core::RunRecord& run) {
  const std::size_t spaces = machine.space_count();
  std::vector<Traffic> matrix(spaces * spaces);
  for (const core::CopyRecord& copy : run.copies) {
    Traffic& cell = matrix[copy.from.index() * spaces + copy.to.index()];
    cell.bytes += copy.bytes;
    ++cell.copies;
  }
  std::vector<std::pair<std::pair<core::SpaceId, core::SpaceId>, Traffic>> routes;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    if (matrix[i].copies == 0) continue;
    routes.push_back({{core::SpaceId(i / spaces), core::SpaceId(i % spaces)}, matrix[i]});
  }
  return routes;
}

std::map<std::string, Traffic> traffic_by_kind(const core::Machine& machine,
                                               const core::RunRecord& run) {
  std::map<std::string, Traffic> kinds;
  for (const core::CopyRecord& copy : run.copies) {
    const std::string& kind = copy.route.is_none() ? "" : machine.route(copy.route).kind;
    Traffic& traffic = kinds[kind.empty() ? "link" : kind];
    traffic.bytes += copy.bytes;
    ++traffic.copies;
  }
  return kinds;
}

double busy_share(const core::RunRecord& run, core::DeviceId device) {
  if (run.makespan.ns() == 0 || !run.busy.contains(device)) return 0.0;
  return static_cast<double>(run.busy[device].count()) / static_cast<double>(run.makespan.ns());
}

double above_bound(core::Time makespan, const sim::Bounds& bounds) {
  const std::int64_t bound = bounds.best().count();
  if (bound <= 0) return 0.0;
  return static_cast<double>(makespan.ns()) / static_cast<double>(bound) - 1.0;
}

}  // namespace parley::cli
