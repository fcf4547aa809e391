#include "core/graph/program.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/check.h"
#include "core/graph/inference.h"
#include "core/graph/interner.h"
#include "core/graph/selection.h"
#include "core/graph/task_graph.h"

namespace parley::core {
namespace {

std::size_t combine(std::size_t seed, std::size_t value) {
  return (seed ^ value) * 0x9e3779b97f4a7c15ULL + (seed >> 7U);
}

std::size_t hash_of(const Cost& cost) {
  std::size_t hash = cost.size();
  for (const CostEntry& entry : cost) {
    hash = combine(hash, std::hash<std::string>()(entry.on));
    hash = combine(hash, std::hash<double>()(entry.flops));
    hash = combine(hash, std::hash<double>()(entry.bytes));
    hash = combine(hash, static_cast<std::size_t>(entry.stated.value_or(Duration(-1)).count()));
  }
  return hash;
}

std::size_t hash_of(const Kernel& kernel) {
  std::size_t hash = kernel.size();
  for (const KernelCall& call : kernel) {
    hash = combine(hash, std::hash<std::string>()(call.name));
    for (const auto& [name, value] : call.parameters) {
      hash = combine(hash, std::hash<double>()(value));
    }
    for (const KernelArgument& argument : call.arguments) {
      hash = combine(hash, argument.index * 2U + (argument.is_scratch ? 1U : 0U));
    }
  }
  return hash;
}

std::size_t hash_of(const Placement& placement) {
  std::size_t hash = placement.size();
  for (const Alternative& alternative : placement) {
    for (const std::string& member : alternative.members) {
      hash = combine(hash, std::hash<std::string>()(member));
    }
    hash = combine(hash, static_cast<std::size_t>(alternative.milli_vcus));
    hash = combine(hash, static_cast<std::size_t>(alternative.scratch_bytes.count()));
    if (alternative.cost) hash = combine(hash, hash_of(*alternative.cost));
  }
  return hash;
}

}  // namespace

struct Program::Interning {
  std::unordered_map<std::string, ArrayId, StringHash, std::equal_to<>> arrays;
  std::vector<std::unordered_map<std::size_t, std::vector<RegionId>>> regions;  // by array
  // Task names live in the program's names_; the set holds ids and compares the texts behind them.
  const Program* owner = nullptr;  // told anew when the program moves
  struct TaskNameHash {
    using is_transparent = void;
    const Interning* interning;
    std::size_t operator()(TaskId id) const { return (*this)(interning->owner->task_name(id)); }
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };
  struct TaskNameEqual {
    using is_transparent = void;
    const Interning* interning;
    bool operator()(TaskId a, TaskId b) const { return a == b; }
    bool operator()(std::string_view a, TaskId b) const {
      return a == interning->owner->task_name(b);
    }
    bool operator()(TaskId a, std::string_view b) const { return (*this)(b, a); }
  };
  std::unordered_set<TaskId, TaskNameHash, TaskNameEqual> tasks{16, TaskNameHash{this},
                                                                TaskNameEqual{this}};
  Interner<PlacementId, Placement> placements;
  Interner<CostId, Cost> costs;
  Interner<KernelId, Kernel> kernels;
  DependencyInference inference;
  std::unordered_map<std::size_t, TaskExtras> extras;  // by task index; looked up only
  std::size_t unnamed_tasks = 0;
};

std::string_view name_of(AccessMode mode) {
  switch (mode) {
    case AccessMode::kIn:
      return "in";
    case AccessMode::kOut:
      return "out";
    case AccessMode::kInout:
      return "inout";
  }
  return "";
}

std::string_view name_of(DependencyMode mode) {
  switch (mode) {
    case DependencyMode::kInferred:
      return "inferred";
    case DependencyMode::kExplicit:
      return "explicit";
    case DependencyMode::kBoth:
      return "both";
  }
  return "";
}

Program::Program(std::string name, DependencyMode mode)
    : name_(std::move(name)), mode_(mode), interning_(std::make_unique<Interning>()) {
  interning_->owner = this;
}

Program::~Program() = default;

Program::Program(Program&& other) noexcept
    : description(std::move(other.description)),
      name_(std::move(other.name_)),
      mode_(other.mode_),
      is_closed_(other.is_closed_),
      arrays_(std::move(other.arrays_)),
      regions_(std::move(other.regions_)),
      tasks_(std::move(other.tasks_)),
      accesses_(std::move(other.accesses_)),
      dependencies_(std::move(other.dependencies_)),
      placements_(std::move(other.placements_)),
      costs_(std::move(other.costs_)),
      kernels_(std::move(other.kernels_)),
      names_(std::move(other.names_)),
      factorization_(std::move(other.factorization_)),
      user_kernels_(std::move(other.user_kernels_)),
      interning_(std::move(other.interning_)) {
  interning_->owner = this;
}

Program& Program::operator=(Program&& other) noexcept {
  if (this != &other) {
    this->~Program();
    new (this) Program(std::move(other));
  }
  return *this;
}

// ---- arrays and regions ----

Result<ArrayId> Program::add_array(ArraySpec spec) {
  Faults faults;
  if (spec.name.empty()) faults.push_back({"name", "an array needs a name"});
  if (interning_->arrays.contains(spec.name)) {
    faults.push_back({"name", "duplicate array \"" + spec.name + "\"; names are unique"});
  }
  if (spec.shape.size() > Box::kMaxRank) {
    faults.push_back({"shape", "found " + std::to_string(spec.shape.size()) +
                                   " dimensions; at most " + std::to_string(Box::kMaxRank) +
                                   " are allowed"});
  }
  __int128 bytes = element_bytes(spec.dtype);
  for (std::size_t d = 0; d < spec.shape.size(); ++d) {
    if (spec.shape[d] < 0) {
      faults.push_back({"shape[" + std::to_string(d) + "]",
                        "found " + std::to_string(spec.shape[d]) + "; extents are 0 or more"});
    } else if (bytes <= kMostBytes.count()) {
      bytes *= spec.shape[d];
    }
  }
  if (bytes > kMostBytes.count())
    faults.push_back({"shape", "the array is larger than 2^50 bytes"});
  if (!faults.empty()) return faults;

  const ArrayId id = arrays_.next_id();
  const Box box = Box::whole(spec.shape);
  const Bytes total(static_cast<std::int64_t>(bytes));
  const RegionId whole = regions_.push_back({id, total, box});
  interning_->arrays.emplace(spec.name, id);
  interning_->regions.emplace_back()[hash_of(box)].push_back(whole);
  const std::int64_t element = element_bytes(spec.dtype);
  arrays_.push_back({std::move(spec), whole, element, total});
  if (mode_ != DependencyMode::kExplicit) interning_->inference.add_array(id, arrays_[id]);
  return id;
}

RegionView Program::whole(ArrayId array) const { return {arrays_[array].whole, {}}; }

Result<RegionView> Program::slice(RegionView base, std::span<const Index> indices) {
  auto selected = select(*this, base, indices);
  if (!selected) return selected.faults();
  const Region region = regions_[base.region];
  const Box& box = selected->box;
  auto& same_hash = interning_->regions[region.array.index()][hash_of(box)];
  for (const RegionId id : same_hash) {
    if (regions_[id].box == box) return RegionView{id, selected->view};
  }
  const RegionId id = regions_.push_back(
      {region.array, Bytes(box.size() * arrays_[region.array].element_bytes), box});
  same_hash.push_back(id);
  return RegionView{id, selected->view};
}

// ---- tasks ----

std::string_view Program::task_name(TaskId id) const {
  const Task& task = tasks_[id];
  return std::string_view(names_).substr(task.name_offset, task.name_length);
}

const TaskExtras& Program::extras(TaskId id) const {
  static const TaskExtras kNothing;
  if (!tasks_[id].has_extras) return kNothing;
  return interning_->extras.at(id.index());
}

std::optional<ArrayId> Program::find_array(std::string_view name) const {
  const auto found = interning_->arrays.find(name);
  if (found == interning_->arrays.end()) return std::nullopt;
  return found->second;
}

std::optional<TaskId> Program::find_task(std::string_view name) const {
  const auto found = interning_->tasks.find(name);
  if (found == interning_->tasks.end()) return std::nullopt;
  return *found;
}

void Program::merge_accesses(TaskSpec& spec) const {
  std::vector<Access> merged;
  std::vector<std::uint16_t> place(spec.accesses.size());
  for (std::size_t i = 0; i < spec.accesses.size(); ++i) {
    const Access& access = spec.accesses[i];
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const Access& other) {
      return other.region == access.region && other.member == access.member;
    });
    place[i] = static_cast<std::uint16_t>(same - merged.begin());
    if (same == merged.end()) {
      merged.push_back(access);
    } else if (same->mode != access.mode) {
      same->mode = AccessMode::kInout;
    }
  }
  if (merged.size() == spec.accesses.size()) return;
  const auto renumber = [&](Kernel& kernel) {
    for (KernelCall& call : kernel) {
      for (KernelArgument& argument : call.arguments) {
        if (!argument.is_scratch && argument.index < place.size()) {
          argument.index = place[argument.index];
        }
      }
    }
  };
  renumber(spec.kernel);
  for (Alternative& alternative : spec.placement) {
    if (alternative.kernel) renumber(*alternative.kernel);
  }
  spec.accesses = std::move(merged);
}

