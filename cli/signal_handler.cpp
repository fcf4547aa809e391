#include "cli/signal_handler.h"

namespace parley::cli {

SignalHandler::SignalHandler(std::initializer_list<int> signals, void (*handle)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  for (const int signal : signals) {
    auto& [number, before] = before_.emplace_back();
    number = signal;
    sigaction(signal, &action, &before);
  }
}

SignalHandler::~SignalHandler() {
  for (const auto& [signal, before] : before_) sigaction(signal, &before, nullptr);
}

}  // namespace parley::cli
