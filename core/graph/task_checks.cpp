// What Program::spawn refuses in a task's accesses and kernels.
#include <algorithm>

#include "core/graph/program.h"

namespace parley::core {

bool Program::check_accesses(const TaskSpec& spec, Faults& faults) const {
  const std::size_t before = faults.size();
  std::size_t members = 1;
  for (const Alternative& alternative : spec.placement) {
    members = std::max(members, alternative.members.size());
  }
  for (std::size_t i = 0; i < spec.accesses.size(); ++i) {
    const Access& access = spec.accesses[i];
    if (access.member >= members) {
      faults.push_back({"", "member " + std::to_string(access.member) + " of " +
                                region_text(access.region, access.view) +
                                ": the placement has groups of at most " +
                                std::to_string(members)});
    }
    if (!writes(access.mode)) continue;
    for (std::size_t j = 0; j < i; ++j) {
      const Access& other = spec.accesses[j];
      if (!writes(other.mode)) continue;
      const Region& a = regions_[access.region];
      const Region& b = regions_[other.region];
      const bool is_same = access.region == other.region && access.member == other.member;
      if (a.array != b.array || is_same || a.box.is_empty() || !intersection(a.box, b.box))
        continue;
      faults.push_back({"", "written operands " + region_text(other.region, other.view) + " and " +
                                region_text(access.region, access.view) +
                                " overlap; what a task writes must be disjoint"});
    }
  }
  return faults.size() == before;
}

namespace {

void check_call(const KernelCall& call, std::span<const Access> accesses, std::size_t scratch_count,
                Faults& faults) {
  const auto fault = [&](const std::string& what) {
    faults.push_back({"kernel", "\"" + call.name + "\": " + what});
  };
  const KernelSignature* signature = find_kernel(call.name);
  if (signature == nullptr) {
    std::vector<std::string> names;
    for (const KernelSignature& known : kernel_signatures()) names.push_back(known.name);
    faults.push_back(
        {"kernel", "unknown kernel \"" + call.name + "\"" + did_you_mean(call.name, names)});
    return;
  }
  const std::size_t most = signature->arguments.size();
  const std::size_t least = most - signature->optional_arguments;
  const std::size_t found = call.arguments.size();
  if (!(most == 0 && least == 0) &&
      (found < least || (found > most && !signature->last_argument_repeats))) {
    fault("takes " + std::to_string(least) + (most > least ? " to " + std::to_string(most) : "") +
          " operand(s); found " + std::to_string(found));
  }
  for (std::size_t i = 0; i < found; ++i) {
    const KernelArgument& argument = call.arguments[i];
    if (argument.index >= (argument.is_scratch ? scratch_count : accesses.size())) {
      fault("argument " + std::to_string(i) + " names no operand of the task");
      continue;
    }
    if (argument.is_scratch || most == 0) continue;
    const AccessMode mode = accesses[argument.index].mode;
    const ArgumentMode wanted = signature->arguments[std::min(i, most - 1)];
    if (wanted != ArgumentMode::kRead && !writes(mode)) {
      fault("writes its argument " + std::to_string(i) + ", which the task declares as \"in\"");
    }
  }
  for (const auto& [name, value] : call.parameters) {
    const auto known = std::any_of(signature->parameters.begin(), signature->parameters.end(),
                                   [&](const KernelParameter& p) { return p.name == name; });
    if (known) continue;
    std::vector<std::string> names;
    for (const KernelParameter& parameter : signature->parameters) names.push_back(parameter.name);
    fault("unknown parameter \"" + name + "\"" + did_you_mean(name, names));
  }
  for (const KernelParameter& parameter : signature->parameters) {
    const auto given = std::any_of(call.parameters.begin(), call.parameters.end(),
                                   [&](const auto& p) { return p.first == parameter.name; });
    if (parameter.is_required && !given) fault("needs the parameter \"" + parameter.name + "\"");
  }
}

}  // namespace

void Program::check_kernels(const TaskSpec& spec, Faults& faults) const {
  std::size_t scratch_count = spec.placement.empty() ? 0 : spec.placement.front().scratch.size();
  for (const KernelCall& call : spec.kernel) check_call(call, spec.accesses, scratch_count, faults);
  for (const Alternative& alternative : spec.placement) {
    if (!alternative.kernel) continue;
    for (const KernelCall& call : *alternative.kernel) {
      check_call(call, spec.accesses, alternative.scratch.size(), faults);
    }
  }
}

}  // namespace parley::core
