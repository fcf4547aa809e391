// How long a task takes on a device, from what the workload and the machine state: a stated
// duration, the roofline of its flops and bytes, or the machine's kernel table. Used by the
// simulator as the truth (before noise) and by policies as the nominal belief.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::core {

enum class WhichCost : std::uint8_t { kTrue, kExpected };

/// Duration on `device`, or nothing when neither the workload nor the machine says (callers then
/// take 0 and warn once). The most specific cost entry counts: device name, class, "". In turn:
/// - stated: as stated;
/// - the sum over the kernel's calls of the machine's kernel table, all of them in it: measured, so
///   it counts before flops and bytes (but not before those of an expected cost);
/// - flops and bytes: the device's launch start-up plus the roofline (Williams, Waterman, Patterson
///   2009), max(flops / flops_per_s, bytes / bytes_per_s), with the rate of the dtype of the first
///   operand written (rates are what a task of one slot gets, whatever its vcus). Where the device
///   states only one of the two rates, what that one gives; where it states neither, nothing.
/// What policies are told (kExpected) is the alternative's expected cost, the task's, or the true
/// one.
std::optional<Duration> task_duration(const Program& program, const Machine& machine, TaskId task,
                                      std::size_t alternative, DeviceId device, WhichCost which);

/// What task_duration() lacks of the task on the device, for messages: "gpu:0 states no
/// bytes_per_s"; "" when nothing is. `as_executed`, a task without cost and kernel takes what
/// hashing its operands does.
std::string cost_gap(const Program& program, const Machine& machine, TaskId task,
                     std::size_t alternative, DeviceId device, bool as_executed);

/// What an executor adds to task_duration. A task without a kernel spins for its cost and then
/// hashes: the device's launch start-up, and hash_mix over all that the task reads and writes, by
/// the machine's kernel table (the size is bytes read plus bytes written; the dtype uint8 for
/// elements of one or two bytes, else float64). A task that only spins: the start-up. Others: 0.
Duration executed_extra(const Program& program, const Machine& machine, TaskId task,
                        std::size_t alternative, DeviceId device);

/// What the host takes to issue the task's kernels beyond a plain launch (MachineSpec::issue);
/// `as_executed`, a task without one issues hash_mix.
Duration issue_extra(const Program& program, const Machine& machine, TaskId task,
                     std::size_t alternative, DeviceId device, bool as_executed);

/// The names of the task's kernels, one after the other; "" of a task without.
std::string kernel_names(const Program& program, TaskId task, std::size_t alternative);
/// Whether one of the task's kernels is of a panel (is_of_panel of its call).
bool is_of_panel(const Program& program, TaskId task, std::size_t alternative);

/// Which part of the device the task's kernel can use (KernelShares): the largest
/// of its calls'; of what is not listed as many slots as the task has vcus. So does one without a
/// kernel, but `as_executed` it spins and then hashes: what
/// these use, by the time that each takes.
KernelShare kernel_share(const Program& program, const Machine& machine, TaskId task,
                         std::size_t alternative, DeviceId device, bool as_executed);

/// One of the kernels that a task runs one after the other: the part of the task's time that it
/// takes when alone, and the part of the device that it can use then.
struct KernelPhase {
  double part = 1.0;
  KernelShare share;
};

/// The kernels of a task, in order; parts sum up to 1. Empty where they are not known, and for a
/// task of one kernel. `as_executed`, a task without kernel spins and then hashes.
std::vector<KernelPhase> kernel_phases(const Program& program, const Machine& machine, TaskId task,
                                       std::size_t alternative, DeviceId device, bool as_executed);

/// Part of the device's peak that a task of this duration uses, from 0 to 1: its flops over what
/// the device could do in that time. 1 when its flops are not stated.
double kernel_load(const Program& program, const Machine& machine, TaskId task,
                   std::size_t alternative, DeviceId device, Duration duration);

/// One way to run a task on one machine: which alternative on which devices (in member order).
struct Candidate {
  std::uint16_t alternative = 0;
  std::vector<DeviceId> devices;
};

/// All candidates of a placement in the order of its alternatives, devices ascending; groups of a
/// class by combination (all up to 4,096 of them, then windows of neighbours).
/// `unknown` receives names that the machine lacks.
std::vector<Candidate> resolve(const Placement& placement, const Machine& machine,
                               std::vector<std::string>* unknown);

}  // namespace parley::core
