// What Program::spawn refuses in a task's accesses and kernels.
#include <algorithm>

#include "core/graph/program.h"

namespace parley::core {

bool Program::check_accesses(const TaskSpec& spec, Faults& faults) const {
  const std::size_t before = faults.size();
  std::size_t members = Box::kMaxRank * 1024;
  for (const Alternative& alternative : spec.placement) {
    members = std::min(members, alternative.members.size());
  }
  for (std::size_t i = 0; i < spec.accesses.size(); ++i) {
    const Access& access = spec.accesses[i];
    if (access.member >= members) {
      faults.push_back({"", "member " + std::to_string(access.member) + " of " +
                                region_text(access.region, access.view) +
                                ": an alternative of the placement has only " +
                                std::to_string(members) + " device(s)"});
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

/// Checks the calls of one kernel in order, keeping note of what earlier calls have written.
class KernelCheck {
 public:
  KernelCheck(const Program& program, std::span<const Access> accesses,
              std::span<const ScratchArray> scratch, Faults& faults)
      : program_(program), accesses_(accesses), scratch_(scratch), faults_(faults) {
    for (const Access& access : accesses) has_contents_.push_back(reads(access.mode));
    scratch_has_contents_.resize(scratch.size(), false);
  }

  void check(const KernelCall& call) {
    if (const auto fault = call_fault(call)) {
      faults_.push_back({"kernel", *fault});
      return;
    }
    std::vector<std::vector<std::int64_t>> shapes;
    std::vector<DType> types;
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      const KernelArgument& argument = call.arguments[i];
      if (argument.index >= (argument.is_scratch ? scratch_.size() : accesses_.size())) {
        fault(call, "argument " + std::to_string(i) + " names no operand of the task");
        return;
      }
      check_mode(call, i);
      shapes.push_back(shape(argument));
      types.push_back(dtype(argument));
    }
    if (const auto wrong = shape_fault(call, shapes)) fault(call, *wrong);
    if (const auto wrong = type_fault(call, types)) fault(call, *wrong);
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      if (argument_mode(call, i) != ArgumentMode::kRead) has_contents(call.arguments[i]) = true;
    }
  }

 private:
  void fault(const KernelCall& call, const std::string& what) {
    faults_.push_back({"kernel", "kernel \"" + call.name + "\": " + what});
  }

  std::vector<bool>::reference has_contents(const KernelArgument& argument) {
    return argument.is_scratch ? scratch_has_contents_[argument.index]
                               : has_contents_[argument.index];
  }

  void check_mode(const KernelCall& call, std::size_t position) {
    const KernelArgument& argument = call.arguments[position];
    const ArgumentMode mode = argument_mode(call, position);
    if (mode == ArgumentMode::kAny) return;
    if (mode != ArgumentMode::kWrite && !has_contents(argument)) {
      fault(call, "reads " + name(argument) +
                      (argument.is_scratch ? ", which no earlier kernel of the task has written"
                                           : ", which the task declares as \"out\""));
    }
    if (mode != ArgumentMode::kRead && !argument.is_scratch &&
        !writes(accesses_[argument.index].mode)) {
      fault(call, "writes " + name(argument) + ", which the task declares as \"in\"");
    }
  }

  [[nodiscard]] std::string name(const KernelArgument& argument) const {
    if (argument.is_scratch) return "$" + scratch_[argument.index].name;
    return program_.region_text(accesses_[argument.index].region, argument.view);
  }

  [[nodiscard]] DType dtype(const KernelArgument& argument) const {
    if (argument.is_scratch) return scratch_[argument.index].dtype;
    return program_.array(program_.region(accesses_[argument.index].region).array).spec.dtype;
  }

  [[nodiscard]] std::vector<std::int64_t> shape(const KernelArgument& argument) const {
    if (argument.is_scratch) return scratch_[argument.index].shape;
    const Box& box = program_.region(accesses_[argument.index].region).box;
    std::vector<std::int64_t> extents;
    for (std::size_t d = 0; d < box.rank(); ++d) {
      if ((argument.view.dropped >> d & 1U) == 0) extents.push_back(box[d].count);
    }
    return extents;
  }

  const Program& program_;
  std::span<const Access> accesses_;
  std::span<const ScratchArray> scratch_;
  Faults& faults_;
  std::vector<bool> has_contents_;
  std::vector<bool> scratch_has_contents_;
};

}  // namespace

void Program::check_kernels(const TaskSpec& spec, Faults& faults) const {
  const auto check = [&](const Kernel& kernel, std::span<const ScratchArray> scratch) {
    KernelCheck checker(*this, spec.accesses, scratch, faults);
    for (const KernelCall& call : kernel) checker.check(call);
  };
  std::span<const ScratchArray> scratch;
  if (!spec.placement.empty()) scratch = spec.placement.front().scratch;
  check(spec.kernel, scratch);
  for (const Alternative& alternative : spec.placement) {
    if (alternative.kernel) check(*alternative.kernel, alternative.scratch);
  }
}

}  // namespace parley::core
