#include "core/base/check.h"

namespace parley::core {

void fail_check(const char* condition, const char* file, int line, const std::string& message) {
  throw InvariantViolation(std::string(file) + ":" + std::to_string(line) +
                           ": broken invariant: " + condition + ": " + message);
}

}  // namespace parley::core
