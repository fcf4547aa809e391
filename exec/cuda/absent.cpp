// The CUDA backend of a build without CUDA: says so.
#include "exec/cuda/cuda_backend.h"

namespace parley::exec::cuda {
namespace {

core::Fault not_built() {
  return {
      "--backend cuda",
      "this build has no CUDA (PARLEY_CUDA was off, or nvcc not found, when it was configured); "
      "--backend host runs the same workload with threads"};
}

}  // namespace

bool is_built() { return false; }
core::Result<std::vector<Gpu>> find_gpus() { return not_built(); }
core::Result<std::unique_ptr<Backend>> create_backend(const CudaOptions&) { return not_built(); }

}  // namespace parley::exec::cuda
