// Elementwise kernels on a GPU, all by one kernel.
#pragma once

#include <cstdint>

#include "exec/cuda/device_kernel.h"
#include "exec/element.h"

namespace parley::exec::cuda {

enum class Elementwise : std::uint8_t { kAdd, kMultiply, kAddScalar, kScale, kAxpy, kRoot, kCopy };

/// target = op(first, second, value), computed in `computed` and cast to the target's type. What
/// reads one operand only gets it twice.
void launch_elementwise(Elementwise op, const DeviceOperand& first, const DeviceOperand& second,
                        const DeviceOperand& target, core::DType computed, double value,
                        const LaunchContext& context);

/// target = source, cast to the target's type.
void copy_elements(Operands operands, const LaunchContext& context);

}  // namespace parley::exec::cuda
