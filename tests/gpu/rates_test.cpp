// How fast the kernels are. Not part of the tests: `test_gpu --no-skip -tc="rates*"` prints a
// table, to hold against the memory bandwidth and the rate of matrix products of the GPU.
#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {
namespace {

using core::DType;
using Parameters = std::vector<std::pair<std::string, double>>;
using Shape = std::vector<std::int64_t>;

// Operands without gaps, one after the other in one allocation.
class Bench {
 public:
  Bench() {
    check_cuda(cudaStreamCreateWithFlags(&context_.stream, cudaStreamNonBlocking), "stream");
    check_blas(cublasCreate(&context_.blas), "cuBLAS");
    check_blas(cublasSetStream(context_.blas, context_.stream), "cuBLAS");
    check_solver(cusolverDnCreate(&context_.solver), "cuSOLVER");
    check_solver(cusolverDnSetStream(context_.solver, context_.stream), "cuSOLVER");
    check_cuda(cudaMalloc(reinterpret_cast<void**>(&memory_), kBytes), "memory");
    check_cuda(cudaMemset(memory_, 0, kBytes), "memory");
    check_cuda(cudaEventCreate(&start_), "event");
    check_cuda(cudaEventCreate(&end_), "event");
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() { cudaFree(memory_); }

  /// Prints the shortest of five batches, a call, and `work` (bytes or flops) a second.
  void operator()(const std::string& name, const Parameters& parameters, DType dtype,
                  const std::vector<Shape>& shapes, double work) {
    const DeviceKernel* kernel = registry_.find(name);
    REQUIRE(kernel != nullptr);
    core::KernelCall call{name, parameters, {}};
    std::vector<DeviceOperand> operands;
    std::size_t offset = 0;
    for (const Shape& shape : shapes) operands.push_back(place(dtype, shape, offset, call));
    LaunchContext context = context_;
    if (kernel->workspace_bytes) {
      context.workspace_bytes = kernel->workspace_bytes(call, operands, context);
    }
    context.workspace = memory_ + offset;
    REQUIRE(offset + context.workspace_bytes <= kBytes);
    for (const DeviceOperand& operand : operands) fill(operand);
    float best = 1e30F;
    for (int batch = 0; batch < 6; ++batch) {  // the first one warms up
      check_cuda(cudaEventRecord(start_, context.stream), "event");
      for (int i = 0; i < kCalls; ++i) kernel->launch(call, operands, context);
      check_cuda(cudaEventRecord(end_, context.stream), "event");
      check_cuda(cudaEventSynchronize(end_), "event");
      float taken = 0.0F;
      check_cuda(cudaEventElapsedTime(&taken, start_, end_), "event");
      if (batch > 0) best = std::min(best, taken / kCalls);
    }
    std::printf("%-12s %-10s %10.4f ms %10.1f G/s\n", name.c_str(),
                std::string(core::name_of(dtype)).c_str(), static_cast<double>(best),
                work / static_cast<double>(best) / 1e6);
  }

 private:
  // Random numbers; square matrices with so large a diagonal that they can be factorised.
  void fill(const DeviceOperand& operand) {
    const bool is_square = operand.rank == 2 && operand.shape[0] == operand.shape[1];
    const double diagonal = is_square ? 2.0 * static_cast<double>(operand.shape[0]) : 0.0;
    registry_.find("random")->launch({"random", {{"seed", 1}, {"diagonal", diagonal}}, {}},
                                     {&operand, 1}, context_);
  }

  static constexpr std::size_t kBytes = std::size_t{5} << 30U;
  static constexpr int kCalls = 10;

  DeviceOperand place(DType dtype, const Shape& shape, std::size_t& offset,
                      core::KernelCall& call) const {
    DeviceOperand operand;
    operand.data = memory_ + offset;
    operand.dtype = dtype;
    operand.rank = static_cast<std::uint32_t>(shape.size());
    std::int64_t bytes = core::element_bytes(dtype);
    for (std::size_t dim = shape.size(); dim-- > 0;) {
      operand.shape[dim] = shape[dim];
      operand.strides[dim] = bytes;
      bytes *= shape[dim];
    }
    offset += static_cast<std::size_t>((bytes + 255) / 256 * 256);
    call.arguments.push_back({false, static_cast<std::uint16_t>(call.arguments.size()), {}});
    return operand;
  }

  DeviceKernelRegistry registry_;
  LaunchContext context_;
  std::byte* memory_ = nullptr;
  cudaEvent_t start_ = nullptr, end_ = nullptr;
};

TEST_CASE("rates of the kernels" * doctest::skip()) {
  Bench bench;
  std::printf("a call; bytes or flops\n");
  bench("spin", {{"ns", 0}}, DType::kFloat64, {}, 0.0);
  constexpr std::int64_t kElements = 1 << 27;
  const Shape line = {kElements};
  for (const DType dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kUint8}) {
    const double bytes =
        static_cast<double>(kElements) * static_cast<double>(core::element_bytes(dtype));
    bench("copy", {}, dtype, {line, line}, 2.0 * bytes);
    bench("fill", {{"value", 1}}, dtype, {line}, bytes);
    bench("scale", {{"value", 2}}, dtype, {line}, 2.0 * bytes);
    bench("add", {}, dtype, {line, line, line}, 3.0 * bytes);
    bench("axpy", {{"value", 2}}, dtype, {line, line}, 3.0 * bytes);
    bench("sum", {}, dtype, {line, {}}, bytes);
    bench("hash_mix", {}, dtype, {line}, 2.0 * bytes);
  }
  for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
    const double size = static_cast<double>(core::element_bytes(dtype));
    const double cells = static_cast<double>(kElements);
    bench("sum", {{"axis", 0}}, dtype, {{16384, 8192}, {8192}}, cells * size);
    bench("sum", {{"axis", 1}}, dtype, {{16384, 8192}, {16384}}, cells * size);
    bench("stencil", {}, dtype, {{kElements + 2}, {kElements}}, 2.0 * cells * size);
    bench("stencil", {}, dtype, {{16386, 8194}, {16384, 8192}}, 2.0 * cells * size);
    bench("stencil", {}, dtype, {{514, 514, 514}, {512, 512, 512}}, 2.0 * cells * size);
  }
  const Shape tile = {2048, 2048};
  constexpr double kCube = 2048.0 * 2048.0 * 2048.0;
  for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
    bench("gemm", {{"transpose_b", 1}}, dtype, {tile, tile, tile}, 2.0 * kCube);
    bench("syrk", {}, dtype, {tile, tile}, kCube);
    bench("trtri", {}, dtype, {tile, tile}, kCube / 3.0);
    bench("trmm", {}, dtype, {tile, tile}, kCube);
    bench("trmm", {}, dtype, {tile, tile, tile}, kCube);
    bench("trsm", {{"unit", 1}}, dtype, {tile, tile}, kCube);
    bench("potrf", {}, dtype, {tile}, kCube / 3.0);
    bench("getrf", {}, dtype, {tile}, 2.0 * kCube / 3.0);
  }
}

}  // namespace
}  // namespace parley::exec::cuda
