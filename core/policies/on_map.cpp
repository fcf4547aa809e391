// As soon as a task is mapped, all that it reads is asked for where it will run, as Parla's data
// movement tasks and StarPU's prefetch of dmda do. What would need an eviction the engine drops.
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class OnMap final : public Prefetcher {
 public:
  explicit OnMap(const PolicyParameters&) {}

  void on_mapped(const View& view, TaskId task, std::vector<PrefetchRequest>& requests) override {
    const Program& program = view.program();
    if (program.task(task).is_lazy) return;  // its operands move only when it starts
    const auto devices = view.devices_of(task);
    if (devices.empty()) return;
    for (const Access& access : program.accesses(task)) {
      if (!reads(access.mode)) continue;
      const SpaceId space = view.machine().device(devices[access.member]).space;
      if (view.missing_bytes(access.region, space) > Bytes(0)) {
        requests.push_back({access.region, space});
      }
    }
  }
};

}  // namespace

PARLEY_POLICY(
    on_map, Prefetcher, OnMap,
    {"All that a task reads is copied to its devices as soon as it is mapped.",
     "Parla's data movement tasks; StarPU's dmda (Augonnet, Clet-Ortega, Thibault, Namyst "
     "2010)",
     {}})

}  // namespace parley::core
