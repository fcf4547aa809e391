// How long tasks really take, by core's cost model. Tasks that agree in everything the model looks
// at (cost, kernel, placement, shapes and types of their operands) form a class, and the model is
// asked once for each class, alternative and device: its tables are looked up by name.
// Recorded durations and noise come on top; what policies believe is neither.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/machine/cost_model.h"
#include "core/machine/machine.h"
#include "sim/simulator.h"

namespace parley::sim {

using TaskClassId = core::Id<struct TaskClassTag>;

class Durations {
 public:
  /// All must outlive this; the program may grow. `options`: null, or what gives tasks durations of
  /// their own (recorded ones, noise), each of which is then a class by itself.
  Durations(const core::Program& program, const core::Machine& machine,
            const SimOptions* options = nullptr);

  /// Of a group: of its slowest member. 0 for a task of unknown cost; those are counted.
  core::Duration of(core::TaskId task, std::size_t alternative,
                    std::span<const core::DeviceId> devices);
  /// Sentences about the tasks asked for whose cost is not known, or only in part.
  [[nodiscard]] std::vector<std::string> warnings() const;

  TaskClassId class_of(core::TaskId task) {
    return own_ == nullptr ? model_class_of(task) : TaskClassId(task.index());
  }
  [[nodiscard]] std::size_t class_count() const {
    return own_ == nullptr ? classes_.size() : program_->task_count();
  }
  /// A task of the class.
  [[nodiscard]] core::TaskId example(TaskClassId id) const {
    return own_ == nullptr ? classes_[id].example : core::TaskId(id.index());
  }
  /// As `of`, of any task of the class; uncounted.
  core::Duration of_class(TaskClassId id, std::size_t alternative, core::DeviceId device);
  /// Which part of a device the task can use when it is alone on it: the largest of a
  /// group's (core::kernel_share; 1 on devices without streams).
  core::KernelShare share(core::TaskId task, std::size_t alternative,
                          std::span<const core::DeviceId> devices);
  core::KernelShare share_of_class(TaskClassId id, std::size_t alternative, core::DeviceId device);
  /// Part of the device's peak that the task uses by the model, from 0 to 1 (core::kernel_load).
  double load(core::TaskId task, std::size_t alternative, core::DeviceId device);
  /// The kernels of a task on a device with streams (core::kernel_phases): empty for one, and for
  /// what was recorded.
  std::span<const core::KernelPhase> phases(core::TaskId task, std::size_t alternative,
                                            core::DeviceId device);
  /// The same number for tasks whose kernels have the same names.
  std::uint32_t kind(core::TaskId task, std::size_t alternative);
  /// Whether the task is of a factorisation's panel (core::is_of_panel).
  bool is_of_panel(core::TaskId task, std::size_t alternative);
  /// What the host takes to issue the task beyond a plain launch (core::issue_extra).
  core::Duration issue_extra(core::TaskId task, std::size_t alternative, core::DeviceId device);
  /// Whether the task takes there what it took in an earlier run, with all that slowed it then.
  [[nodiscard]] bool is_recorded_on(core::TaskId task, core::DeviceId device) const {
    return own_ != nullptr && is_recorded(task, device);
  }

 private:
  static constexpr std::int64_t kNotAsked = -1;
  static constexpr std::int64_t kUnknown = -2;

  struct Class {
    core::TaskId example;
    std::vector<std::int64_t> known;        // (alternative, device) -> ns, or one of the above
    std::vector<core::KernelShare> shares;  // the same, negative: not asked; empty: none was
    std::vector<double> loads;              // as shares
    std::vector<std::int64_t> issue;        // as known; empty: none was asked
    /// By (alternative, device); empty: none was asked, or see has_phases.
    std::vector<std::vector<core::KernelPhase>> phases;
    std::vector<bool> has_phases;     // whether each was asked for
    std::vector<std::int8_t> panels;  // by alternative, negative: not asked; empty: none was
    std::vector<std::int64_t> kinds;  // the same
    std::vector<bool> gaps;           // by (alternative, device): core::cost_gap; empty: none
  };

  /// A number for the region's extents and element type.
  std::uint32_t shape_of(core::RegionId region) {
    const bool is_known = region.index() < shape_of_.size() && shape_of_[region] != 0;
    return is_known ? shape_of_[region] : new_shape(region);
  }
  std::uint32_t new_shape(core::RegionId region);
  std::uint64_t hash_of(core::TaskId task);
  bool agree(core::TaskId a, core::TaskId b);
  TaskClassId model_class_of(core::TaskId task) {
    const bool is_known = task.index() < class_of_.size() && !class_of_[task].is_none();
    return is_known ? class_of_[task] : new_model_class_of(task);
  }
  TaskClassId new_model_class_of(core::TaskId task);
  TaskClassId model_class(TaskClassId id) {
    return own_ == nullptr ? id : model_class_of(core::TaskId(id.index()));
  }
  bool has_gap(TaskClassId id, std::size_t alternative, core::DeviceId device);
  std::string gap_text(core::TaskId task, std::size_t alternative, core::DeviceId device) const;
  std::int64_t look_up(TaskClassId id, std::size_t alternative, core::DeviceId device);
  [[nodiscard]] bool is_recorded(core::TaskId task, core::DeviceId device) const;
  std::int64_t own_duration(core::TaskId task, std::size_t alternative, core::DeviceId device);
  std::int64_t model_duration(TaskClassId id, std::size_t alternative, core::DeviceId device);
  void grow_slots();

  const core::Program* program_;
  const core::Machine* machine_;
  const SimOptions* own_ = nullptr;  // null: no task has a duration of its own
  core::IdVector<TaskClassId, Class> classes_;
  core::IdVector<core::TaskId, TaskClassId> class_of_;
  struct Slot {
    std::uint64_t hash = 0;
    TaskClassId id;
  };
  std::vector<Slot> slots_;                                 // open addressing, a power of two
  core::IdVector<core::RegionId, std::uint32_t> shape_of_;  // 0: not asked
  std::unordered_map<std::string, std::uint32_t> shapes_;
  std::unordered_map<std::string, std::uint32_t> kinds_;  // by names of kernels
  struct Gaps {
    std::size_t tasks = 0;
    std::string text;  // of the first
  };
  Gaps unknown_, partly_known_;
  bool has_gaps_ = false;  // any class asked about has some
  bool as_executed_ = false;
};

}  // namespace parley::sim
