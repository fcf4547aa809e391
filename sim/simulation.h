// One run: the loop that performs an engine's commands in virtual time. All that happens at an
// instant happens before anything is started at that instant, and all that is started before the
// engine decides:
//     ends and issues of now -> copies and launches that can start -> rates of flows -> ... until
//     nothing more is due now -> one step of the engine, if the host thread is free -> ...
// A copy: visible, `after` done, all engines of its route at once, fixed part, flow, end. A launch:
// visible, `after` done, slots of all its devices at once, its duration, end. The loop is in
// simulation.cpp, the way of a command in simulation_commands.cpp.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"
#include "sim/device_speeds.h"
#include "sim/durations.h"
#include "sim/event_queue.h"
#include "sim/host_thread.h"
#include "sim/in_flight.h"
#include "sim/kernel_rates.h"
#include "sim/network.h"
#include "sim/recorder.h"
#include "sim/residency.h"
#include "sim/servers.h"
#include "sim/simulator.h"
#include "sim/stream_queues.h"

namespace parley::sim {

class Simulation {
 public:
  /// All must outlive this. `durations` may be shared with whoever asked it before.
  Simulation(const core::Program& program, const core::Machine& machine, core::Engine& engine,
             const SimOptions& options, Durations& durations);

  /// Until the engine says Finish; a fault beyond core::kLongestRun. Throws InvariantViolation on a
  /// stall.
  core::Result<core::RunRecord> run();

 private:
  struct Release {
    core::Time at;
    core::TaskId task;
  };

  void place_initial_replicas();
  void list_releases();

  [[nodiscard]] core::Time next_time() const;
  void advance_to(core::Time now);
  void happen();
  void start_commands();
  void settle_network();
  void settle_kernels();
  void tell_rate(FlowId flow, double rate);
  bool decide();
  [[nodiscard]] std::string stall_text() const;

  void accept(std::span<const core::Command> commands);
  void accept(const core::StartCopy& copy);
  void accept(const core::LaunchTask& launch);
  void accept(const core::DropReplica& drop);
  void become_visible(core::CommandId id);
  void enter_queue(core::CommandId id);
  [[nodiscard]] bool is_joinable(const core::StartCopy& copy) const;
  [[nodiscard]] bool may_join(core::CommandId id, core::CommandId leader);
  void join(core::CommandId id, core::CommandId leader);
  void disjoin(core::CommandId leader);
  void start_joined(core::CommandId leader);
  void tell_joined(std::span<const core::CommandId> joined);
  void enter_held();
  void one_less_pending(core::CommandId id);
  [[nodiscard]] std::span<const core::CopyEngineId> engines_of(const InFlight& copy) const;
  [[nodiscard]] core::Duration notification(const InFlight& ended, const InFlight& waiter) const;
  void wait_for_servers(core::CommandId id);

  void start_copy(core::CommandId id);
  void note_if_too_long(const InFlight& copy, core::Duration fixed);
  void start_launch(core::CommandId id);
  /// Its bytes of scratch, come or gone.
  void change_scratch(const InFlight& launch, core::Bytes by);
  void start_kernel(core::CommandId id);
  bool start_next_kernel(core::CommandId id);
  void begin_flow(core::CommandId id);
  void end_flow(core::CommandId id);
  void end_copy(core::CommandId id);
  [[nodiscard]] bool is_issued_until_later(const InFlight& launch) const;
  void end_task(core::CommandId id);
  [[nodiscard]] bool is_push(const InFlight& command) const;
  void tell_end(core::CommandId id, const HostThread::Ended& ended);
  void tell(HostThread::Ended ended, bool is_copy);
  void finish(core::CommandId id);
  void report_progress();

  const core::Program& program_;
  const core::Machine& machine_;
  core::Engine& engine_;
  const SimOptions& options_;
  Durations& durations_;

  core::Time now_;
  bool is_finished_ = false;
  std::string too_long_;  // the task or copy that takes more than core::kLongestDuration, if any
  EventQueue queue_;
  HostThread host_;
  InFlightTable commands_;
  StreamQueues streams_;
  std::vector<core::CommandId> held_;  // issued, but not to be put on a queue yet
  InFlight ended_;  // being finished, where those that wait for it must know what it was
  Devices devices_;
  CopyEngines copy_engines_;
  Network network_;
  DeviceSpeeds speeds_;
  KernelRates kernel_rates_;
  Residency residency_;
  Recorder recorder_;
  std::function<core::Bytes(core::ReplicaId)> bytes_of_;

  /// By flow: its copy, and the entry of its end in the queue.
  struct FlowEntry {
    core::CommandId copy;
    EventQueue::Handle end = 0;
    bool has_end = false;
    core::SpaceId from, to;
    double rate = 0.0;  // as device speeds know it
  };
  std::vector<FlowEntry> flows_;
  std::vector<EventQueue::Handle> kernel_ends_;  // by the numbers of KernelRates
  std::vector<std::uint32_t> drops_;  // unfinished commands that each waits for, by number
  std::vector<Release> releases_;     // by time, then task; those before next_release_ have come
  std::size_t next_release_ = 0;
  std::size_t finished_tasks_ = 0;
};

}  // namespace parley::sim
