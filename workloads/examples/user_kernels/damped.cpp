// damped on the host: y = (1 - factor) * y + factor * x.
#include "exec/user_kernel.h"

extern "C" int damped(const parley_operand* operands, int operand_count, const double* parameters,
                      int parameter_count) {
  if (operand_count != 2 || parameter_count != 1) return 1;
  const double factor = parameters[0];
  if (operands[0].dtype != PARLEY_FLOAT64 || operands[1].dtype != PARLEY_FLOAT64) return 2;
  for (long long i = 0; i < operands[1].size; ++i) {
    double* out = static_cast<double*>(parley_at(&operands[1], i));
    *out = (1.0 - factor) * *out + factor * *static_cast<const double*>(parley_at(&operands[0], i));
  }
  return 0;
}
