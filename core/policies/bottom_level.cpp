// Tasks at the head of the longest remaining chain first: a task that much work waits for is never
// left behind one that nothing waits for.
#include <cmath>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class BottomLevel final : public Order {
 public:
  explicit BottomLevel(const PolicyParameters& parameters)
      : priority_ns_(std::llround(parameters["priority"])) {}

  std::int64_t key(const View& view, TaskId task, DeviceId) override {
    return view.bottom_level(task).count() + priority_ns_ * view.program().task(task).priority;
  }

 private:
  std::int64_t priority_ns_;
};

}  // namespace

PARLEY_POLICY(bottom_level, Order, BottomLevel,
              {"Tasks at the head of the longest remaining chain of expected durations first.",
               "upward rank of HEFT (Topcuoglu, Hariri, Wu 2002), without communication",
               {{"priority", "ns", 0, 1e9, 0,
                 "what one point of a task's stated priority adds to its bottom level"}}})

}  // namespace parley::core
