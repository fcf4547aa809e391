#include "tests/gpu/device_run.h"

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>

#include "core/graph/element.h"
#include "exec/cuda/device_kernel.h"
#include "exec/element.h"
#include "exec/strided.h"

namespace parley::exec::cuda {

using core::DType;

std::int64_t below(Random& random, std::int64_t limit) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
}

bool is_one_in(Random& random, std::int64_t n) { return below(random, n) == 0; }

HostOperand Arranged::place(std::vector<std::byte>& memory) const {
  HostOperand placed = operand;
  placed.data = memory.data() + offset;
  return placed;
}

// ---- contents ----

namespace {

double any_number(Random& random, Contents contents) {
  const double unit = static_cast<double>(random() >> 11U) * 0x1p-53 * 2.0 - 1.0;
  if (contents == Contents::kSmall) return unit;
  if (contents == Contents::kAny && is_one_in(random, 12)) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const double special[] = {0.0,    -0.0, kInfinity, -kInfinity, std::nan(""), 1e-310,
                              6e-8,   1e19, -1e19,     3e38,       65520.0,      9.3e18,
                              -128.5, 0.5,  1e-40,     2.5e9,      -2.5e9};
    return special[below(random, 17)];
  }
  return unit * std::ldexp(1.0, static_cast<int>(below(random, 20)));
}

void write_random(Random& random, DType dtype, Contents contents, std::byte* at) {
  const auto bytes = static_cast<std::size_t>(core::element_bytes(dtype));
  if (dtype == DType::kBool) {
    core::encode_element(dtype, static_cast<double>(below(random, 2)), at);
  } else if (core::is_integer(dtype)) {
    const std::uint64_t bits = random() >> (is_one_in(random, 2) ? 56U : 0U);
    std::memcpy(at, &bits, bytes);
  } else {
    core::encode_element(dtype, any_number(random, contents), at);
    core::encode_imaginary(dtype, any_number(random, contents), at);
  }
}

}  // namespace

Arranged arranged(Random& random, DType dtype, std::vector<std::int64_t> shape, Layout layout,
                  Contents contents) {
  Arranged made;
  const std::int64_t bytes = core::element_bytes(dtype);
  made.operand.dtype = dtype;
  made.operand.shape = shape;
  made.operand.strides.resize(shape.size());
  std::vector<std::size_t> order(shape.size());  // of dimensions, the innermost first
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  const bool is_plain = layout == Layout::kPlain;
  if (!is_plain && is_one_in(random, 3)) std::shuffle(order.begin(), order.end(), random);
  std::int64_t size = bytes;
  if (!is_plain) made.offset = below(random, 4) * bytes;
  for (const std::size_t dim : order) {
    const std::int64_t step = is_plain || is_one_in(random, 2) ? 1 : 1 + below(random, 2);
    const bool is_flipped = !is_plain && is_one_in(random, 4);
    made.operand.strides[dim] = (is_flipped ? -step : step) * size;
    if (is_flipped && shape[dim] > 0) made.offset += step * size * (shape[dim] - 1);
    const std::int64_t margin = is_plain || is_one_in(random, 2) ? 0 : below(random, 3);
    size *= std::max<std::int64_t>(shape[dim] * step + margin, 1);
  }
  made.bytes.resize(static_cast<std::size_t>(size + 8 * bytes));
  for (std::byte& byte : made.bytes) byte = static_cast<std::byte>(random());
  for_each_element(made.place(made.bytes),
                   [&](std::byte* at) { write_random(random, dtype, contents, at); });
  return made;
}

Arranged matrix(Random& random, DType dtype, std::int64_t rows, std::int64_t columns) {
  const bool is_turned = is_one_in(random, 3);
  const std::int64_t margin = is_one_in(random, 2) ? 0 : 1 + below(random, 4);
  const std::int64_t inner = is_turned ? rows : columns, outer = is_turned ? columns : rows;
  const std::int64_t bytes = core::element_bytes(dtype);
  Arranged made =
      arranged(random, dtype, {outer, inner + margin}, Layout::kPlain, Contents::kSmall);
  const std::int64_t leading = (inner + margin) * bytes;
  made.operand.shape = {rows, columns};
  made.operand.strides = {is_turned ? bytes : leading, is_turned ? leading : bytes};
  return made;
}

