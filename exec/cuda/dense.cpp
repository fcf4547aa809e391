#include "exec/cuda/dense.h"

#include <algorithm>
#include <limits>

namespace parley::exec::cuda {
namespace {

// One way round: dimension `inner` has unit stride and is stored as a column.
std::optional<Dense> stored_by(const DeviceOperand& operand, std::size_t inner) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const std::size_t outer = 1 - inner;
  const std::int64_t bytes = core::element_bytes(operand.dtype);
  const std::int64_t length = operand.shape[inner], count = operand.shape[outer];
  const std::int64_t stride = operand.strides[outer];
  if (length > kMost || count > kMost) return std::nullopt;
  if (length > 1 && operand.strides[inner] != bytes) return std::nullopt;
  std::int64_t leading = std::max<std::int64_t>(length, 1);
  if (count > 1) {
    if (stride % bytes != 0 || stride / bytes < leading || stride / bytes > kMost) {
      return std::nullopt;
    }
    leading = stride / bytes;
  }
  return Dense{operand.data, static_cast<int>(operand.shape[0]), static_cast<int>(operand.shape[1]),
               static_cast<int>(leading), inner == 1};
}

}  // namespace

std::optional<Dense> dense(const DeviceOperand& operand) {
  if (const auto row_major = stored_by(operand, 1)) return row_major;
  return stored_by(operand, 0);
}

bool is_blas_type(core::DType dtype) { return dtype >= core::DType::kFloat32; }

}  // namespace parley::exec::cuda
