#include "core/engine/fault.h"

#ifdef PARLEY_FAULTS
#include <atomic>

namespace parley::core {
namespace {

// The one mutable global of the core; it exists in test builds only.
std::atomic<Fault> g_fault{Fault::kNone};

}  // namespace

void set_fault(Fault fault) { g_fault = fault; }
bool fault_is_on(Fault fault) { return g_fault.load(std::memory_order_relaxed) == fault; }

}  // namespace parley::core
#endif