void add_to_diagonal(Arranged& matrix, double value) {
  const HostOperand& operand = matrix.operand;
  for (std::int64_t i = 0; i < std::min(operand.shape[0], operand.shape[1]); ++i) {
    std::byte* at =
        matrix.bytes.data() + matrix.offset + i * (operand.strides[0] + operand.strides[1]);
    core::encode_element(operand.dtype, core::decode_element(operand.dtype, at) + value, at);
  }
}

// ---- running ----

namespace {

void check(bool is_well, const char* what) { REQUIRE_MESSAGE(is_well, what); }

struct DeviceMemory {
  std::byte* data = nullptr;
  std::size_t bytes = 0;

  explicit DeviceMemory(std::size_t size) : bytes(size) {
    check(
        cudaMalloc(reinterpret_cast<void**>(&data), std::max<std::size_t>(size, 1)) == cudaSuccess,
        "cudaMalloc");
  }
  DeviceMemory(DeviceMemory&& other) noexcept
      : data(std::exchange(other.data, nullptr)), bytes(other.bytes) {}
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  DeviceMemory& operator=(DeviceMemory&&) = delete;
  ~DeviceMemory() { cudaFree(data); }

  void write(const std::vector<std::byte>& from) const {
    check_cuda(cudaMemcpy(data, from.data(), from.size(), cudaMemcpyHostToDevice), "upload");
    // From pageable memory the last part may still be on its way: kernels go to other streams.
    check_cuda(cudaStreamSynchronize(cudaStreamLegacy), "upload");
  }
  [[nodiscard]] std::vector<std::byte> read() const {
    std::vector<std::byte> to(bytes);
    check_cuda(cudaMemcpy(to.data(), data, bytes, cudaMemcpyDeviceToHost), "download");
    return to;
  }
};

// One stream with its libraries, for all runs.
struct Device {
  LaunchContext context;

  Device() {
    check_cuda(cudaStreamCreateWithFlags(&context.stream, cudaStreamNonBlocking), "stream");
    check_blas(cublasCreate(&context.blas), "cuBLAS");
    check_blas(cublasSetStream(context.blas, context.stream), "cuBLAS");
    check_solver(cusolverDnCreate(&context.solver), "cuSOLVER");
    check_solver(cusolverDnSetStream(context.solver, context.stream), "cuSOLVER");
  }
};

DeviceOperand on_device(const Arranged& arranged, std::byte* memory) {
  DeviceOperand operand;
  operand.data = memory == nullptr ? nullptr : memory + arranged.offset;
  operand.dtype = arranged.operand.dtype;
  operand.mode = arranged.operand.mode;
  operand.rank = static_cast<std::uint32_t>(arranged.operand.shape.size());
  std::copy(arranged.operand.shape.begin(), arranged.operand.shape.end(), operand.shape);
  std::copy(arranged.operand.strides.begin(), arranged.operand.strides.end(), operand.strides);
  return operand;
}

Memories run_on_device(const core::KernelCall& call, const std::vector<Arranged>& operands,
                       bool are_same) {
  static const DeviceKernelRegistry registry;
  static const Device device;
  const DeviceKernel* kernel = registry.find(call.name);
  REQUIRE_MESSAGE(kernel != nullptr, call.name);
  std::vector<DeviceMemory> memories;
  std::vector<DeviceOperand> unplaced, placed;
  for (const Arranged& operand : operands) {
    if (memories.empty() || !are_same) {
      memories.emplace_back(operand.bytes.size()).write(operand.bytes);
    }
    unplaced.push_back(on_device(operand, nullptr));
    placed.push_back(on_device(operand, memories.back().data));
  }
  LaunchContext context = device.context;
  if (kernel->workspace_bytes) {
    context.workspace_bytes = kernel->workspace_bytes(call, unplaced, context);
  }
  constexpr std::size_t kGuard = 256;
  const std::vector<std::byte> guard(context.workspace_bytes + kGuard, std::byte{0xa5});
  const DeviceMemory workspace(guard.size());
  workspace.write(guard);
  context.workspace = workspace.data;
  kernel->launch(call, placed, context);
  check_cuda(cudaStreamSynchronize(context.stream), call.name);
  const std::vector<std::byte> used = workspace.read();
  const auto end = used.end() - static_cast<std::ptrdiff_t>(kGuard);
  CHECK_MESSAGE(std::all_of(end, used.end(), [](std::byte b) { return b == std::byte{0xa5}; }),
                call.name << " wrote beyond its workspace");
  Memories result;
  for (const DeviceMemory& memory : memories) result.push_back(memory.read());
  return result;
}

Memories run_on_host(const core::KernelCall& call, const std::vector<Arranged>& operands,
                     bool are_same) {
  static const KernelRegistry registry;
  const HostKernel* kernel = registry.find(call.name);
  REQUIRE_MESSAGE(kernel != nullptr, call.name);
  Memories memories;
  for (const Arranged& operand : operands) {
    if (memories.empty() || !are_same) memories.push_back(operand.bytes);
  }
  std::vector<HostOperand> placed;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    placed.push_back(operands[i].place(memories[are_same ? 0 : i]));
  }
  (*kernel)(call, placed);
  return memories;
}

}  // namespace

