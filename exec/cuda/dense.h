// Matrices as cuBLAS and cuSOLVER take them: column-major with a leading dimension. A matrix whose
// columns follow one another (row-major, as on the host) is the transpose of such a one.
#pragma once

#include <cstdint>
#include <optional>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

struct Dense {
  void* data = nullptr;
  int rows = 0, columns = 0;   // of the matrix itself
  int leading = 1;             // elements from one stored column to the next
  bool is_transposed = false;  // what is stored is the transpose

  [[nodiscard]] int stored_rows() const { return is_transposed ? columns : rows; }
  [[nodiscard]] int stored_columns() const { return is_transposed ? rows : columns; }
};

/// The operand so seen, or nothing when neither dimension has unit stride, the other's stride is
/// negative or too short, or an extent is beyond what the libraries count.
/// Requires: two dimensions.
std::optional<Dense> dense(const DeviceOperand& operand);

/// float32, float64, complex64 or complex128.
bool is_blas_type(core::DType dtype);

}  // namespace parley::exec::cuda
