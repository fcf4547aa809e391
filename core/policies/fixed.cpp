// Every task where the plan says: one policy's decisions under another machine, order or memory, or
// a schedule that was made elsewhere.
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Fixed final : public Mapper {
 public:
  explicit Fixed(const PolicyParameters&) {}

  MapChoice choose(const View& view, TaskId task) override {
    MapChoice choice;
    choice.candidate = view.planned_candidate(task);
    return choice;
  }

  [[nodiscard]] std::string reason(const View& view, TaskId task) const override {
    return "number " + std::to_string(view.planned_rank(task) + 1) + " of " +
           std::to_string(view.plan().tasks.size()) + " in the plan, which has it there";
  }
};

}  // namespace

PARLEY_POLICY(fixed, Mapper, Fixed,
              {"Each task goes where the plan (--plan) has it.",
               "static placement of Estee (Beranek, Bohm, Cima 2022); schedules of other programs",
               {},
               PlanUse::kTasks})

}  // namespace parley::core
