// Kernel bodies by name. Each file exec/kernels/NAME.cpp defines
//     void register_kernel_NAME(KernelRegistry&)
// and the build lists the files itself. Signatures are core's (core/graph/kernel.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/graph/dtype.h"
#include "core/graph/kernel.h"

namespace parley::exec {

/// An operand as a host kernel sees it: address of its first element (in view order), extents and
/// byte strides of the dimensions kept (a flipped dimension has a negative stride).
struct HostOperand {
  std::byte* data = nullptr;
  core::DType dtype = core::DType::kFloat64;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  core::ArgumentMode mode = core::ArgumentMode::kReadWrite;  // as the task declares it

  /// Product of the extents; 1 for no dimension.
  [[nodiscard]] std::int64_t size() const;
};

using HostKernel = std::function<void(const core::KernelCall&, std::span<const HostOperand>)>;

class KernelRegistry {
 public:
  KernelRegistry();  // all kernels of exec/kernels
  void add(std::string name, HostKernel host);
  /// The same, in place of one of that name; pointers to that stay valid and see the new one.
  void replace(std::string name, HostKernel host);
  [[nodiscard]] const HostKernel* find(std::string_view name) const;

 private:
  std::map<std::string, HostKernel, std::less<>> kernels_;
};

/// The value of a parameter that has a default or must be given. Requires: the call is sound.
double parameter(const core::KernelCall& call, std::string_view name);

}  // namespace parley::exec
