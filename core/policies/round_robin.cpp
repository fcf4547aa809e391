// Devices in turn, whatever they hold and however busy they are: the baseline that every informed
// mapper must beat.
#include <cstddef>
#include <cstdint>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class RoundRobin final : public Mapper {
 public:
  explicit RoundRobin(const PolicyParameters&) {}

  /// The candidate whose first device comes next after the one chosen last, cyclically by device;
  /// of several on the same device, the first.
  MapChoice choose(const View& view, TaskId task) override {
    const auto candidates = view.candidates(task);
    const std::size_t devices = view.machine().device_count();
    std::size_t best = 0;
    std::size_t best_distance = devices;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::size_t distance =
          (candidates[i].devices.front().index() + devices - next_) % devices;
      if (distance >= best_distance) continue;
      best = i;
      best_distance = distance;
    }
    next_ = (candidates[best].devices.front().index() + 1) % devices;
    MapChoice choice;
    choice.candidate = best;
    return choice;
  }

  [[nodiscard]] std::string reason(const View&, TaskId) const override {
    return "the next device in turn";
  }

 private:
  std::size_t next_ = 0;  // device
};

}  // namespace

PARLEY_POLICY(round_robin, Mapper, RoundRobin,
              {"Each task goes to the next device in turn, whatever it holds and has to do.",
               "the usual baseline; compare StarPU's eager, which serves whoever is idle",
               {}})

}  // namespace parley::core
