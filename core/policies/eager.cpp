// One queue for all: a task stays unmapped until some device has too little to do, and goes to the
// one with the least. Knows nothing of data or durations; what better mappers must beat. Tasks that
// wait are asked about again at every event, so that a run takes time in proportion to their
// number.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Eager final : public Mapper {
 public:
  explicit Eager(const PolicyParameters& parameters)
      : ahead_(static_cast<std::uint32_t>(parameters["ahead"])) {}

  /// Ties: the lowest candidate.
  MapChoice choose(const View& view, TaskId task) override {
    const auto candidates = view.candidates(task);
    MapChoice choice;
    std::uint32_t fewest = ahead_;
    choice.is_deferred = true;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      std::uint32_t tasks = 0;
      for (const DeviceId device : candidates[i].devices) {
        tasks = std::max(tasks, view.issued_tasks(device) + view.queued_tasks(device));
      }
      if (tasks >= fewest) continue;
      fewest = tasks;
      choice.candidate = i;
      choice.is_deferred = false;
    }
    return choice;
  }

 private:
  std::uint32_t ahead_;
};

}  // namespace

PARLEY_POLICY(eager, Mapper, Eager,
              {"Tasks wait in one queue, and go to the device with the fewest once it has few.",
               "StarPU's eager (Augonnet, Thibault, Namyst, Wacrenier 2011)",
               {{"ahead", "tasks", 1, 1e6, 2, "what a device may have to do, the running one too",
                 true}}})

}  // namespace parley::core
