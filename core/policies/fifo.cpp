// Tasks in the order of their submission, as Parla's queues serve them.
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Fifo final : public Order {
 public:
  explicit Fifo(const PolicyParameters&) {}
  std::int64_t key(const View&, TaskId, DeviceId) override { return 0; }
};

}  // namespace

PARLEY_POLICY(fifo, Order, Fifo,
              {"Tasks in the order of their submission.", "Parla; StarPU's eager", {}})

}  // namespace parley::core
