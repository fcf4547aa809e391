// Kernels that a program brings along.
#include <algorithm>
#include <cctype>

#include "core/graph/program.h"

namespace parley::core {
namespace {

bool is_c_name(const std::string& text) {
  const auto is_letter = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::all_of(text.begin(), text.end(), is_letter);
}

Faults faults_of(const Program& program, const UserKernel& kernel) {
  Faults faults;
  const std::string& name = kernel.signature.name;
  if (name.empty()) faults.push_back({"name", "is empty"});
  if (find_kernel(name) != nullptr) {
    faults.push_back({"", "\"" + name + "\" is a built-in kernel; give this one another name"});
  }
  if (program.find_user_kernel(name) != nullptr) {
    faults.push_back({"", "kernel \"" + name + "\" is there already; names are unique"});
  }
  if (kernel.signature.arguments.empty()) {
    faults.push_back({"arguments", "is empty; a kernel takes at least one operand"});
  }
  if (kernel.source.empty() && kernel.library.empty()) {
    faults.push_back(
        {"",
         "has no body: give \"source\" (a CUDA file), \"library\" (a shared object) or "
         "both"});
  }
  if (!is_c_name(kernel.function)) {
    faults.push_back({"function", "found \"" + kernel.function +
                                      "\"; it must be the name of a C function: letters, digits "
                                      "and underscores"});
  }
  if (kernel.block < 1 || kernel.block > 1024) {
    faults.push_back({"block", "found " + std::to_string(kernel.block) +
                                   "; a block has from 1 to 1024 threads"});
  }
  return faults;
}

}  // namespace

Result<bool> Program::add_kernel(UserKernel kernel) {
  Faults faults = faults_of(*this, kernel);
  if (!faults.empty()) return faults;
  user_kernels_.push_back(std::make_unique<UserKernel>(std::move(kernel)));
  return true;
}

const UserKernel* Program::find_user_kernel(std::string_view name) const {
  const auto found =
      std::find_if(user_kernels_.begin(), user_kernels_.end(),
                   [&](const auto& kernel) { return kernel->signature.name == name; });
  return found == user_kernels_.end() ? nullptr : found->get();
}

void Program::resolve_kernels(TaskSpec& spec) const {
  if (user_kernels_.empty()) return;
  const auto resolve = [&](Kernel& kernel) {
    for (KernelCall& call : kernel) {
      const UserKernel* own = find_user_kernel(call.name);
      call.own = own != nullptr ? &own->signature : nullptr;
    }
  };
  resolve(spec.kernel);
  for (Alternative& alternative : spec.placement) {
    if (alternative.kernel) resolve(*alternative.kernel);
  }
}

}  // namespace parley::core
