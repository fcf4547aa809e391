#include "exec/current_task.h"

#include <csignal>
#include <cstddef>
#include <memory>

namespace parley::exec {
namespace {

thread_local std::string_view current;

/// Where the thread's signal handlers run when its stack is used up.
class SignalStack {
 public:
  SignalStack() {
    stack_t own = {};
    own.ss_sp = memory_.get();
    own.ss_size = kBytes;
    has_set_ = sigaltstack(nullptr, &before_) == 0 && (before_.ss_flags & SS_DISABLE) != 0 &&
               sigaltstack(&own, nullptr) == 0;
  }
  ~SignalStack() {
    if (has_set_) sigaltstack(&before_, nullptr);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

  void be_there() const {}

 private:
  static constexpr std::size_t kBytes = std::size_t{64} << 10U;
  std::unique_ptr<std::byte[]> memory_ = std::make_unique<std::byte[]>(kBytes);
  stack_t before_ = {};
  bool has_set_ = false;  // nobody else had, as a sanitizer does
};

thread_local const SignalStack signal_stack;

}  // namespace

CurrentTask::CurrentTask(std::string_view name) {
  signal_stack.be_there();
  current = name;
}
CurrentTask::~CurrentTask() { current = {}; }
std::string_view CurrentTask::here() { return current; }

}  // namespace parley::exec