namespace {

/// Arguments by default: in, inout, out, each in list order.
void fill_arguments(Kernel& kernel, std::span<const Access> accesses) {
  for (KernelCall& call : kernel) {
    const KernelSignature* signature = signature_of(call);
    if (!call.arguments.empty() || signature == nullptr || signature->arguments.empty()) continue;
    for (const AccessMode mode : {AccessMode::kIn, AccessMode::kInout, AccessMode::kOut}) {
      for (std::size_t i = 0; i < accesses.size(); ++i) {
        if (accesses[i].mode != mode) continue;
        call.arguments.push_back({false, static_cast<std::uint16_t>(i), accesses[i].view});
      }
    }
  }
}

}  // namespace

void Program::store_dependencies(Task& task, std::vector<TaskId> timed,
                                 std::vector<TaskId> ordering) {
  const auto sort_unique = [](std::vector<TaskId>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  };
  sort_unique(timed);
  sort_unique(ordering);
  std::erase_if(ordering,
                [&](TaskId on) { return std::binary_search(timed.begin(), timed.end(), on); });
  task.first_dependency = dependencies_.size();
  task.timed_dependencies = static_cast<std::uint32_t>(timed.size());
  task.dependencies = static_cast<std::uint32_t>(timed.size() + ordering.size());
  dependencies_.insert(dependencies_.end(), timed.begin(), timed.end());
  dependencies_.insert(dependencies_.end(), ordering.begin(), ordering.end());
}

