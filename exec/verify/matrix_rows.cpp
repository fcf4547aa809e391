#include "exec/verify/matrix_rows.h"

#include "core/graph/element.h"

namespace parley::exec {

std::vector<double> random_vector(std::size_t size) {
  std::vector<double> x(size);
  for (std::size_t i = 0; i < size; ++i) {
    double value = 0.0;
    core::random_element(core::DType::kFloat64, 0x5eedULL, i, reinterpret_cast<std::byte*>(&value));
    x[i] = 2.0 * value - 1.0;
  }
  return x;
}

}  // namespace parley::exec
