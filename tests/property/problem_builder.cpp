// From drafts to programs and machines. Whatever a draft says, the program that comes out is legal:
// slices that do not exist are left out, reads of what nobody wrote become writes, written operands
// of a task never overlap, and conflicting tasks of explicit programs get an edge.
#include <algorithm>
#include <set>

#include "core/memory/arena.h"
#include "tests/property/problem_machine.h"
#include "tests/property/random_problem.h"
#include "tests/support/chooser.h"
#include "tests/support/command_checker.h"
#include "tests/support/geometry.h"

namespace parley::test {

using namespace core;  // NOLINT

namespace {

std::optional<RegionView> region_of(Program& program, const AccessDraft& access) {
  RegionView view = program.whole(ArrayId(access.array));
  for (const SliceDraft& slice : access.slices) {
    std::vector<Index> indices;
    for (const IndexDraft& index : slice) {
      if (index.is_integer) {
        indices.emplace_back(index.start);
      } else {
        indices.emplace_back(Slice{index.start, index.stop, index.step});
      }
    }
    const Result<RegionView> cut = program.slice(view, indices);
    if (!cut) break;  // too many indices, or one out of bounds
    view = *cut;
  }
  return view;
}

Alternative any_device() {
  Alternative alternative;
  alternative.members = {"any"};
  return alternative;
}

ArraySpec spec_of(const ProblemDraft& draft, std::size_t index) {
  const ArrayDraft& array = draft.arrays[index];
  ArraySpec spec;
  spec.name = std::string(1, static_cast<char>('A' + index));
  spec.shape = array.shape;
  spec.dtype = array.dtype;
  spec.is_opaque = array.is_opaque;
  spec.initial.kind = array.initial;
  spec.initial.seed = index;
  spec.at_end = array.at_end;
  spec.homes.clear();
  for (const std::size_t gpu : array.homes) {
    const std::string name = gpu_space(gpu);
    const bool is_new = std::find(spec.homes.begin(), spec.homes.end(), name) == spec.homes.end();
    if (gpu < draft.gpus.size() && is_new) spec.homes.push_back(name);
  }
  if (spec.homes.empty()) {
    spec.homes.push_back(host_space(array.is_at_second_host && draft.nodes == 2 ? 1 : 0));
  }
  return spec;
}

// A task as it will be spawned; regions are made then.
struct PlannedTask {
  TaskSpec spec;
  std::vector<AccessDraft> accesses;
};

}  // namespace

struct Problem::Plan {
  std::vector<PlannedTask> tasks;
};

class ProblemBuilder {
 public:
  explicit ProblemBuilder(const ProblemDraft& draft)
      : draft_(draft), scout_("scout", DependencyMode::kExplicit) {}

  std::unique_ptr<Problem> build(std::string& why) {
    if (draft_.arrays.empty() || draft_.gpus.empty()) return refuse(why, "no arrays or no GPUs");
    for (std::size_t i = 0; i < draft_.arrays.size(); ++i) {
      const ArraySpec spec = spec_of(draft_, i);
      const bool is_defined = spec.initial.kind != Initial::Kind::kNone;
      const Result<ArrayId> array = scout_.add_array(spec);
      if (!array) return refuse(why, array.faults().front().what);
      const Array& made = scout_.array(*array);
      is_defined_.emplace_back(static_cast<std::size_t>(made.bytes.count() / made.element_bytes),
                               is_defined);
    }
    for (const TaskDraft& task : draft_.tasks) plan_task(task);
    auto problem = std::unique_ptr<Problem>(new Problem());
    Result<Machine> machine = Machine::create(machine_spec());
    if (!machine) {
      return refuse(why, machine.faults().front().where + ": " + machine.faults().front().what);
    }
    problem->machine_ = std::move(machine).value();
    fill(*problem);
    if (!problem->is_growing_) {
      problem->spawn(planned_.size());
      problem->close();
    }
    return problem;
  }

 private:
  struct Conflicts {
    ArrayId array;
    std::vector<std::int64_t> elements;
    bool is_written = false;
    bool is_bytes_free = false;  // an array of no bytes: it orders as a whole
  };