Result<TaskId> Program::spawn(TaskSpec spec) {
  Faults faults;
  const TaskId id = tasks_.next_id();
  PARLEY_CHECK(!is_closed_, "spawn after close");
  if (spec.name.empty()) {
    do {
      spec.name = "task[" + std::to_string(interning_->unnamed_tasks++) + "]";
    } while (find_task(spec.name));
  } else if (find_task(spec.name)) {
    faults.push_back({"name", "duplicate task \"" + spec.name + "\"; names are unique"});
  }
  if (spec.placement.empty()) spec.placement.push_back({.members = {"any"}});
  check_accesses(spec, faults);
  merge_accesses(spec);
  resolve_kernels(spec);
  fill_arguments(spec.kernel, spec.accesses);
  for (Alternative& alternative : spec.placement) {
    if (alternative.kernel) fill_arguments(*alternative.kernel, spec.accesses);
  }
  check_kernels(spec, faults);
  std::vector<TaskId> ordering;
  std::vector<TaskId> timed = spec.after;
  if (mode_ != DependencyMode::kExplicit) {
    for (const TaskId on : spec.after) {
      if (on < id) continue;
      faults.push_back(
          {"after", "names a task that comes later; only \"explicit\" dependencies may"});
    }
    const auto undefined =
        interning_->inference.dependencies(*this, spec.accesses, spec.kind, ordering, timed);
    if (undefined) {
      faults.push_back({"", "reads " + region_text(*undefined) +
                                ", of which nothing was written: give the array \"init\", or write "
                                "it first"});
    }
  }
  if (!faults.empty()) return faults;

  Task task;
  task.name_offset = names_.size();
  task.name_length = static_cast<std::uint32_t>(spec.name.size());
  names_ += spec.name;
  task.kind = spec.kind;
  task.is_lazy = spec.is_lazy;
  task.first_access = static_cast<std::uint32_t>(accesses_.size());
  task.access_count = static_cast<std::uint32_t>(spec.accesses.size());
  accesses_.insert(accesses_.end(), spec.accesses.begin(), spec.accesses.end());
  store_dependencies(task, std::move(timed), std::move(ordering));
  if (mode_ != DependencyMode::kExplicit) {
    interning_->inference.record(*this, id, spec.kind, spec.accesses);
  }
  task.priority = spec.priority;
  task.release = spec.release;
  Interning& interning = *interning_;
  std::size_t hash = hash_of(spec.placement);
  task.placement = interning.placements.intern(placements_, std::move(spec.placement), hash);
  hash = hash_of(spec.cost);
  task.cost = interning.costs.intern(costs_, std::move(spec.cost), hash);
  if (spec.expected_cost) {
    hash = hash_of(*spec.expected_cost);
    task.expected_cost = interning.costs.intern(costs_, std::move(*spec.expected_cost), hash);
  }
  hash = hash_of(spec.kernel);
  task.kernel = interning.kernels.intern(kernels_, std::move(spec.kernel), hash);
  task.has_extras = !spec.show.empty() || !spec.expect.empty() || !spec.evict_space.empty();
  if (task.has_extras) {
    interning.extras.emplace(id.index(), TaskExtras{std::move(spec.show), std::move(spec.expect),
                                                    std::move(spec.evict_space), spec.keep_last});
  }
  tasks_.push_back(task);
  interning.tasks.insert(id);
  return id;
}

Result<bool> Program::close() {
  Faults faults;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    for (const TaskId on : timed_dependencies(TaskId(i))) {
      if (on.index() < tasks_.size()) continue;
      faults.push_back({std::string(task_name(TaskId(i))),
                        "depends on task number " + std::to_string(on.index()) + " of " +
                            std::to_string(tasks_.size()) + "; there is no such task"});
    }
  }
  if (!faults.empty()) return faults;
  if (mode_ == DependencyMode::kExplicit) {
    if (const auto cycle = TaskGraph(*this).find_cycle()) {
      std::string text;
      for (const TaskId id : *cycle) text += std::string(task_name(id)) + " -> ";
      text += task_name(cycle->front());
      return Fault{std::string(task_name(cycle->front())), "dependencies form a cycle: " + text};
    }
  }
  is_closed_ = true;
  return true;
}

}  // namespace parley::core
