#include "tests/support/virtual_driver.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "exec/strided.h"
#include "exec/task_kernel.h"
#include "tests/support/geometry.h"

namespace parley::test {

using namespace core;  // NOLINT

VirtualDriver::VirtualDriver(const Program& program, const Machine& machine,
                             const EngineOptions& options)
    : program_(&program),
      engine_(program, machine, options),
      slabs_(program, machine, engine_.engine()) {}

// ---- events ----

void VirtualDriver::submit(TaskId end, bool is_closed) {
  const core::Faults faults = engine().check_tasks(TaskId(submitted_), end);
  if (!faults.empty()) throw RuleBroken("refused: " + faults[0].where + ": " + faults[0].what);
  submitted_ = end.index();
  std::vector<Event> events{TasksSubmitted{end}};
  if (is_closed) events.emplace_back(SubmissionClosed{});
  step(events);
}

void VirtualDriver::submit_all() { submit(TaskId(program_->task_count()), true); }

void VirtualDriver::release(TaskId task) {
  const std::vector<Event> events{TaskReleased{task}};
  step(std::max(engine_.now() + Duration(1), program_->task(task).release), events);
}

void VirtualDriver::report(std::span<const CommandId> ended) {
  std::vector<Event> events;
  const Time now = engine_.now();
  for (const CommandId id : ended) {
    PARLEY_CHECK(stage(id) == CommandStage::kEnded, "a command that has just ended");
    commands_[id.index()].stage = CommandStage::kReported;
    if (std::holds_alternative<OwnedCopy>(command(id))) {
      events.emplace_back(CopyDone{id, now, now + Duration(1)});
    } else {
      events.emplace_back(TaskDone{id, now, now + Duration(1)});
    }
  }
  step(events);
}

void VirtualDriver::step(std::span<const Event> events) {
  step(engine_.now() + Duration(1), events);
}

void VirtualDriver::step(Time now, std::span<const Event> events) {
  const std::span<const OwnedCommand> given = engine_.step(now, events);
  last_commands_.assign(given.begin(), given.end());
  if (engine_.has_failed()) {
    for (const CommandId id : engine().cancelled()) {
      PARLEY_CHECK(stage(id) == CommandStage::kWaiting || stage(id) == CommandStage::kStopped,
                   "only a command that has not started is cancelled");
      commands_[id.index()].stage = CommandStage::kStopped;
    }
  }
  for (const OwnedCommand& command : last_commands_) admit(command);
}

// ---- stages ----

bool VirtualDriver::has_ended(CommandId id) const {
  return stage(id) == CommandStage::kEnded || stage(id) == CommandStage::kReported;
}

void VirtualDriver::admit(const OwnedCommand& command) {
  if (const auto* drop = std::get_if<OwnedDrop>(&command)) {
    admit_drop(*drop);
    return;
  }
  if (std::holds_alternative<OwnedFinish>(command)) {
    is_finished_ = true;
    return;
  }
  if (const auto* launch = std::get_if<OwnedLaunch>(&command)) {
    alternatives_[launch->task] = launch->alternative;
  }
  const CommandId id(commands_.size());
  Entry& entry = commands_.emplace_back(Entry{command, CommandStage::kReady, 0, {}, {}, {}});
  for (const CommandId earlier : after_of(command)) {
    if (has_ended(earlier)) continue;
    ++entry.missing;
    commands_[earlier.index()].waiting.push_back(id);
  }
  if (entry.missing > 0) entry.stage = CommandStage::kWaiting;
}

// The dropped bytes become poison once their last users have ended: whoever gets them next waits
// for the same commands.
void VirtualDriver::admit_drop(const OwnedDrop& drop) {
  PendingDrop pending{drop, 0};
  for (const CommandId earlier : drop.after) {
    if (has_ended(earlier) || stage(earlier) == CommandStage::kStopped) continue;
    ++pending.missing;
    commands_[earlier.index()].waiting_drops.push_back(drops_.size());
  }
  if (pending.missing == 0) slabs_.poison(drop.space, drop.offset, drop.bytes);
  drops_.push_back(std::move(pending));
}

void VirtualDriver::note_end(CommandId id) {
  commands_[id.index()].stage = CommandStage::kEnded;
  for (const std::size_t drop : commands_[id.index()].waiting_drops) {
    const PendingDrop& pending = drops_[drop];
    if (--drops_[drop].missing > 0) continue;
    slabs_.poison(pending.drop.space, pending.drop.offset, pending.drop.bytes);
  }
  for (const CommandId later : commands_[id.index()].waiting) {
    Entry& entry = commands_[later.index()];
    if (--entry.missing == 0 && entry.stage == CommandStage::kWaiting) {
      entry.stage = CommandStage::kReady;
    }
  }
}

std::vector<CommandId> VirtualDriver::in_stage(CommandStage stage) const {
  std::vector<CommandId> ids;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    if (commands_[i].stage == stage) ids.emplace_back(i);
  }
  return ids;
}

