#include "exec/user_kernels.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/base/check.h"
#include "core/graph/box.h"

namespace parley::exec {
namespace {

static_assert(PARLEY_COMPLEX128 == static_cast<int>(core::DType::kComplex128));
static_assert(core::Box::kMaxRank == sizeof(parley_operand::shape) / sizeof(long long));

parley_operand described(const HostOperand& operand) {
  parley_operand seen{};
  seen.data = operand.data;
  seen.dtype = static_cast<int>(operand.dtype);
  seen.rank = static_cast<int>(operand.shape.size());
  seen.size = operand.size();
  std::copy(operand.shape.begin(), operand.shape.end(), seen.shape);
  std::copy(operand.strides.begin(), operand.strides.end(), seen.strides);
  return seen;
}

HostKernel host_body(Symbol symbol) {
  return [symbol = std::move(symbol)](const core::KernelCall& call,
                                      std::span<const HostOperand> operands) {
    std::vector<parley_operand> seen;
    for (const HostOperand& operand : operands) seen.push_back(described(operand));
    const std::vector<double> parameters = parameter_values(call);
    auto* function = reinterpret_cast<parley_host_kernel*>(symbol.address);
    const int status = function(seen.data(), static_cast<int>(seen.size()), parameters.data(),
                                static_cast<int>(parameters.size()));
    if (status != 0) {
      throw std::runtime_error("kernel " + call.name + " returned " + std::to_string(status));
    }
  };
}

/// By the symbol table of what it is in; what no table names, thread-local data among it, is none.
bool is_function(void* address) {
  Dl_info info = {};
  void* found = nullptr;
  if (dladdr1(address, &info, &found, RTLD_DL_SYMENT) == 0 || found == nullptr) return false;
  const auto type = ELF64_ST_TYPE(static_cast<const ElfW(Sym)*>(found)->st_info);
  return type == STT_FUNC || type == STT_GNU_IFUNC;
}

}  // namespace

std::vector<double> parameter_values(const core::KernelCall& call) {
  std::vector<double> values;
  parameter_values(call, values);
  return values;
}

void parameter_values(const core::KernelCall& call, std::vector<double>& values) {
  const core::KernelSignature* signature = core::signature_of(call);
  PARLEY_CHECK(signature != nullptr, "unknown kernel " + call.name);
  values.clear();
  for (const core::KernelParameter& known : signature->parameters) {
    values.push_back(parameter(call, known.name));
  }
}

core::Result<Symbol> find_symbol(const std::string& where, const std::string& library,
                                 const std::string& name) {
  std::error_code problem;
  const std::filesystem::file_status file = std::filesystem::status(library, problem);
  if (!std::filesystem::exists(file)) {
    return core::Fault{where, "library " + library + ": there is no such file; build it first"};
  }
  // Opening a pipe would wait for somebody to write to it.
  if (!std::filesystem::is_regular_file(file)) {
    return core::Fault{where, "library " + library + ": is no file, but a folder or a device"};
  }
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return core::Fault{where, "library: " + std::string(dlerror())};
  Symbol symbol;
  symbol.keep = std::shared_ptr<void>(handle, [](void* opened) { dlclose(opened); });
  symbol.address = dlsym(handle, name.c_str());
  if (symbol.address != nullptr && !is_function(symbol.address)) {
    return core::Fault{where, "library " + library + ": \"" + name + "\" is data, not a function"};
  }
  return symbol;
}

core::Faults add_user_kernels(const core::Program& program, KernelRegistry& registry) {
  core::Faults faults;
  for (std::size_t i = 0; i < program.user_kernel_count(); ++i) {
    const core::UserKernel& kernel = program.user_kernel(i);
    if (kernel.library.empty()) continue;
    const std::string where = "kernels." + kernel.signature.name;
    core::Result<Symbol> symbol = find_symbol(where, kernel.library, kernel.function);
    if (!symbol) {
      faults.insert(faults.end(), symbol.faults().begin(), symbol.faults().end());
    } else if (symbol->address != nullptr) {
      registry.replace(kernel.signature.name, host_body(std::move(symbol.value())));
    } else {
      faults.push_back({where, "library " + kernel.library + " has no function \"" +
                                   kernel.function + "\"; declare it extern \"C\""});
    }
  }
  return faults;
}

KernelRegistry kernels_of(const core::Program& program) {
  KernelRegistry kernels;
  (void)add_user_kernels(program, kernels);
  return kernels;
}

}  // namespace parley::exec
