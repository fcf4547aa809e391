// Kernels of a program's own, from shared objects, beside the built-in ones.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "exec/kernel_registry.h"
#include "exec/user_kernel.h"

namespace parley::exec {

/// Opens the shared objects that the program's kernels name and adds (or replaces) their functions.
/// A kernel that has only a CUDA source gets no body here. The registry keeps the objects open.
/// Faults: a file that is missing or cannot be opened, a function that is not in it.
core::Faults add_user_kernels(const core::Program& program, KernelRegistry& registry);

/// The built-in kernels and the program's own; one that cannot be had has no body.
KernelRegistry kernels_of(const core::Program& program);

/// The address of a symbol of a shared object, which stays open as long as `keep` lives.
struct Symbol {
  std::shared_ptr<void> keep;
  void* address = nullptr;  // null: there is none of that name
};
/// Faults: the file is missing or cannot be opened. `where`: the kernel.
core::Result<Symbol> find_symbol(const std::string& where, const std::string& library,
                                 const std::string& name);

/// Values of a call's parameters in the order of the kernel's definition.
std::vector<double> parameter_values(const core::KernelCall& call);
/// The same into a list that was used before.
void parameter_values(const core::KernelCall& call, std::vector<double>& values);

}  // namespace parley::exec
