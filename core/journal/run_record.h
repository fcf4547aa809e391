// What a run was, as measured by its driver (virtual or real time): the common input of summaries,
// traces and pictures. Plain data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/engine/command.h"
#include "core/engine/event.h"
#include "core/graph/box.h"

namespace parley::core {

struct TaskRecord {
  TaskId task;
  CommandId command;
  std::uint16_t alternative = 0;
  std::vector<DeviceId> devices;  // by member
  Time start, end;
  Duration issue = Duration(0);  // that the host took to put its kernels on a queue; 0: unknown
};

struct CopyRecord {
  CommandId command;
  ArrayId array;
  std::vector<Box> boxes;  // elements of the array, one box a part
  SpaceId from, to;
  RouteId route;
  Bytes bytes;
  CopyReason reason = CopyReason::kFetch;
  TaskId task;
  Time issued;  // when the command reached the driver's queue
  Time start;   // when its engines were taken
  Time end;
  Duration issue = Duration(0);  // that the host took to put it on a queue; 0: unknown
};

/// Bytes of allocated replicas in a space from `at` on.
struct ResidencySample {
  Time at;
  SpaceId space;
  Bytes bytes;
};

struct RunRecord {
  Time makespan;
  Duration deciding =
      Duration(0);                 // in all, of the host: steps of the engine, commands handed over
  std::uint64_t commands = 0;      // that it gave
  std::vector<TaskRecord> tasks;   // in order of their ends
  std::vector<CopyRecord> copies;  // in order of their ends
  std::vector<ResidencySample> residency;  // in time order; empty unless asked for
  IdVector<SpaceId, Bytes> peak_bytes;
  IdVector<DeviceId, Duration> busy;  // time in tasks, weighted by share of the device's slots
  IdVector<CopyEngineId, Duration> engine_busy;
};

/// Sees every step of an engine, in order; the journal's source.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  /// Before the step: what it is about to be told. A step that breaks a rule gets no on_step().
  virtual void on_events(Time /*now*/, std::span<const Event> /*events*/) {}
  virtual void on_step(Time now, std::span<const Event> events,
                       std::span<const Command> commands) = 0;
};

}  // namespace parley::core