  static std::unique_ptr<Problem> refuse(std::string& why, const std::string& reason) {
    why = reason;
    return nullptr;
  }

  [[nodiscard]] bool is_defined(ArrayId array, std::span<const std::int64_t> elements) const {
    return std::all_of(elements.begin(), elements.end(), [&](std::int64_t element) {
      return is_defined_[array.index()][static_cast<std::size_t>(element)];
    });
  }

  static bool overlap(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
    std::vector<std::int64_t> common;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
    return !common.empty();
  }

  // Accesses made legal: see the head of this file.
  void plan_accesses(const TaskDraft& task, PlannedTask& planned,
                     std::vector<Conflicts>& conflicts) {
    struct Taken {
      RegionId region;
      std::uint8_t member;
    };
    std::vector<Taken> taken;
    for (AccessDraft access : task.accesses) {
      if (access.array >= draft_.arrays.size()) continue;
      const RegionId region = region_of(scout_, access)->region;
      const ArrayId array(access.array);
      const std::vector<std::int64_t> elements = elements_of(scout_, region);
      if (reads(access.mode) && !is_defined(array, elements)) access.mode = AccessMode::kOut;
      bool is_left_out = false;
      for (std::size_t i = 0; i < taken.size(); ++i) {
        if (conflicts[i].array != array || !conflicts[i].is_written || !writes(access.mode))
          continue;
        const bool is_same = taken[i].region == region && taken[i].member == access.member;
        if (is_same || !overlap(conflicts[i].elements, elements)) continue;
        if (!is_defined(array, elements)) is_left_out = true;
        access.mode = AccessMode::kIn;
      }
      if (is_left_out) continue;
      taken.push_back({region, access.member});
      conflicts.push_back(
          {array, elements, writes(access.mode), scout_.array(array).bytes.count() == 0});
      planned.accesses.push_back(std::move(access));
    }
  }

  void plan_task(const TaskDraft& task) {
    PlannedTask planned;
    std::vector<Conflicts> conflicts;
    planned.spec.name = "T[" + std::to_string(task.number) + "]";
    planned.spec.kind = task.kind;
    if (task.kind == TaskKind::kEvict) {
      for (AccessDraft access : task.accesses) {
        if (access.array >= draft_.arrays.size()) continue;
        access.mode = AccessMode::kIn;
        planned.accesses.push_back(std::move(access));
      }
      if (planned.accesses.empty()) return;
      planned.spec.evict_space = task.evict_space;
      planned.spec.keep_last = task.keep_last;
    } else {
      plan_accesses(task, planned, conflicts);
    }
    bool has_out = false;
    for (const AccessDraft& access : planned.accesses) has_out |= access.mode == AccessMode::kOut;
    if (!task.kernel.empty() && !has_out) planned.spec.kernel.push_back({task.kernel, {}, {}});
    planned.spec.priority = task.priority;
    if (task.is_held_back) planned.spec.release = Time(1000000);
    planned.spec.is_lazy = task.is_lazy;
    planned.spec.cost = {{"", Duration(task.cost_ns), 0.0, 0.0}};
    if (task.is_shown && !planned.accesses.empty()) {
      planned.spec.show.push_back({ArrayId(planned.accesses.front().array)});
    }
    plan_placement(task, planned);
    plan_dependencies(task, planned, conflicts);
    for (const Conflicts& access : conflicts) {
      if (!access.is_written) continue;
      for (const std::int64_t element : access.elements) {
        is_defined_[access.array.index()][static_cast<std::size_t>(element)] = true;
      }
    }
    numbers_.push_back(task.number);
    conflicts_.push_back(std::move(conflicts));
    planned_.push_back(std::move(planned));
  }

