// Runs the small programs of a calibration. Whatever refuses a program or fails during a run is
// thrown as EnvironmentFailure and caught by calibrate().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "exec/calibrate/calibration.h"

namespace parley::exec {

/// Copies from one space to another, one after the other or as the machine pleases.
struct CopyFlow {
  core::SpaceId from, to;
  auto operator<=>(const CopyFlow&) const = default;
};

/// A copy as measured, seconds from the start of the run.
struct MeasuredCopy {
  CopyFlow flow;
  double bytes = 0.0, start = 0.0, end = 0.0;
  double issue = 0.0;  // that the host took to put it on a queue; 0: not known
};

/// What to measure a kernel with: one task a repetition, one after the other.
struct KernelProbe {
  struct Operand {
    std::vector<std::int64_t> shape;
    core::AccessMode mode = core::AccessMode::kIn;
    double diagonal = 0.0;
    bool is_fresh = false;  // an array of its own for each repetition
    bool is_random =
        false;  // numbers that cost what a product's usually do; else zeros, sooner made
  };
  std::string kernel;
  std::vector<std::pair<std::string, double>> parameters;
  std::vector<Operand> operands;
  core::DType dtype = core::DType::kFloat64;
};

class Laboratory {
 public:
  /// By default with policies that decide little, so that nothing but the order of submission says
  /// what happens.
  Laboratory(const core::Machine& machine, const RunProgram& run)
      : Laboratory(machine, run, plain_policies()) {}
  Laboratory(const core::Machine& machine, const RunProgram& run, core::EngineOptions policies)
      : machine_(machine), run_(run), policies_(std::move(policies)) {}

  [[nodiscard]] const core::Machine& machine() const { return machine_; }
  [[nodiscard]] const RunProgram& runner() const { return run_; }
  /// `count` copies of `bytes` in each flow, in order of their ends: all asked for at once, or each
  /// when the one before has ended.
  [[nodiscard]] std::vector<MeasuredCopy> copies(const std::vector<CopyFlow>& flows,
                                                 std::int64_t bytes, std::size_t count,
                                                 bool is_one_by_one = false) const;
  /// Seconds of each repetition on the device, the first left out. On a GPU up to 127
  /// are on its queue when the first begins.
  [[nodiscard]] std::vector<double> kernel(const KernelProbe& probe, core::DeviceId device,
                                           std::size_t repetitions) const {
    return timed_kernel(probe, device, repetitions).durations;
  }
  struct TimedKernel {
    std::vector<double> durations;  // seconds
    std::vector<double> issues;     // that the host took to put each on a queue; 0: not known
  };
  /// The same, and what the host took.
  [[nodiscard]] TimedKernel timed_kernel(const KernelProbe& probe, core::DeviceId device,
                                         std::size_t repetitions) const;

  /// Seconds from one kernel to the next when so many chains of them run side by side, all issued
  /// before the first of them starts.
  static constexpr std::size_t kTogether = 6;  // of each chain, after one to warm up
  [[nodiscard]] double kernels_together(const KernelProbe& probe, core::DeviceId device,
                                        std::size_t chains) const;

  /// Seconds that the host takes to put each kernel on a queue, when they take turns: medians.
  [[nodiscard]] std::vector<double> issues_among(const std::vector<KernelProbe>& probes,
                                                 core::DeviceId device,
                                                 std::size_t repetitions) const;

  struct Periods {
    double first = 0.0, second = 0.0;
  };
  /// Seconds from one kernel to the next of each of two chains side by side, while both run; 0 of
  /// one that has none with all its time beside the other's. All are issued before, as above.
  [[nodiscard]] Periods kernels_beside(const KernelProbe& first, std::size_t count_of_first,
                                       const KernelProbe& second, std::size_t count_of_second,
                                       core::DeviceId device) const;

  enum class EmptyTasks : std::uint8_t {
    kIndependent,  // without data
    kChain,        // each updates what the one before updated
    kCopies,       // each reads a few bytes of its own from the host
  };
  /// Seconds a task with an empty kernel takes on the device, from first submission to the end.
  [[nodiscard]] double task(EmptyTasks kind, core::DeviceId device, std::size_t count,
                            std::uint32_t window) const;
  /// Seconds that the host decides for each command, of tasks with a copy each.
  [[nodiscard]] double deciding(core::DeviceId device, std::size_t count,
                                std::uint32_t window) const;
  /// Seconds that an empty task takes, with those that write what it reads some time before:
  /// `slices` of an array, each written by one, of which it reads the first `read` together. On a
  /// GPU these are so many copies.
  [[nodiscard]] double gathering(core::DeviceId device, std::size_t count, std::int64_t slices,
                                 std::int64_t read) const;
  /// Seconds from one empty task to the next on each of two devices, where each reads a few bytes
  /// of its own from the other's memory: its thread launches one, and the other's issues one copy.
  [[nodiscard]] double exchange(core::DeviceId a, core::DeviceId b, std::size_t count,
                                std::uint32_t window) const;
  /// Seconds that an empty task takes of independent ones on several devices, in turn, that spin
  /// for a time.
  [[nodiscard]] double task_on_any(const std::vector<core::DeviceId>& devices, std::size_t count,
                                   std::uint32_t window, double spin_ns = 0.0) const;
  /// Seconds from one copy to the next where many follow each other on a route.
  [[nodiscard]] double copy_period(CopyFlow flow, std::int64_t bytes) const;
  /// Seconds from one task to the next when data go to and fro between two devices: a copy and an
  /// empty kernel, each waiting for the other.
  [[nodiscard]] double hop(core::DeviceId a, core::DeviceId b, std::int64_t bytes,
                           std::size_t count) const;

 private:
  struct Chain {
    const KernelProbe* probe = nullptr;
    std::size_t count = 0;  // after one to warm up
  };
  /// The tasks of each chain, in order, from runs in which all were issued before the first of them
  /// started.
  [[nodiscard]] std::vector<std::vector<core::TaskRecord>> run_together(
      const std::vector<Chain>& chains, core::DeviceId device) const;
  [[nodiscard]] core::RunRecord run_empty_tasks(EmptyTasks kind, core::DeviceId device,
                                                std::size_t count, std::uint32_t window) const;
  static core::EngineOptions plain_policies();
  core::RunRecord run(core::Program& program, std::uint32_t window, bool is_timed) const;

  const core::Machine& machine_;
  const RunProgram& run_;
  core::EngineOptions policies_;
};

/// The middle one; 0 of none.
double median(std::vector<double> values);

/// The first device of a space; none when there is none.
core::DeviceId device_of(const core::Machine& machine, core::SpaceId space);

}  // namespace parley::exec
