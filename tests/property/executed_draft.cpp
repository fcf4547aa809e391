#include "tests/property/executed_draft.h"

#include <chrono>
#include <optional>
#include <string>

#include "tests/support/chooser.h"

namespace parley::test {

ProblemDraft executable(ProblemDraft draft) {
  draft.is_growing = draft.has_failure = false;
  draft.portions.clear();
  return draft;
}

namespace {

/// "gpu:5" where there are two is "gpu:1".
std::string fitted_name(const std::string& name, const std::string& prefix, std::size_t gpus) {
  if (name.size() <= prefix.size() || !name.starts_with(prefix)) return name;
  return prefix + std::to_string(std::stoull(name.substr(prefix.size())) % gpus);
}

void fit(PlacementDraft& placement, std::size_t gpus) {
  for (std::string& member : placement.members) member = fitted_name(member, "gpu:", gpus);
  if (placement.members.size() != 2 || gpus > 1) return;
  placement.members = {"cpu", "gpu"};  // the members of a group are different devices
}

}  // namespace

ProblemDraft fitted(ProblemDraft draft, std::size_t gpus) {
  draft.nodes = 1;
  for (std::size_t gpu = draft.gpus.size(); gpu < gpus; ++gpu) {
    draft.gpus.push_back(draft.gpus.front());
  }
  draft.gpus.resize(gpus);
  for (GpuDraft& gpu : draft.gpus) gpu.node = 0;
  for (ArrayDraft& array : draft.arrays) {
    for (std::size_t& home : array.homes) home %= gpus;
  }
  for (TaskDraft& task : draft.tasks) {
    for (PlacementDraft& placement : task.placement) fit(placement, gpus);
    task.evict_space = fitted_name(task.evict_space, "gpu", gpus);
  }
  return draft;
}

// ---- disturbances ----

namespace {

using Clock = std::chrono::steady_clock;

void spin(std::chrono::nanoseconds duration) {
  const auto end = Clock::now() + duration;
  while (Clock::now() < end) {
  }
}

}  // namespace

exec::FaultInjector disturbance(std::uint64_t seed, const ProblemDraft& draft, bool is_failing) {
  Random random(seed);
  const std::size_t victim = random.below(3 * draft.tasks.size() + 1);
  const bool stays_broken = random.chance(25);
  return [=](const exec::CommandSite& site) -> std::optional<std::string> {
    Random of_command(seed ^ (0x9e3779b97f4a7c15U * (site.id.index() + 1)));
    if (of_command.chance(30)) spin(std::chrono::nanoseconds(of_command.below(40'000)));
    if (!is_failing) return std::nullopt;
    if (site.id.index() == victim) return "deliberate fault";
    // Whatever has an odd number then breaks too: failures at a time, on several devices.
    const bool is_broken = stays_broken && site.id.index() > victim && site.id.index() % 2 == 1;
    return is_broken ? std::optional<std::string>("deliberate fault that stays") : std::nullopt;
  };
}

}  // namespace parley::test