std::vector<CommandId> VirtualDriver::reportable() const {
  std::vector<CommandId> ids = in_stage(CommandStage::kEnded);
  std::erase_if(ids, [&](CommandId id) {
    const std::span<const CommandId> after = after_of(command(id));
    return std::any_of(after.begin(), after.end(), [&](CommandId earlier) {
      return stage(earlier) != CommandStage::kReported;
    });
  });
  return ids;
}

bool VirtualDriver::is_idle() const {
  return std::none_of(commands_.begin(), commands_.end(), [](const Entry& entry) {
    return entry.stage == CommandStage::kReady || entry.stage == CommandStage::kRunning ||
           entry.stage == CommandStage::kEnded;
  });
}

// ---- effects ----

void VirtualDriver::start_copy(Entry& entry, const OwnedCopy& copy) {
  for (const OwnedPart& part : copy.parts) {
    exec::HostOperand source, target;
    source.data = slabs_.at(copy.from, part.source_offset);
    target.data = slabs_.at(copy.to, part.target_offset);
    for (const OwnedDimension& dimension : part.dimensions) {
      source.shape.push_back(dimension.count);
      source.strides.push_back(dimension.source_stride);
      target.strides.push_back(dimension.target_stride);
    }
    target.shape = source.shape;
    std::vector<std::byte>& result = entry.results.emplace_back();
    const auto run_bytes = static_cast<std::size_t>(part.run_bytes);
    exec::for_each_element<2>({&source, &target}, [&](const auto& run) {
      result.insert(result.end(), run[0], run[0] + run_bytes);
      std::memset(run[1], std::to_integer<int>(kPoison), run_bytes);
    });
  }
}

void VirtualDriver::start_launch(Entry& entry, const OwnedLaunch& launch) {
  check_bytes_read(slabs_, *program_, engine_.meaning(), launch);
  const std::span<const Access> accesses = program_->accesses(launch.task);
  std::vector<exec::OperandMemory> operands;
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const Region& region = program_->region(accesses[i].region);
    entry.results.emplace_back(static_cast<std::size_t>(region.bytes.count()), kPoison);
    if (reads(accesses[i].mode)) entry.results[i] = slabs_.operand_bytes(launch, i);
    std::vector<std::int64_t> strides(region.box.rank());
    operand_strides(*program_, accesses[i].region, false, strides);
    operands.push_back({entry.results[i].data(), std::move(strides)});
  }
  exec::run_task(registry_, *program_, launch.task, launch.alternative, operands,
                 slabs_.scratch(launch));
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (!writes(accesses[i].mode)) continue;
    const std::vector<std::byte> poison(entry.results[i].size(), kPoison);
    slabs_.set_operand_bytes(launch, i, poison);
  }
}

void VirtualDriver::start(CommandId id) {
  Entry& entry = commands_[id.index()];
  PARLEY_CHECK(entry.stage == CommandStage::kReady, "a command that is ready");
  entry.stage = CommandStage::kRunning;
  if (const auto* copy = std::get_if<OwnedCopy>(&entry.command)) {
    start_copy(entry, *copy);
  } else {
    start_launch(entry, std::get<OwnedLaunch>(entry.command));
  }
}

void VirtualDriver::end(CommandId id) {
  Entry& entry = commands_[id.index()];
  PARLEY_CHECK(entry.stage == CommandStage::kRunning, "a command that runs");
  if (const auto* copy = std::get_if<OwnedCopy>(&entry.command)) {
    for (std::size_t i = 0; i < copy->parts.size(); ++i) {
      const OwnedPart& part = copy->parts[i];
      exec::HostOperand target;
      target.data = slabs_.at(copy->to, part.target_offset);
      for (const OwnedDimension& dimension : part.dimensions) {
        target.shape.push_back(dimension.count);
        target.strides.push_back(dimension.target_stride);
      }
      const std::byte* next = entry.results[i].data();
      exec::for_each_element(target, [&](std::byte* run) {
        std::memcpy(run, next, static_cast<std::size_t>(part.run_bytes));
        next += part.run_bytes;
      });
    }
  } else {
    const auto& launch = std::get<OwnedLaunch>(entry.command);
    const std::span<const Access> accesses = program_->accesses(launch.task);
    for (std::size_t i = 0; i < accesses.size(); ++i) {
      if (writes(accesses[i].mode)) slabs_.set_operand_bytes(launch, i, entry.results[i]);
    }
  }
  entry.results.clear();
  note_end(id);
}

