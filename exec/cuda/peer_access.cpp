#include "exec/cuda/peer_access.h"

#include <cuda_runtime.h>

#include <mutex>
#include <set>
#include <utility>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

bool enable_peer_access(int from, int to) {
  static std::mutex mutex;
  static std::set<std::pair<int, int>> enabled;
  const std::scoped_lock lock(mutex);
  check_cuda(cudaSetDevice(from), "choosing a GPU");
  if (enabled.contains({from, to})) return true;
  int can_reach = 0;
  check_cuda(cudaDeviceCanAccessPeer(&can_reach, from, to), "asking for peer access");
  if (can_reach == 0) return false;
  const cudaError_t status = cudaDeviceEnablePeerAccess(to, 0);
  if (status == cudaErrorPeerAccessAlreadyEnabled) {
    (void)cudaGetLastError();  // by somebody else in this process
  } else {
    check_cuda(status, "enabling peer access");
  }
  enabled.insert({from, to});
  return true;
}

}  // namespace parley::exec::cuda
