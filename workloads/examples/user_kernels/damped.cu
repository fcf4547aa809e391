// damped on GPUs: y = (1 - factor) * y + factor * x, one thread an element.
#include "exec/user_kernel.h"

extern "C" __global__ void damped(parley_operand x, parley_operand y, double factor) {
  const long long i = parley_thread();
  if (i >= y.size) return;
  double* out = static_cast<double*>(parley_at(&y, i));
  *out = (1.0 - factor) * *out + factor * *static_cast<const double*>(parley_at(&x, i));
}
