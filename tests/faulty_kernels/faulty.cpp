// Kernels of a user that end badly.
#include <csignal>
#include <cstdlib>

#include "exec/user_kernel.h"

extern "C" int crashes(const parley_operand*, int, const double*, int) {
  return std::raise(SIGSEGV);
}

extern "C" int throws(const parley_operand*, int, const double*, int) { throw 3; }

extern "C" int leaves(const parley_operand*, int, const double*, int) { std::exit(0); }
