// Direct access between the memories of two GPUs. The driver keeps it for the life of the process
// and calls it an error to ask twice, so what has been asked for is remembered here.
#pragma once

namespace parley::exec::cuda {

/// Lets GPU `from` reach the memory of GPU `to`. False when the machine has no way between them:
/// the driver then copies through the host. Any thread; leaves `from` as the current device. Throws
/// CudaFailure.
bool enable_peer_access(int from, int to);

}  // namespace parley::exec::cuda
