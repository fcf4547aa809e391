#include "sim/recorder.h"

#include <algorithm>
#include <utility>

namespace parley::sim {

Recorder::Recorder(const core::Machine& machine, bool lists_commands)
    : machine_(&machine), lists_commands_(lists_commands), milli_busy_(machine.device_count()) {
  run_.engine_busy.resize(machine.spec().engines.size());
}

void Recorder::task_ended(core::CommandId id, const InFlight& launch, core::Time end) {
  run_.makespan = std::max(run_.makespan, end);
  const core::Duration duration = end - launch.start;
  for (const core::DeviceId device : launch.devices) {
    milli_busy_[device] += static_cast<__int128>(duration.count()) * launch.milli_vcus;
  }
  if (!lists_commands_) return;
  run_.tasks.push_back({launch.task, id, launch.alternative, launch.devices, launch.start, end});
}

void Recorder::copy_ended(core::CommandId id, const InFlight& copy, core::Time end) {
  run_.makespan = std::max(run_.makespan, end);
  if (!copy.is_inline) {
    for (const core::CopyEngineId engine : machine_->route(copy.route).engines) {
      run_.engine_busy[engine] += end - copy.start;
    }
  }
  if (!lists_commands_) return;
  run_.copies.push_back({id, copy.array, copy.boxes, copy.from, copy.to, copy.route, copy.bytes,
                         copy.reason, copy.task, copy.issued, copy.start, end});
}

core::RunRecord Recorder::take() {
  for (std::size_t i = 0; i < milli_busy_.size(); ++i) {
    const core::DeviceId device(i);
    const std::int64_t milli_slots = 1000 * std::int64_t{machine_->device(device).slots};
    run_.busy.push_back(
        core::Duration(static_cast<std::int64_t>(milli_busy_[device] / milli_slots)));
  }
  return std::move(run_);
}

}  // namespace parley::sim
