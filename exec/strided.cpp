#include "exec/strided.h"

namespace parley::exec {

std::vector<std::int64_t> compact_strides(std::span<const std::int64_t> shape,
                                          std::int64_t element_bytes) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = element_bytes;
  for (std::size_t dim = shape.size(); dim-- > 0;) {
    strides[dim] = stride;
    stride *= shape[dim];
  }
  return strides;
}

}  // namespace parley::exec
