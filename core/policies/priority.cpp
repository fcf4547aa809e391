// Tasks by the priority that the workload gives them, then in the order of their submission.
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Priority final : public Order {
 public:
  explicit Priority(const PolicyParameters&) {}
  std::int64_t key(const View& view, TaskId task, DeviceId) override {
    return view.program().task(task).priority;
  }
};

}  // namespace

PARLEY_POLICY(priority, Order, Priority,
              {"Tasks of the highest stated priority first, then in the order of their submission.",
               "StarPU's prio (Augonnet, Thibault, Namyst, Wacrenier 2011)",
               {}})

}  // namespace parley::core
