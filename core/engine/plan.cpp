// A plan against the program and machine that are to follow it: each task once, on devices where it
// may run, after all that it depends on.
#include <algorithm>
#include <string>

#include "core/base/check.h"
#include "core/engine/engine_state.h"

namespace parley::core {
namespace {

constexpr std::uint32_t kNoRank = PlannedPlace().rank;

std::string quoted(const EngineState& state, TaskId task) {
  return "\"" + std::string(state.program.task_name(task)) + "\"";
}

std::string devices_text(const Machine& machine, std::span<const DeviceId> devices) {
  std::string text;
  for (const DeviceId device : devices) {
    text += (text.empty() ? "" : "+") + machine.device(device).name;
  }
  return text.empty() ? "no device" : text;
}

/// The devices of candidates, each way once, at most a dozen.
std::string allowed_text(const EngineState& state, std::span<const Candidate> candidates) {
  constexpr std::size_t kMost = 12;
  std::vector<std::string> texts;
  for (const Candidate& candidate : candidates) {
    std::string text = devices_text(state.machine, candidate.devices);
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) {
      texts.push_back(std::move(text));
    }
  }
  std::string joined;
  for (std::size_t i = 0; i < std::min(texts.size(), kMost); ++i) {
    joined += (i == 0 ? "" : ", ") + texts[i];
  }
  return texts.size() > kMost ? joined + ", ..." : joined;
}

/// Files the task's place. Nothing: it is there.
std::optional<Fault> place(EngineState& state, const PlannedTask& planned, std::uint32_t rank) {
  PlannedPlace& filed = state.planned[planned.task];
  const std::string where = "task " + quoted(state, planned.task);
  if (state.program.task(planned.task).kind == TaskKind::kEvict) {
    return Fault{where,
                 "is an eviction, which takes place when its dependencies allow; leave it "
                 "out of the plan"};
  }
  if (filed.rank != kNoRank) return Fault{where, "is in the plan twice"};
  filed.rank = rank;
  const auto& candidates = state.classes[state.tasks[planned.task].task_class].candidates;
  const auto fits = [&](const Candidate& candidate) {
    return candidate.devices == planned.devices &&
           (!planned.alternative || candidate.alternative == *planned.alternative);
  };
  const auto found = std::find_if(candidates.begin(), candidates.end(), fits);
  if (found == candidates.end()) {
    return Fault{
        where, "the plan has it on " + devices_text(state.machine, planned.devices) +
                   (planned.alternative ? " by alternative " + std::to_string(*planned.alternative)
                                        : std::string()) +
                   ", where it may not run; allowed: " + allowed_text(state, candidates)};
  }
  filed.candidate = static_cast<std::uint16_t>(found - candidates.begin());
  return std::nullopt;
}

/// Tasks that are not in the plan: the first few and how many.
void check_complete(const EngineState& state, Faults& faults) {
  constexpr std::size_t kMost = 3;
  std::size_t missing = 0;
  std::string names;
  for (std::size_t t = 0; t < state.program.task_count(); ++t) {
    const TaskId task(t);
    if (state.program.task(task).kind == TaskKind::kEvict) continue;
    if (state.planned[task].rank != kNoRank) continue;
    if (++missing <= kMost) names += (names.empty() ? "" : ", ") + quoted(state, task);
  }
  if (missing == 0) return;
  faults.push_back({"plan", "lacks " + std::to_string(missing) +
                                (missing == 1 ? " task: " : " tasks: ") + names +
                                (missing > kMost ? ", ..." : "")});
}

/// Dependencies that the plan's order would keep waiting for ever. Evictions on request have no
/// place; what they wait for must come before what waits for them.
void check_order(const EngineState& state, Faults& faults) {
  constexpr std::size_t kMost = 10;
  // The last of a task's planned ancestors through evictions alone, by eviction.
  IdVector<TaskId, TaskId> last_before(state.program.task_count());
  const auto rank = [&](TaskId task) {
    return task.is_none() ? std::int64_t{-1} : std::int64_t{state.planned[task].rank};
  };
  for (std::size_t t = 0; t < state.program.task_count(); ++t) {
    const TaskId task(t);
    TaskId last;
    for (const TaskId on : state.program.dependencies(task)) {
      const bool is_eviction = state.program.task(on).kind == TaskKind::kEvict;
      const TaskId before = is_eviction ? last_before[on] : on;
      if (rank(before) > rank(last)) last = before;
    }
    last_before[task] = last;
    if (state.program.task(task).kind == TaskKind::kEvict || rank(last) < rank(task)) continue;
    if (faults.size() == kMost) return;
    faults.push_back({"task " + quoted(state, task),
                      "comes in the plan before " + quoted(state, last) + ", which it depends on"});
  }
}

}  // namespace

Faults set_up_plan(EngineState& state) {
  if (state.options.plan == nullptr) return {};
  constexpr std::size_t kMostFaults = 100;
  Faults faults;
  state.planned.resize(state.program.task_count());
  std::uint32_t rank = 0;
  for (const PlannedTask& planned : state.options.plan->tasks) {
    PARLEY_CHECK(planned.task.index() < state.program.task_count(),
                 "a plan names a task beyond the program's last");
    if (auto fault = place(state, planned, rank++); fault && faults.size() < kMostFaults) {
      faults.push_back(std::move(*fault));
    }
  }
  check_complete(state, faults);
  if (faults.empty()) check_order(state, faults);
  const std::string& planned = state.options.plan->workload;
  if (!faults.empty() && !planned.empty() && planned != state.program.name()) {
    faults.insert(faults.begin(), {"plan", "is of a run of workload \"" + planned +
                                               "\"; this one is \"" + state.program.name() + "\""});
  }
  return faults;
}

Faults check_plan_covers(const EngineState& state, TaskId first, TaskId end) {
  Faults faults;
  if (state.options.plan == nullptr) return faults;
  for (std::size_t t = std::max(first.index(), state.planned.size()); t < end.index(); ++t) {
    if (state.program.task(TaskId(t)).kind == TaskKind::kEvict) continue;
    faults.push_back({"task " + quoted(state, TaskId(t)),
                      "came after the run had begun, and is not in its plan"});
  }
  return faults;
}

}  // namespace parley::core
