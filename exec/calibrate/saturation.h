// What products, solves and factorisations of tiles leave of each other side by side on a device.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "core/base/ids.h"
#include "exec/calibrate/laboratory.h"

namespace parley::exec {

/// Repetitions of the longer chain, at most.
inline constexpr std::size_t kMostBeside = 40;

/// Device::saturation, the median over pairs of a panel's kernel and another: of "trsm", "potrf"
/// and "gemm", those that are in `kernels`. What a pair uses of the device is the sum of what each
/// can use when alone times its speed beside the other. Nothing if no pair could be measured.
std::optional<double> measured_saturation(const Laboratory& laboratory, core::DeviceId device,
                                          std::size_t streams,
                                          const std::map<std::string, KernelProbe>& kernels);

}  // namespace parley::exec
