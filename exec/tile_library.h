// Tiles on the host by OpenBLAS, where the build found it: float32 and float64, rows without gaps,
// and enough work to be worth the call. One thread a call: a backend has threads of its own.
// Results differ from the plain loops' by rounding: products within k * eps of |op(A)| |op(B)|,
// solutions and factors with residuals of a few n * eps, where float32 is computed in float32.
#pragma once

#include <span>

#include "core/graph/kernel.h"
#include "exec/kernel_registry.h"

namespace parley::exec::library {

using Operands = std::span<const HostOperand>;

/// Whether this build has a library.
bool is_built();

/// The kernel of that name, or false and nothing done: the plain loops are for the call.
bool gemm(const core::KernelCall& call, Operands operands);
bool syrk(const core::KernelCall& call, Operands operands);
bool trsm(const core::KernelCall& call, Operands operands);
bool trmm(const core::KernelCall& call, Operands operands);
bool trtri(const core::KernelCall& call, Operands operands);
bool potrf(Operands operands);
bool getrf(Operands operands);

}  // namespace parley::exec::library
