#include "sim/durations.h"

#include <algorithm>
#include <bit>
#include <string_view>

namespace parley::sim {
namespace {

/// Spreads the bits of a combination of two numbers (the finaliser of splitmix64: Steele, Lea,
/// Flood 2014).
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a ^ (b + 0x9e3779b97f4a7c15U + (a << 6) + (a >> 2));
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace

Durations::Durations(const core::Program& program, const core::Machine& machine,
                     const SimOptions* options)
    : program_(&program), machine_(&machine), slots_(64) {
  if (options == nullptr) return;
  as_executed_ = options->as_executed;
  if (!options->recorded_durations.empty() || !options->task_noise.is_none()) own_ = options;
}

core::Duration Durations::of(core::TaskId task, std::size_t alternative,
                             std::span<const core::DeviceId> devices) {
  const TaskClassId id = class_of(task);
  std::int64_t longest = 0;
  Gaps* gaps = nullptr;
  for (const core::DeviceId device : devices) {
    const std::int64_t ns = look_up(id, alternative, device);
    if (has_gaps_ && gaps == nullptr && has_gap(id, alternative, device)) {
      gaps = ns == kUnknown ? &unknown_ : &partly_known_;
      if (gaps->tasks++ == 0) gaps->text = gap_text(task, alternative, device);
    }
    longest = std::max(longest, ns);
  }
  return core::Duration(longest);
}

core::Duration Durations::of_class(TaskClassId id, std::size_t alternative, core::DeviceId device) {
  return core::Duration(std::max<std::int64_t>(look_up(id, alternative, device), 0));
}

core::KernelShare Durations::share(core::TaskId task, std::size_t alternative,
                                   std::span<const core::DeviceId> devices) {
  const TaskClassId id = class_of(task);
  core::KernelShare largest = 0.0;
  for (const core::DeviceId device : devices) {
    const core::KernelShare next = share_of_class(id, alternative, device);
    largest = {std::max(largest.of_all, next.of_all), std::max(largest.of_two, next.of_two)};
  }
  return largest;
}

core::KernelShare Durations::share_of_class(TaskClassId id, std::size_t alternative,
                                            core::DeviceId device) {
  if (machine_->device(device).streams == 0) return 1.0;
  // What was recorded stands as it is, whatever else ran then and runs now.
  if (own_ != nullptr && is_recorded(core::TaskId(id.index()), device)) return 0.0;
  Class& entry = classes_[model_class(id)];
  if (entry.shares.empty()) entry.shares.assign(entry.known.size(), -1.0);
  core::KernelShare& known = entry.shares[alternative * machine_->device_count() + device.index()];
  if (known.of_all < 0.0) {
    known =
        core::kernel_share(*program_, *machine_, entry.example, alternative, device, as_executed_);
  }
  return known;
}

double Durations::load(core::TaskId task, std::size_t alternative, core::DeviceId device) {
  const TaskClassId id = model_class_of(task);
  const core::Duration duration(std::max<std::int64_t>(0, model_duration(id, alternative, device)));
  Class& entry = classes_[id];
  if (entry.loads.empty()) entry.loads.assign(entry.known.size(), -1.0);
  double& known = entry.loads[alternative * machine_->device_count() + device.index()];
  if (known < 0.0) {
    known = core::kernel_load(*program_, *machine_, entry.example, alternative, device, duration);
  }
  return known;
}

core::Duration Durations::issue_extra(core::TaskId task, std::size_t alternative,
                                      core::DeviceId device) {
  if (machine_->spec().issue.empty()) return core::Duration(0);
  Class& entry = classes_[model_class(class_of(task))];
  if (entry.issue.empty()) entry.issue.assign(entry.known.size(), kNotAsked);
  std::int64_t& known = entry.issue[alternative * machine_->device_count() + device.index()];
  if (known == kNotAsked) {
    known =
        core::issue_extra(*program_, *machine_, entry.example, alternative, device, as_executed_)
            .count();
  }
  return core::Duration(known);
}

std::span<const core::KernelPhase> Durations::phases(core::TaskId task, std::size_t alternative,
                                                     core::DeviceId device) {
  if (machine_->device(device).streams == 0 || is_recorded_on(task, device)) return {};
  Class& entry = classes_[model_class(class_of(task))];
  if (entry.phases.empty()) {
    entry.phases.resize(entry.known.size());
    entry.has_phases.resize(entry.known.size());
  }
  const std::size_t at = alternative * machine_->device_count() + device.index();
  if (!entry.has_phases[at]) {
    entry.has_phases[at] = true;
    entry.phases[at] =
        core::kernel_phases(*program_, *machine_, entry.example, alternative, device, as_executed_);
  }
  return entry.phases[at];
}

bool Durations::is_of_panel(core::TaskId task, std::size_t alternative) {
  Class& entry = classes_[model_class(class_of(task))];
  if (entry.panels.size() <= alternative) entry.panels.resize(alternative + 1, -1);
  std::int8_t& known = entry.panels[alternative];
  if (known < 0) known = core::is_of_panel(*program_, entry.example, alternative) ? 1 : 0;
  return known > 0;
}

std::uint32_t Durations::kind(core::TaskId task, std::size_t alternative) {
  Class& entry = classes_[model_class(class_of(task))];
  if (entry.kinds.size() <= alternative) entry.kinds.resize(alternative + 1, kNotAsked);
  std::int64_t& known = entry.kinds[alternative];
  if (known == kNotAsked) {
    const auto next = static_cast<std::uint32_t>(kinds_.size());
    known = kinds_.try_emplace(core::kernel_names(*program_, entry.example, alternative), next)
                .first->second;
  }
  return static_cast<std::uint32_t>(known);
}

std::vector<std::string> Durations::warnings() const {
  std::vector<std::string> warnings;
  const auto warn = [&](const Gaps& gaps, const std::string& what) {
    if (gaps.tasks == 0) return;
    const std::string more =
        gaps.tasks > 1 ? " (as are " + std::to_string(gaps.tasks - 1) + " more)" : "";
    warnings.push_back(gaps.text + ": " + what + more);
  };
  warn(unknown_, "taken as 0 ns");
  warn(partly_known_, "taken as long as the other rate gives");
  return warnings;
}

/// Whether the model lacks something of the task there. What was recorded lacks nothing.
bool Durations::has_gap(TaskClassId id, std::size_t alternative, core::DeviceId device) {
  if (own_ != nullptr && is_recorded(core::TaskId(id.index()), device)) return false;
  const Class& entry = classes_[model_class(id)];
  return !entry.gaps.empty() && entry.gaps[alternative * machine_->device_count() + device.index()];
}

std::string Durations::gap_text(core::TaskId task, std::size_t alternative,
                                core::DeviceId device) const {
  return "the cost of task \"" + std::string(program_->task_name(task)) + "\" is not known: " +
         core::cost_gap(*program_, *machine_, task, alternative, device, as_executed_);
}

/// Of a task that was not asked for before.
TaskClassId Durations::new_model_class_of(core::TaskId task) {
  if (task.index() >= class_of_.size()) {
    class_of_.resize(std::max(program_->task_count(), task.index() + 1));
  }
  const std::uint64_t hash = hash_of(task);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (!slots_[at].id.is_none()) {
    if (slots_[at].hash == hash && agree(classes_[slots_[at].id].example, task)) {
      return class_of_[task] = slots_[at].id;
    }
    at = (at + 1) & mask;
  }
  const std::size_t alternatives = program_->placement(program_->task(task).placement).size();
  const std::size_t entries = std::max<std::size_t>(alternatives, 1) * machine_->device_count();
  const TaskClassId id = classes_.push_back({task, std::vector(entries, kNotAsked), {}, {}});
  slots_[at] = {hash, id};
  if (classes_.size() * 2 > slots_.size()) grow_slots();
  return class_of_[task] = id;
}

void Durations::grow_slots() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id.is_none()) continue;
    std::size_t at = slot.hash & (slots_.size() - 1);
    while (!slots_[at].id.is_none()) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

std::uint32_t Durations::new_shape(core::RegionId id) {
  if (id.index() >= shape_of_.size()) {
    shape_of_.resize(std::max(program_->region_count(), id.index() + 1));
  }
  const core::Region& region = program_->region(id);
  const core::ArraySpec& spec = program_->array(region.array).spec;
  std::string key = std::to_string(static_cast<int>(spec.dtype));
  key += spec.is_opaque ? 'o' : 'e';
  for (const core::Range& range : region.box.ranges()) key += std::to_string(range.count) + ",";
  const auto next = static_cast<std::uint32_t>(shapes_.size() + 1);
  return shape_of_[id] = shapes_.try_emplace(key, next).first->second;
}

std::uint64_t Durations::hash_of(core::TaskId id) {
  const core::Task& task = program_->task(id);
  std::uint64_t hash = mix(task.cost.index(), task.kernel.index());
  hash = mix(hash, task.placement.index());
  for (const core::Access& access : program_->accesses(id)) {
    const auto view = static_cast<std::uint64_t>(access.view.dropped) << 8 | access.view.flipped;
    hash = mix(hash, static_cast<std::uint64_t>(shape_of(access.region)) << 24 | view << 8 |
                         static_cast<std::uint64_t>(access.mode));
  }
  return hash;
}

bool Durations::agree(core::TaskId a, core::TaskId b) {
  const core::Task& x = program_->task(a);
  const core::Task& y = program_->task(b);
  if (x.cost != y.cost || x.kernel != y.kernel || x.placement != y.placement) return false;
  const auto same = [&](const core::Access& p, const core::Access& q) {
    return p.view == q.view && p.mode == q.mode && p.member == q.member &&
           shape_of(p.region) == shape_of(q.region);
  };
  return std::ranges::equal(program_->accesses(a), program_->accesses(b), same);
}

std::int64_t Durations::look_up(TaskClassId id, std::size_t alternative, core::DeviceId device) {
  if (own_ != nullptr) return own_duration(core::TaskId(id.index()), alternative, device);
  return model_duration(id, alternative, device);
}

/// Whether the duration recorded for the task holds on the device. Requires: own_.
bool Durations::is_recorded(core::TaskId task, core::DeviceId device) const {
  const auto& durations = own_->recorded_durations;
  if (!durations.contains(task) || durations[task] < core::Duration(0)) return false;
  if (own_->recorded_devices.empty()) return true;
  const core::DeviceId alike = own_->recorded_devices[task];
  return !alike.is_none() &&
         machine_->device(alike).device_class == machine_->device(device).device_class;
}

/// As recorded, else by the model; times the task's factor.
std::int64_t Durations::own_duration(core::TaskId task, std::size_t alternative,
                                     core::DeviceId device) {
  const std::int64_t ns = is_recorded(task, device)
                              ? own_->recorded_durations[task].count()
                              : model_duration(model_class_of(task), alternative, device);
  if (ns <= 0 || own_->task_noise.is_none()) return ns;
  const double factor =
      own_->task_noise.factor(own_->seed_of_noise(), NoiseStream::kTasks, task.index());
  return scaled(core::Duration(ns), factor).count();
}

std::int64_t Durations::model_duration(TaskClassId id, std::size_t alternative,
                                       core::DeviceId device) {
  Class& entry = classes_[id];
  std::int64_t& known = entry.known[alternative * machine_->device_count() + device.index()];
  if (known == kNotAsked) {
    auto duration = core::task_duration(*program_, *machine_, entry.example, alternative, device,
                                        core::WhichCost::kTrue);
    const core::Duration extra =
        as_executed_
            ? core::executed_extra(*program_, *machine_, entry.example, alternative, device)
            : core::Duration(0);
    if (extra > core::Duration(0)) duration = duration.value_or(core::Duration(0)) + extra;
    known = duration ? duration->count() : kUnknown;
    if (!core::cost_gap(*program_, *machine_, entry.example, alternative, device, as_executed_)
             .empty()) {
      has_gaps_ = true;
      entry.gaps.resize(entry.known.size());
      entry.gaps[alternative * machine_->device_count() + device.index()] = true;
    }
  }
  return known;
}

}  // namespace parley::sim
