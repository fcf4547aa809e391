// The simulator: performs an engine's commands on a modelled machine in virtual time. A peer of the
// executor; it knows nothing of coherence or scheduling.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"
#include "sim/noise.h"

namespace parley::sim {

struct SimOptions {
  core::EngineOptions engine;
  bool record_tasks = true;       // RunRecord::tasks and copies
  bool record_boxes = true;       // CopyRecord::boxes, if copies: most of the memory of long lists
  bool record_residency = false;  // RunRecord::residency
  /// By task: how long it takes, whatever the cost model says; negative: as the model says. Empty:
  /// all by the model. With the durations of a run for real, what is left is error of the model of
  /// copies and of the host. Policies do not see them.
  core::IdVector<core::TaskId, core::Duration> recorded_durations;
  /// By task: a device of the class that it was recorded on; elsewhere the model counts. Empty:
  /// recorded durations hold on every device.
  core::IdVector<core::TaskId, core::DeviceId> recorded_devices;
  /// Tasks take the time that an executor adds to their cost (core::executed_extra).
  bool as_executed = false;
  /// Factors on what tasks and copies would take. Policies do not see them.
  Noise task_noise, copy_noise;
  std::optional<std::uint64_t> noise_seed;  // with which they are drawn; none: engine.seed
  [[nodiscard]] std::uint64_t seed_of_noise() const { return noise_seed.value_or(engine.seed); }
  /// What the host's threads do takes so many times as long as the machine states. Policies do not
  /// see it.
  double host_slowdown = 1.0;
  /// What devices state of power counts (sim/device_speeds.h).
  bool has_power = false;
  /// Called now and then with finished tasks; may be empty.
  std::function<void(std::size_t finished, std::size_t total)> progress;
  core::StepObserver* observer = nullptr;  // not owned
};

/// Lower bounds of the makespan that hold for every policy.
struct Bounds {
  core::Duration
      critical_path;        // longest chain of flow and explicit dependencies, fastest device each
  core::Duration work;      // total work over all devices
  core::Duration transfer;  // bytes that must move, over the machine's rates
  [[nodiscard]] core::Duration best() const;
};

struct SimResult {
  core::RunRecord run;
  Bounds bounds;
  std::vector<std::string> warnings;
  std::unique_ptr<core::Engine> engine;  // after the run: overviews, locations, statistics
};

/// Runs the whole program. Faults: what Engine::create refuses. A stall is a broken invariant.
core::Result<SimResult> simulate(const core::Program& program, const core::Machine& machine,
                                 const SimOptions& options);

Bounds lower_bounds(const core::Program& program, const core::Machine& machine);

}  // namespace parley::sim