void VirtualDriver::fail(CommandId id, const std::string& cause) {
  if (stage(id) == CommandStage::kReady) start(id);
  PARLEY_CHECK(stage(id) == CommandStage::kRunning, "a command that has started");
  Entry& entry = commands_[id.index()];
  entry.stage = CommandStage::kStopped;
  entry.results.clear();
  const std::vector<Event> events{CommandFailed{id, cause}};
  step(events);
}

// ---- the end ----

void VirtualDriver::check_end() {
  engine_.check_end();
  if (engine_.has_failed()) {
    if (!in_stage(CommandStage::kWaiting).empty()) {
      throw RuleBroken("failure: a command waits for ever that was not cancelled");
    }
    check_failure_bytes();
    return;
  }
  check_final_bytes(slabs_, *program_, engine(), [&](TaskId task) {
    const auto found = alternatives_.find(task);
    return found == alternatives_.end() ? std::uint16_t{0} : found->second;
  });
}

std::vector<bool> VirtualDriver::lost_elements(ArrayId array) {
  const Array& described = program_->array(array);
  std::vector<bool> is_lost(
      static_cast<std::size_t>(described.bytes.count() / described.element_bytes));
  for (const LostPiece& lost : engine().lost_pieces()) {
    if (lost.array != array) continue;
    for_each_element_of(lost.box, described.spec.shape, [&](std::int64_t element) {
      is_lost[static_cast<std::size_t>(element)] = true;
    });
  }
  return is_lost;
}

// After a failure every element that is not lost has the bytes of its last issued version.
void VirtualDriver::check_failure_bytes() {
  if (!engine_.meaning().has_unique_bytes()) return;
  for (std::size_t i = 0; i < program_->array_count(); ++i) {
    const ArrayId array(i);
    if (program_->array(array).spec.at_end == AtEnd::kDiscard) continue;
    const std::vector<std::byte> found = contents(array);
    const auto width = static_cast<std::size_t>(program_->array(array).element_bytes);
    const std::vector<bool> is_lost = lost_elements(array);
    for (const PieceLocation& location : engine().locations(array)) {
      for_each_element_of(
          location.box, program_->array(array).spec.shape, [&](std::int64_t element) {
            if (is_lost[static_cast<std::size_t>(element)]) return;
            const std::span<const std::byte> expected = engine_.meaning().bytes_of(
                array, element, engine_.checker().current_version(array, element));
            const std::size_t at = static_cast<std::size_t>(element) * width;
            if (std::equal(expected.begin(), expected.end(),
                           found.begin() + static_cast<std::ptrdiff_t>(at))) {
              return;
            }
            throw RuleBroken("failure: element " + std::to_string(element) + " of " +
                             program_->array(array).spec.name + " is neither intact nor lost");
          });
    }
  }
}

// ---- by name ----

CommandId ManualDriver::launch_of(std::string_view task) const {
  for (std::size_t i = 0; i < command_count(); ++i) {
    const auto* launch = std::get_if<OwnedLaunch>(&command(CommandId(i)));
    if (launch != nullptr && program().task_name(launch->task) == task) return launch->id;
  }
  return CommandId::none();
}

std::vector<CommandId> ManualDriver::copies_of(std::string_view array, std::string_view from,
                                               std::string_view to) const {
  std::vector<CommandId> ids;
  for (std::size_t i = 0; i < command_count(); ++i) {
    const auto* copy = std::get_if<OwnedCopy>(&command(CommandId(i)));
    if (copy == nullptr || program().array(copy->array).spec.name != array) continue;
    if (!from.empty() && machine_->space(copy->from).name != from) continue;
    if (!to.empty() && machine_->space(copy->to).name != to) continue;
    ids.push_back(copy->id);
  }
  return ids;
}

void ManualDriver::complete(CommandId id) {
  if (stage(id) == CommandStage::kReported) return;
  const std::span<const CommandId> after = after_of(command(id));
  const std::vector<CommandId> earlier(after.begin(), after.end());
  for (const CommandId first : earlier) complete(first);
  if (stage(id) == CommandStage::kReady) start(id);
  if (stage(id) == CommandStage::kRunning) end(id);
  report(std::span(&id, 1));
}

void ManualDriver::complete_all() {
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    for (std::size_t i = 0; i < command_count(); ++i) {
      const CommandStage now = stage(CommandId(i));
      if (now == CommandStage::kReported || now == CommandStage::kStopped) continue;
      if (now == CommandStage::kWaiting && checked().has_failed()) continue;
      complete(CommandId(i));
      has_moved = true;
    }
  }
}

}  // namespace parley::test
