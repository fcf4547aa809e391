// The steps of a run, kept in memory to be told again when it is over: writing a journal's line
// takes several times as long as deciding the step, and while a run for real is timed everything
// would wait for it.
#pragma once

#include <memory>
#include <memory_resource>
#include <span>
#include <type_traits>
#include <vector>

#include "core/engine/command.h"
#include "core/engine/event.h"
#include "core/journal/run_record.h"

namespace parley::cli {

class KeptSteps final : public core::StepObserver {
 public:
  void on_step(core::Time now, std::span<const core::Event> events,
               std::span<const core::Command> commands) override;
  /// All steps so far, in order, events first.
  void tell(core::StepObserver& other) const;

 private:
  struct Step {
    core::Time now;
    std::vector<core::Event> events;
    std::vector<core::Command> commands;  // their spans are in arena_
  };

  template <class T>
  std::span<const T> kept(std::span<const T> items) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (items.empty()) return {};
    T* copy = static_cast<T*>(arena_.allocate(items.size_bytes(), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), copy);
    return {copy, items.size()};
  }
  void keep(core::StartCopy& copy);
  void keep(core::LaunchTask& launch);
  void keep(core::DropReplica& drop);
  void keep(core::Finish&) {}

  std::pmr::monotonic_buffer_resource arena_;
  std::vector<Step> steps_;
};

}  // namespace parley::cli
