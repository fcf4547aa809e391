#include "exec/driver/recorder.h"

#include <algorithm>
#include <utility>

namespace parley::exec {
namespace {

/// Those that ended, in order of their ends.
template <class Record>
std::vector<Record> ended_ones(std::vector<Record>&& all, const std::vector<char>& has_ended) {
  std::vector<Record> ended;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (has_ended[i] != 0) ended.push_back(std::move(all[i]));
  }
  std::ranges::stable_sort(ended, {}, &Record::end);
  return ended;
}

}  // namespace

Recorder::Recorder(const core::Machine& machine, bool lists_commands, bool samples_memory)
    : machine_(&machine), lists_commands_(lists_commands), samples_memory_(samples_memory) {
  run_.peak_bytes.resize(machine.space_count());
  run_.engine_busy.resize(machine.spec().engines.size());
}

Recorder::Submitted& Recorder::add(core::CommandId id) {
  if (id.index() >= commands_.size()) commands_.resize(id.index() + 1);
  return commands_[id.index()];
}

void Recorder::submitted(const core::StartCopy& copy, core::Time now) {
  Submitted& command = add(copy.id);
  command.is_copy = true;
  command.task = copy.task;
  if (!lists_commands_) return;
  command.record = static_cast<std::uint32_t>(copies_.size());
  core::CopyRecord record{copy.id,    copy.array,  {},        copy.from, copy.to, copy.route,
                          copy.bytes, copy.reason, copy.task, now,       now,     now};
  for (const core::CopyPart& part : copy.parts) record.boxes.emplace_back(part.box);
  copies_.push_back(std::move(record));
  copy_has_ended_.push_back(0);
}

void Recorder::submitted(const core::LaunchTask& launch, core::Time now) {
  Submitted& command = add(launch.id);
  command.task = launch.task;
  if (!lists_commands_) return;
  command.record = static_cast<std::uint32_t>(tasks_.size());
  tasks_.push_back({launch.task,
                    launch.id,
                    launch.alternative,
                    {launch.devices.begin(), launch.devices.end()},
                    now,
                    now,
                    core::Duration(0)});
  milli_vcus_.push_back(launch.milli_vcus);
  task_has_ended_.push_back(0);
}

void Recorder::ended(core::CommandId id, core::Time start, core::Time end,
                     core::Duration issue) {
  run_.makespan = std::max(run_.makespan, end);
  if (!lists_commands_) return;
  const Submitted& command = commands_[id.index()];
  if (command.is_copy) {
    copies_[command.record].start = start;
    copies_[command.record].end = end;
    copies_[command.record].issue = issue;
    copy_has_ended_[command.record] = 1;
  } else {
    tasks_[command.record].start = start;
    tasks_[command.record].end = end;
    tasks_[command.record].issue = issue;
    task_has_ended_[command.record] = 1;
  }
}

void Recorder::end_of_step(const core::Engine& engine, core::Time now) {
  for (std::size_t i = 0; i < machine_->space_count(); ++i) {
    const core::SpaceId space(i);
    const core::Bytes bytes = engine.allocated_bytes(space);
    run_.peak_bytes[space] =
        std::max({run_.peak_bytes[space], bytes, engine.most_allocated_bytes(space)});
    if (samples_memory_) run_.residency.push_back({now, space, bytes});
  }
}

void Recorder::add_busy_times(core::RunRecord& run) const {
  core::IdVector<core::DeviceId, std::int64_t> milli_busy(machine_->device_count());
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (task_has_ended_[i] == 0) continue;
    const core::Duration duration = tasks_[i].end - tasks_[i].start;
    for (const core::DeviceId device : tasks_[i].devices) {
      milli_busy[device] += duration.count() * milli_vcus_[i];
    }
  }
  for (std::size_t i = 0; i < milli_busy.size(); ++i) {
    const core::DeviceId device(i);
    const std::int64_t milli_slots = 1000 * std::int64_t{machine_->device(device).slots};
    run.busy.push_back(core::Duration(milli_busy[device] / milli_slots));
  }
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    if (copy_has_ended_[i] == 0) continue;
    for (const core::CopyEngineId engine : machine_->route(copies_[i].route).engines) {
      run.engine_busy[engine] += copies_[i].end - copies_[i].start;
    }
  }
}

core::RunRecord Recorder::take() {
  add_busy_times(run_);
  run_.tasks = ended_ones(std::move(tasks_), task_has_ended_);
  run_.copies = ended_ones(std::move(copies_), copy_has_ended_);
  return std::move(run_);
}

}  // namespace parley::exec
