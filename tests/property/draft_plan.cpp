#include "tests/property/draft_plan.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/engine/engine_state.h"
#include "core/policy/registry.h"
#include "tests/support/chooser.h"

namespace parley::test {
namespace {

using core::Plan;
using core::Program;
using core::TaskId;

/// The program's tasks in a random order in which each comes after its dependencies.
std::vector<TaskId> random_order(const Program& program, Random& random) {
  std::vector<TaskId> order, open;
  std::vector<char> is_placed(program.task_count(), 0);
  for (std::size_t t = 0; t < program.task_count(); ++t) open.emplace_back(t);
  while (!open.empty()) {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const auto on = program.dependencies(open[i]);
      const bool is_ready = std::all_of(
          on.begin(), on.end(), [&](TaskId before) { return is_placed[before.index()] != 0; });
      if (is_ready) ready.push_back(i);
    }
    const std::size_t next = ready[random.below(ready.size())];
    is_placed[open[next].index()] = 1;
    order.push_back(open[next]);
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return order;
}

/// Copies and evictions of random regions, in order of positions.
void draw_copies(const Program& program, const core::Machine& machine, Random& random, Plan& plan) {
  plan.has_copies = true;
  const auto space = [&] { return core::SpaceId(random.below(machine.space_count())); };
  for (std::uint32_t position = 0; position <= plan.tasks.size(); ++position) {
    for (std::size_t i = random.below(4); i > 0; --i) {
      const core::RegionId region(random.below(program.region_count()));
      const TaskId task =
          plan.tasks.empty() ? TaskId(0) : plan.tasks[random.below(plan.tasks.size())].task;
      // Contents must be there, or a prefetch asks for what nobody wrote: the engine ignores that.
      plan.prefetches.push_back({position, region, space(), task});
      plan.copies.push_back({position, region, {program.region(region).box}, space(), space()});
      plan.evictions.push_back({position, region, space()});
    }
  }
}

}  // namespace

bool needs_plan(const core::EngineOptions& options) {
  const core::PolicyRegistry registry;
  const std::pair<core::PolicyKind, const std::string&> chosen[] = {
      {core::PolicyKind::kMapper, options.mapper},
      {core::PolicyKind::kOrder, options.order},
      {core::PolicyKind::kPrefetcher, options.prefetch},
      {core::PolicyKind::kEvictor, options.evict},
      {core::PolicyKind::kSource, options.source}};
  return std::any_of(std::begin(chosen), std::end(chosen), [&](const auto& one) {
    const core::PolicyInfo* info = registry.info(one.first, one.second);
    return info != nullptr && info->plan_use != core::PlanUse::kNone;
  });
}

core::EngineOptions planned_options(const ProblemDraft& draft, const Problem& problem) {
  core::EngineOptions options = draft.options;
  options.program_grows = problem.is_growing();
  if (!needs_plan(options)) return options;
  // Which places fit, an engine knows. One that refuses the problem will do so again.
  const auto engine = core::Engine::create(problem.program(), problem.machine(), {});
  if (!engine) return {};
  Random random(options.seed * 77 + draft.permutation);
  auto plan = std::make_shared<Plan>();
  for (const TaskId task : random_order(problem.program(), random)) {
    if (problem.program().task(task).kind == core::TaskKind::kEvict) continue;
    const auto candidates = (*engine)->state().view.candidates(task);
    plan->tasks.push_back({task, candidates[random.below(candidates.size())].devices, {}});
  }
  if (problem.program().region_count() > 0) {
    draw_copies(problem.program(), problem.machine(), random, *plan);
  }
  options.plan = std::move(plan);
  return options;
}

}  // namespace parley::test
