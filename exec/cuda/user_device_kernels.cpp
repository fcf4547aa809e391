#include "exec/cuda/user_device_kernels.h"

#include <cuda_runtime_api.h>
#include <nvrtc.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include "exec/backend.h"
#include "exec/user_kernels.h"

namespace parley::exec::cuda {

std::vector<std::pair<std::string_view, std::string_view>> embedded_user_kernel_header();

namespace {

parley_operand described(const DeviceOperand& operand) {
  parley_operand seen{};
  seen.data = operand.data;
  seen.dtype = static_cast<int>(operand.dtype);
  seen.rank = static_cast<int>(operand.rank);
  seen.size = operand.size();
  std::copy(operand.shape, operand.shape + operand.rank, seen.shape);
  std::copy(operand.strides, operand.strides + operand.rank, seen.strides);
  return seen;
}

std::string log_of(nvrtcProgram program) {
  std::size_t size = 0;
  if (nvrtcGetProgramLogSize(program, &size) != NVRTC_SUCCESS) return "no log";
  std::string log(size, '\0');
  if (nvrtcGetProgramLog(program, log.data()) != NVRTC_SUCCESS) return "no log";
  while (!log.empty() && (log.back() == '\0' || log.back() == '\n')) log.pop_back();
  return log;
}

void check_compiler(nvrtcResult status, const char* what) {
  if (status == NVRTC_SUCCESS) return;
  throw EnvironmentFailure(std::string(what) + ": NVRTC: " + nvrtcGetErrorString(status));
}

// ---- what was compiled ----

// A loaded module and its function, for all devices.
class Compiled {
 public:
  explicit Compiled(const std::vector<char>& code) {
    check_cuda(
        cudaLibraryLoadData(&library_, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
        "loading a compiled kernel");
  }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() { check_released(cudaLibraryUnload(library_), "a compiled kernel"); }

  /// Null when there is no such function.
  [[nodiscard]] const void* function(const std::string& name) const {
    cudaKernel_t kernel = nullptr;
    if (cudaLibraryGetKernel(&kernel, library_, name.c_str()) == cudaSuccess) {
      return reinterpret_cast<const void*>(kernel);
    }
    (void)cudaGetLastError();
    return nullptr;
  }

 private:
  cudaLibrary_t library_ = nullptr;
};

// What the function's own parameters should be and are not, or nothing. A driver that does not say
// what they are is believed.
std::string parameter_fault(const void* function, const core::KernelSignature& signature) {
  const std::size_t operands = signature.arguments.size();
  const std::size_t wanted = operands + signature.parameters.size();
  std::size_t found = 0;
  std::string fault;
  for (std::size_t offset = 0, size = 0;
       found <= wanted && cudaFuncGetParamInfo(function, found, &offset, &size) == cudaSuccess;
       ++found) {
    const std::size_t right = found < operands ? sizeof(parley_operand) : sizeof(double);
    if (found < wanted && size != right && fault.empty()) {
      fault = "its parameter " + std::to_string(found) + " has " + std::to_string(size) +
              " bytes and must be a " + (found < operands ? "parley_operand" : "double");
    }
  }
  (void)cudaGetLastError();
  if (found == 0 || (fault.empty() && found == wanted)) return "";
  if (!fault.empty()) return fault;
  return "it takes " + std::string(found > wanted ? "more than " : "") +
         std::to_string(std::min(found, wanted)) + " parameters; it must take " +
         std::to_string(operands) + " operands and " + std::to_string(wanted - operands) +
         " numbers";
}

/// What a launch is given; a thread's launches share the memory.
struct LaunchLists {
  std::vector<parley_operand> operands;
  std::vector<double> parameters;
  std::vector<void*> arguments;
};

LaunchLists& filled_lists(const core::KernelCall& call, Operands operands) {
  thread_local LaunchLists lists;
  lists.operands.clear();
  for (const DeviceOperand& operand : operands) lists.operands.push_back(described(operand));
  parameter_values(call, lists.parameters);
  return lists;
}

DeviceKernel compiled_body(std::shared_ptr<const Compiled> compiled, const void* function,
                           std::uint32_t block) {
  return {[compiled = std::move(compiled), function, block](
              const core::KernelCall& call, Operands operands, const LaunchContext& context) {
    const std::int64_t threads = operands.back().size();
    if (threads == 0) return;
    LaunchLists& lists = filled_lists(call, operands);
    lists.arguments.clear();
    for (parley_operand& operand : lists.operands) lists.arguments.push_back(&operand);
    for (double& value : lists.parameters) lists.arguments.push_back(&value);
    const auto blocks = static_cast<unsigned>((threads + block - 1) / block);
    const cudaError_t status = cudaLaunchKernel(function, dim3(blocks), dim3(block),
                                                lists.arguments.data(), 0, context.stream);
    if (status != cudaSuccess) check_cuda(status, "launching kernel " + call.name);
  }};
}

DeviceKernel launcher_body(Symbol symbol) {
  return {[symbol = std::move(symbol)](const core::KernelCall& call, Operands operands,
                                       const LaunchContext& context) {
    LaunchLists& lists = filled_lists(call, operands);
    auto* function = reinterpret_cast<parley_cuda_kernel*>(symbol.address);
    const int status = function(lists.operands.data(), static_cast<int>(lists.operands.size()),
                                lists.parameters.data(), static_cast<int>(lists.parameters.size()),
                                static_cast<void*>(context.stream));
    if (status != 0) {
      throw EnvironmentFailure("kernel " + call.name + " returned " + std::to_string(status));
    }
  }};
}

std::string current_architecture() {
  int device = 0, major = 0, minor = 0;
  check_cuda(cudaGetDevice(&device), "the current device");
  check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
             "the device's architecture");
  check_cuda(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device),
             "the device's architecture");
  return "sm_" + std::to_string(major) + std::to_string(minor);
}

core::Faults add_compiled(const core::UserKernel& kernel, DeviceKernelRegistry& registry) {
  const std::string where = "kernels." + kernel.signature.name;
  const auto code = compile_cuda(where, kernel.source, current_architecture());
  if (!code) return code.faults();
  auto compiled = std::make_shared<const Compiled>(*code);
  const void* function = compiled->function(kernel.function);
  if (function == nullptr) {
    return {{where, kernel.source + " has no kernel \"" + kernel.function +
                        "\"; declare it extern \"C\" __global__ void"}};
  }
  const std::string wrong = parameter_fault(function, kernel.signature);
  if (!wrong.empty()) return {{where, kernel.source + ": " + kernel.function + ": " + wrong}};
  registry.replace(kernel.signature.name,
                   compiled_body(std::move(compiled), function, kernel.block));
  return {};
}

core::Faults add_launcher(const core::UserKernel& kernel, DeviceKernelRegistry& registry) {
  core::Result<Symbol> symbol =
      find_symbol("kernels." + kernel.signature.name, kernel.library, kernel.function + "_cuda");
  if (!symbol) return symbol.faults();
  if (symbol->address != nullptr) {
    registry.replace(kernel.signature.name, launcher_body(std::move(symbol.value())));
  }
  return {};
}

}  // namespace

