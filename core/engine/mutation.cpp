#include "core/engine/mutation.h"

#ifdef PARLEY_FAULTS
#include <atomic>

namespace parley::core {
namespace {

// The one mutable global of the core; it exists in test builds only.
std::atomic<Mutation> g_mutation{Mutation::kNone};

}  // namespace

void set_mutation(Mutation mutation) { g_mutation = mutation; }
bool mutation_is_on(Mutation mutation) {
  return g_mutation.load(std::memory_order_relaxed) == mutation;
}

}  // namespace parley::core
#endif
