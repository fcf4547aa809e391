// What some signals do for a while.
#pragma once

#include <csignal>
#include <initializer_list>
#include <utility>
#include <vector>

namespace parley::cli {

/// Has `handle` called at these signals for as long as it lives; then they mean again what they did
/// before. `flags`: as sigaction's.
class SignalHandler {
 public:
  SignalHandler(std::initializer_list<int> signals, void (*handle)(int), int flags);
  ~SignalHandler();
  SignalHandler(const SignalHandler&) = delete;
  SignalHandler& operator=(const SignalHandler&) = delete;

 private:
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace parley::cli
