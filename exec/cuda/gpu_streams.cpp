#include "exec/cuda/gpu_streams.h"

#include <algorithm>
#include <string>

#include "exec/backend.h"

namespace parley::exec::cuda {
namespace {

constexpr std::size_t kHostWorkspace = std::size_t{1} << 20U;

void* allocate(std::size_t bytes, const char* what) {
  void* memory = nullptr;
  check_cuda(cudaMalloc(&memory, bytes), what);
  return memory;
}

}  // namespace

GpuStreams::GpuStreams(int ordinal, std::uint32_t compute, std::size_t spaces)
    : ordinal_(ordinal), compute_(compute) {
  check_cuda(cudaSetDevice(ordinal_), "choosing GPU " + std::to_string(ordinal_));
  make_streams(spaces);
  contexts_.resize(launch_streams());
  host_workspaces_.resize(contexts_.size());
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    host_workspaces_[i].resize(kHostWorkspace);
    contexts_[i].stream = streams_[i];
    contexts_[i].device = ordinal_;
    contexts_[i].host_workspace = host_workspaces_[i];
  }
}

void GpuStreams::make_streams(std::size_t spaces) {
  int least = 0;
  int greatest = 0;
  check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest), "priorities of streams");
  for (std::uint32_t i = 0; i < copy_stream(spaces, true); ++i) {
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking,
                                            i < compute_ ? least : greatest),
               "making a stream");
    streams_.push_back(stream);
  }
}

GpuStreams::~GpuStreams() {
  check_released(cudaSetDevice(ordinal_), "choosing a GPU");
  for (const LaunchContext& context : contexts_) {
    if (context.blas != nullptr) check_released(cublasDestroy(context.blas), "a cuBLAS handle");
    if (context.solver != nullptr) {
      check_released(cusolverDnDestroy(context.solver), "a cuSOLVER handle");
    }
    if (context.workspace != nullptr) check_released(cudaFree(context.workspace), "a workspace");
  }
  for (void* memory : allocations_) check_released(cudaFree(memory), "a workspace of cuBLAS");
  for (cudaStream_t stream : streams_) check_released(cudaStreamDestroy(stream), "a stream");
}

bool GpuStreams::is_lost() const {
  bool is_lost = false;
  on_new_thread([&] {
    cudaError_t status = cudaSetDevice(ordinal_);
    if (status == cudaSuccess) status = cudaStreamQuery(streams_.front());
    is_lost = status != cudaSuccess && status != cudaErrorNotReady;
  });
  return is_lost;
}

void GpuStreams::make_handles() {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    LaunchContext& context = contexts_[i];
    if (context.blas != nullptr) continue;
    check_blas(cublasCreate(&context.blas), "making a cuBLAS handle");
    check_blas(cublasSetStream(context.blas, context.stream), "binding cuBLAS to a stream");
    // A workspace of our own: the library then allocates nothing during the run.
    void* workspace = allocate(kBlasWorkspace, "allocating cuBLAS's workspace");
    allocations_.push_back(workspace);
    check_blas(cublasSetWorkspace(context.blas, workspace, kBlasWorkspace), "cuBLAS's workspace");
    if (i < compute_) continue;
    check_solver(cusolverDnCreate(&context.solver), "making a cuSOLVER handle");
    check_solver(cusolverDnSetStream(context.solver, context.stream),
                 "binding cuSOLVER to a stream");
  }
}

void GpuStreams::provide(bool uses_libraries, const WorkspaceBytes& bytes_of) {
  check_cuda(cudaSetDevice(ordinal_), "choosing GPU " + std::to_string(ordinal_));
  if (uses_libraries) make_handles();
  const std::size_t others = bytes_of(contexts_.back(), false);
  const std::size_t panels = bytes_of(contexts_.back(), true);  // on urgent streams only
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    LaunchContext& context = contexts_[i];
    const std::size_t bytes = i < compute_ ? others : std::max(others, panels);
    if (bytes <= context.workspace_bytes) continue;
    if (context.workspace != nullptr) check_cuda(cudaFree(context.workspace), "a workspace");
    context.workspace = nullptr;
    context.workspace_bytes = 0;
    context.workspace = static_cast<std::byte*>(allocate(bytes, "allocating a workspace"));
    context.workspace_bytes = bytes;
  }
}

}  // namespace parley::exec::cuda