core::Result<std::vector<char>> compile_cuda(const std::string& where, const std::string& path,
                                             const std::string& architecture) {
  std::ifstream file(path);
  if (!file) return core::Fault{where, "source " + path + ": there is no such file"};
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string header(embedded_user_kernel_header().front().second);
  const std::array<const char*, 1> headers = {header.c_str()};
  const std::array<const char*, 1> names = {"exec/user_kernel.h"};
  nvrtcProgram program = nullptr;
  check_compiler(
      nvrtcCreateProgram(&program, text.c_str(), path.c_str(), 1, headers.data(), names.data()),
      "compiling a kernel");
  const auto destroy = [](nvrtcProgram* made) { (void)nvrtcDestroyProgram(made); };
  const std::unique_ptr<nvrtcProgram, decltype(destroy)> keep(&program, destroy);
  const std::string target = "--gpu-architecture=" + architecture;
  const std::array<const char*, 3> options = {target.c_str(), "--std=c++17",
                                              "--include-path=" PARLEY_CUDA_INCLUDE};
  const nvrtcResult status =
      nvrtcCompileProgram(program, static_cast<int>(options.size()), options.data());
  if (status == NVRTC_ERROR_COMPILATION) {
    return core::Fault{where, "source " + path + " does not compile:\n" + log_of(program)};
  }
  check_compiler(status, "compiling a kernel");
  std::size_t size = 0;
  check_compiler(nvrtcGetCUBINSize(program, &size), "compiling a kernel");
  std::vector<char> code(size);
  check_compiler(nvrtcGetCUBIN(program, code.data()), "compiling a kernel");
  return code;
}

core::Faults add_user_kernels(const core::Program& program, DeviceKernelRegistry& registry) {
  core::Faults faults;
  for (std::size_t i = 0; i < program.user_kernel_count(); ++i) {
    const core::UserKernel& kernel = program.user_kernel(i);
    const core::Faults found =
        kernel.source.empty() ? add_launcher(kernel, registry) : add_compiled(kernel, registry);
    faults.insert(faults.end(), found.begin(), found.end());
  }
  return faults;
}

}  // namespace parley::exec::cuda