  void plan_placement(const TaskDraft& task, PlannedTask& planned) {
    std::uint8_t members = 1;
    for (const AccessDraft& access : planned.accesses) {
      members = std::max<std::uint8_t>(members, static_cast<std::uint8_t>(access.member + 1));
    }
    for (const PlacementDraft& one : task.placement) {
      Alternative alternative;
      alternative.members = one.members;
      for (std::string& member : alternative.members) {
        if (member.starts_with("gpu:") && std::stoul(member.substr(4)) >= draft_.gpus.size()) {
          member = "gpu";
        }
      }
      while (alternative.members.size() < members) alternative.members.push_back("any");
      alternative.is_group = alternative.members.size() > 1;
      alternative.scratch_bytes = Bytes(one.scratch_bytes);
      alternative.milli_vcus = one.milli_vcus;
      const bool has_enough = alternative.members.size() <= draft_.gpus.size() + draft_.nodes &&
                              std::count(one.members.begin(), one.members.end(), "gpu") <=
                                  static_cast<std::ptrdiff_t>(draft_.gpus.size());
      if (has_enough) planned.spec.placement.push_back(std::move(alternative));
    }
    if (planned.spec.placement.empty() && members == 1) {
      planned.spec.placement.push_back(any_device());
    }
    if (planned.spec.placement.empty()) {
      for (AccessDraft& access : planned.accesses) access.member = 0;
      planned.spec.placement.push_back(any_device());
    }
  }

  static bool conflict(const std::vector<Conflicts>& a, const std::vector<Conflicts>& b) {
    for (const Conflicts& x : a) {
      for (const Conflicts& y : b) {
        if (x.array != y.array || !(x.is_written || y.is_written)) continue;
        if (x.is_bytes_free || overlap(x.elements, y.elements)) return true;
      }
    }
    return false;
  }

  // `after` holds positions in planned_ for now.
  void plan_dependencies(const TaskDraft& task, PlannedTask& planned,
                         const std::vector<Conflicts>& conflicts) {
    std::set<std::size_t> ancestors;
    const auto add = [&](std::size_t on) {
      planned.spec.after.emplace_back(on);
      ancestors.insert(on);
      ancestors.insert(ancestors_[on].begin(), ancestors_[on].end());
    };
    if (draft_.mode != DependencyMode::kInferred) {
      for (std::size_t i = 0; i < numbers_.size(); ++i) {
        const bool is_named =
            std::find(task.after.begin(), task.after.end(), numbers_[i]) != task.after.end();
        if (is_named) add(i);
      }
    }
    if (draft_.mode == DependencyMode::kExplicit) {
      for (std::size_t i = planned_.size(); i-- > 0;) {
        if (!ancestors.contains(i) && conflict(conflicts, conflicts_[i])) add(i);
      }
    }
    ancestors_.push_back(std::move(ancestors));
  }

  // ---- the machine ----

  [[nodiscard]] bool may_be(const std::string& member, std::size_t gpu) const {
    return member == "any" || member == "gpu" || member == "gpu:" + std::to_string(gpu);
  }

  [[nodiscard]] std::int64_t member_bytes(const PlannedTask& task, std::size_t member) {
    std::set<RegionId> regions;
    std::int64_t bytes = 0;
    for (const AccessDraft& access : task.accesses) {
      const RegionId region = region_of(scout_, access)->region;
      if (access.member == member && regions.insert(region).second) {
        bytes += Arena::rounded(scout_.region(region).bytes).count();
      }
    }
    return bytes;
  }

  // The largest of the working sets that may have to fit, and what lies there at the start.
  [[nodiscard]] std::int64_t least_capacity(std::size_t gpu) {
    std::int64_t largest = 0;
    for (const PlannedTask& task : planned_) {
      if (task.spec.kind == TaskKind::kEvict) continue;
      for (const Alternative& alternative : task.spec.placement) {
        for (std::size_t m = 0; m < alternative.members.size(); ++m) {
          if (!may_be(alternative.members[m], gpu)) continue;
          largest = std::max(
              largest, member_bytes(task, m) + Arena::rounded(alternative.scratch_bytes).count());
        }
      }
    }
    return std::max(
        {largest + draft_.gpus[gpu].slack, initial_bytes_at(gpu_space(gpu)), Arena::kAlignment});
  }

  [[nodiscard]] std::int64_t initial_bytes_at(const std::string& space) const {
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < scout_.array_count(); ++i) {
      const Array& array = scout_.array(ArrayId(i));
      for (const std::string& home : array.spec.homes) {
        if (home == space) bytes += Arena::rounded(array.bytes).count();
      }
    }
    return bytes;
  }