BothRuns run_both(core::KernelCall call, const std::vector<Arranged>& operands, bool are_same) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    call.arguments.push_back({false, static_cast<std::uint16_t>(are_same ? 0 : i), {}});
  }
  return {run_on_host(call, operands, are_same), run_on_device(call, operands, are_same)};
}

// ---- comparing ----

namespace {

bool are_equal_numbers(DType dtype, const std::byte* a, const std::byte* b) {
  if (std::memcmp(a, b, static_cast<std::size_t>(core::element_bytes(dtype))) == 0) return true;
  if (is_integral(dtype)) return false;
  const auto is_same = [&](double x, double y) {
    return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof x) == 0;
  };
  return is_same(core::decode_element(dtype, a), core::decode_element(dtype, b)) &&
         is_same(core::decode_imaginary(dtype, a), core::decode_imaginary(dtype, b));
}

std::string text(DType dtype, const std::byte* at) {
  return std::to_string(core::decode_element(dtype, at)) + " " +
         std::to_string(core::decode_imaginary(dtype, at));
}

}  // namespace

std::string difference(const std::vector<Arranged>& operands, const BothRuns& runs) {
  for (std::size_t i = 0; i < runs.host.size(); ++i) {
    std::vector<std::byte> host = runs.host[i], device = runs.device[i];
    const HostOperand one = operands[i].place(host), other = operands[i].place(device);
    const auto bytes = static_cast<std::size_t>(core::element_bytes(one.dtype));
    std::string found;
    std::int64_t element = 0;
    for_each_element<2>({&one, &other}, [&](const auto& at) {
      if (found.empty() && !are_equal_numbers(one.dtype, at[0], at[1])) {
        found = "operand " + std::to_string(i) + " (" + std::string(core::name_of(one.dtype)) +
                "), element " + std::to_string(element) + ": host " + text(one.dtype, at[0]) +
                ", device " + text(one.dtype, at[1]);
      }
      std::memset(at[0], 0, bytes);
      std::memset(at[1], 0, bytes);
      ++element;
    });
    if (!found.empty()) return found;
    if (host != device) return "operand " + std::to_string(i) + ": bytes between its elements";
  }
  return "";
}

std::pair<double, double> distance(const std::vector<Arranged>& operands, const BothRuns& runs,
                                   std::size_t index) {
  std::vector<std::byte> host = runs.host[index], device = runs.device[index];
  const HostOperand one = operands[index].place(host), other = operands[index].place(device);
  double most = 0.0, greatest = 0.0;
  const auto compare = [&](double x, double y) {
    if (std::isnan(x) != std::isnan(y)) most = std::numeric_limits<double>::infinity();
    if (std::isnan(x) || std::isnan(y)) return;
    if (std::isfinite(x)) greatest = std::max(greatest, std::abs(x));
    if (!(x >= y && x <= y)) most = std::max(most, std::abs(x - y));
  };
  for_each_element<2>({&one, &other}, [&](const auto& at) {
    compare(core::decode_element(one.dtype, at[0]), core::decode_element(one.dtype, at[1]));
    compare(core::decode_imaginary(one.dtype, at[0]), core::decode_imaginary(one.dtype, at[1]));
  });
  return {most, greatest};
}

}  // namespace parley::exec::cuda
