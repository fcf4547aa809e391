// No copy starts before its task is issued: what the window hides is all that is hidden.
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class NoPrefetch final : public Prefetcher {
 public:
  explicit NoPrefetch(const PolicyParameters&) {}
  void on_mapped(const View&, TaskId, std::vector<PrefetchRequest>&) override {}
};

}  // namespace

PARLEY_POLICY(none, Prefetcher, NoPrefetch,
              {"Operands are copied when their task is issued, never earlier.", "the baseline", {}})

}  // namespace parley::core