  // All home slots, and the largest working set of a task.
  [[nodiscard]] std::int64_t host_capacity() {
    std::int64_t host = draft_.host_slack + Arena::kAlignment;
    for (std::size_t i = 0; i < scout_.array_count(); ++i) {
      host += Arena::rounded(scout_.array(ArrayId(i)).bytes).count();
    }
    std::int64_t work = 0;
    for (const PlannedTask& task : planned_) {
      std::int64_t needed = 0;
      for (std::size_t m = 0; m < 2; ++m) needed += member_bytes(task, m);
      for (const Alternative& alternative : task.spec.placement) {
        work = std::max(work, needed + Arena::rounded(alternative.scratch_bytes).count());
      }
      // A growing program may need one work area after the other.
      if (draft_.is_growing) host += work;
    }
    return host + work;
  }

  MachineSpec machine_spec() {
    std::vector<Bytes> gpus;
    for (std::size_t gpu = 0; gpu < draft_.gpus.size(); ++gpu) {
      gpus.emplace_back(least_capacity(gpu));
    }
    return machine_of(draft_, Bytes(host_capacity()), gpus);
  }

  // ---- the program ----

  void fill(Problem& problem) {
    problem.program_ = std::make_unique<Program>("random", draft_.mode);
    for (std::size_t i = 0; i < draft_.arrays.size(); ++i) {
      (void)problem.program_->add_array(spec_of(draft_, i));
    }
    std::vector<std::size_t> order(planned_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (draft_.is_permuted && draft_.mode == DependencyMode::kExplicit) {
      Random random(draft_.permutation);
      for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[random.below(i)]);
    }
    std::vector<std::size_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    problem.plan_ = std::make_unique<Problem::Plan>();
    for (const std::size_t i : order) {
      for (TaskId& on : planned_[i].spec.after) on = TaskId(place[on.index()]);
      problem.plan_->tasks.push_back(std::move(planned_[i]));
    }
    for (const std::size_t portion : draft_.portions) {
      const bool is_more = problem.portions_.empty() || portion > problem.portions_.back();
      if (portion < order.size() && is_more) problem.portions_.push_back(portion);
    }
    problem.portions_.push_back(order.size());
    problem.is_growing_ = draft_.is_growing && problem.portions_.size() > 1;
    problem.has_failure_ = draft_.has_failure;
    problem.fail_after_ = draft_.fail_after;
  }

  const ProblemDraft& draft_;
  Program scout_;                              // for regions and sizes only; has no tasks
  std::vector<std::vector<bool>> is_defined_;  // by array, then element
  std::vector<PlannedTask> planned_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::vector<Conflicts>> conflicts_;
  std::vector<std::set<std::size_t>> ancestors_;
};

Problem::Problem() = default;
Problem::~Problem() = default;

void Problem::spawn(std::size_t end) {
  for (std::size_t i = program_->task_count(); i < end; ++i) {
    PlannedTask& planned = plan_->tasks[i];
    TaskSpec spec = planned.spec;
    for (const AccessDraft& access : planned.accesses) {
      const RegionView view = *region_of(*program_, access);
      spec.accesses.push_back({view.region, access.mode, access.member, view.view});
    }
    const Result<TaskId> task = program_->spawn(std::move(spec));
    if (!task) {
      throw RuleBroken("spawn: " + planned.spec.name + ": " + task.faults().front().what);
    }
  }
}

void Problem::close() {
  const Result<bool> closed = program_->close();
  if (!closed) throw RuleBroken("close: " + closed.faults().front().what);
}

AdversarialPlan Problem::plan() {
  AdversarialPlan plan;
  plan.portions = portions_;
  plan.has_failure = has_failure_;
  plan.fail_after = fail_after_;
  if (is_growing_) {
    plan.grow = [this](std::size_t portion) {
      spawn(portions_[portion]);
      if (portion + 1 == portions_.size()) close();
    };
  }
  return plan;
}

std::unique_ptr<Problem> build(const ProblemDraft& draft, std::string& why) {
  return ProblemBuilder(draft).build(why);
}

}  // namespace parley::test
