// Of the tasks that wait for a device, the one of which the fewest bytes are missing there: what
// can start at once goes before what must wait for copies, and what memory holds is used before it
// has to make room. Asked at every issue, as the answer changes with every copy; so only the first
// `look` tasks of a queue, in the order in which they were mapped, are considered.
#include <algorithm>
#include <cstddef>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class FewestMissing final : public Order {
 public:
  explicit FewestMissing(const PolicyParameters& parameters)
      : look_(static_cast<std::size_t>(parameters["look"])) {}

  /// The order in which ready tasks are mapped: by the longest chain that waits for them.
  std::int64_t key(const View& view, TaskId task, DeviceId) override {
    return view.bottom_level(task).count();
  }

  [[nodiscard]] bool is_dynamic() const override { return true; }

  /// Ties: the one mapped first.
  std::size_t pick(const View& view, DeviceId, std::span<const TaskId> queue) override {
    std::size_t best = 0;
    Bytes fewest = Bytes::max();
    for (std::size_t i = 0; i < std::min(look_, queue.size()) && fewest > Bytes(0); ++i) {
      const Bytes missing = missing_bytes(view, queue[i]);
      if (missing >= fewest) continue;
      fewest = missing;
      best = i;
    }
    return best;
  }

 private:
  static Bytes missing_bytes(const View& view, TaskId task) {
    const auto devices = view.devices_of(task);
    Bytes sum;
    for (const Access& access : view.program().accesses(task)) {
      if (!reads(access.mode)) continue;
      sum += view.missing_bytes(access.region, view.machine().device(devices[access.member]).space);
    }
    return sum;
  }

  std::size_t look_;
};

}  // namespace

PARLEY_POLICY(fewest_missing, Order, FewestMissing,
              {"Tasks of which the fewest bytes are missing first, then in the order of mapping.",
               "StarPU's dmdar (Augonnet, Thibault, Namyst, Wacrenier 2011)",
               {{"look", "tasks", 1, 1e6, 64, "how many of a queue are considered", true}}})

}  // namespace parley::core
