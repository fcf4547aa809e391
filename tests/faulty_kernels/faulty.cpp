// Kernels of a user that end badly.
#include <csignal>
#include <cstdlib>

#include "exec/user_kernel.h"

extern "C" int crashes(const parley_operand*, int, const double*, int) {
  return std::raise(SIGSEGV);
}

extern "C" int throws(const parley_operand*, int, const double*, int) { throw 3; }

extern "C" int leaves(const parley_operand*, int, const double*, int) { std::exit(0); }

/// Well once, then no more: what is verified fails when it is executed again.
extern "C" int tires(const parley_operand*, int, const double*, int) {
  static int calls = 0;
  return calls++ == 0 ? 0 : 7;
}

/// Until its stack is used up.
extern "C" int recurses(const parley_operand* operands, int count, const double* values,
                        int given) {
  static int (*volatile again)(const parley_operand*, int, const double*, int) = recurses;
  volatile char used[4096];
  used[given & 1] = 1;
  return again(operands, count, values, given + 1) + used[given & 1];
}

/// No kernel.
extern "C" {
extern int number;
int number = 7;
}
