// PARLEY_CHECK(condition, message): a broken invariant, that is, a bug of ours. Always on. The
// exception is caught only at top level and in tests.
#pragma once

#include <stdexcept>
#include <string>

namespace parley::core {

class InvariantViolation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] [[gnu::cold]] void fail_check(const char* condition, const char* file, int line,
                             const std::string& message);

}  // namespace parley::core

#define PARLEY_CHECK(condition, message)                                     \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::parley::core::fail_check(#condition, __FILE__, __LINE__, (message)); \
  } while (false)
