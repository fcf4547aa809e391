// One line on a terminal that says how far a long run is, rewritten in place a few times a second;
// silent where nobody looks, and for the first second.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "cli/terminal.h"

namespace parley::cli {

class ProgressLine {
 public:
  ProgressLine(Terminal& terminal, std::string unit);
  ~ProgressLine();  // clears the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(std::size_t done, std::size_t total);

 private:
  Terminal& terminal_;
  std::string unit_;
  std::chrono::steady_clock::time_point next_;
  bool is_shown_ = false;
};

}  // namespace parley::cli
