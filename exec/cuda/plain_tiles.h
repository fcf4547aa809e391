// Tile linear algebra by plain kernels: any types and strides, operands that share memory, in the
// order of operations of the host's plain loops (exec/tile_loops.h), so that real results
// equal theirs byte for byte. What the libraries cannot do, and small steps beside their calls.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

namespace plain {

/// Signatures as DeviceKernel::launch, for the kernel of that name. The workspace must hold
/// workspace_bytes().
void gemm(const core::KernelCall& call, Operands operands, const LaunchContext& context);
void syrk(const core::KernelCall& call, Operands operands, const LaunchContext& context);
void trsm(const core::KernelCall& call, Operands operands, const LaunchContext& context);
void trmm(const core::KernelCall& call, Operands operands, const LaunchContext& context);
void trtri(const core::KernelCall& call, Operands operands, const LaunchContext& context);
void potrf(const core::KernelCall& call, Operands operands, const LaunchContext& context);
void getrf(const core::KernelCall& call, Operands operands, const LaunchContext& context);

/// Bytes for one matrix of the target's extents in the type that is computed in.
std::size_t workspace_bytes(const DeviceOperand& target);

}  // namespace plain

/// Ones on the diagonal of a matrix, zeros elsewhere.
void set_identity(const DeviceOperand& matrix, cudaStream_t stream);

/// When *info (on the device) is positive, makes the diagonal from element *info - 1 on NaN.
void poison_diagonal(const DeviceOperand& matrix, const int* info, cudaStream_t stream);

/// Turns the factors of A's transpose, A^T = L' U' with unit diagonal in L', stored as A, into
/// those of A = L U with unit diagonal in L: columns of U'^T divided, rows of L'^T multiplied by
/// the diagonal.
void exchange_unit_diagonal(const DeviceOperand& matrix, cudaStream_t stream);

}  // namespace parley::exec::cuda
