// The part of CommandChecker that concerns launches and the end of a run.
#include <algorithm>

#include "core/machine/cost_model.h"
#include "core/memory/arena.h"
#include "tests/support/command_checker.h"
#include "tests/support/geometry.h"

namespace parley::test {

using namespace core;  // NOLINT

namespace {

constexpr int kLost = 1000;  // more than any element is found

std::string number(std::int64_t value) { return std::to_string(value); }
std::string number(CommandId id) { return "#" + std::to_string(id.index()); }

std::int64_t scratch_size(const Alternative& alternative) {
  std::int64_t total = 0;
  for (const ScratchArray& array : alternative.scratch) {
    std::int64_t bytes = element_bytes(array.dtype);
    for (const std::int64_t extent : array.shape) bytes *= extent;
    total += Arena::rounded(Bytes(bytes)).count();
  }
  return total + alternative.scratch_bytes.count();
}

}  // namespace

void CommandChecker::check(const OwnedLaunch& launch) {
  admit(launch.id, launch.after);
  const std::string name(program_->task_name(launch.task));
  if (launch.task.index() >= submitted_) fail("5 issue", name + " was not submitted yet");
  if (!launches_.emplace(launch.task, launch.id).second) fail("5 once", name + " runs twice");
  check_order(launch);
  check_devices(launch);
  check_window(launch);
  const std::span<const Access> accesses = program_->accesses(launch.task);
  if (launch.operands.size() != accesses.size()) fail("launch", "one place for each operand");
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (has_contents(accesses[i])) check_binding(launch, i);
  }
  // All that a task reads it reads before it writes anything.
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (has_contents(accesses[i]) && reads(accesses[i].mode)) read_operand(launch, i);
  }
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (has_contents(accesses[i]) && writes(accesses[i].mode)) write_operand(launch, i);
  }
  for (std::size_t i = 0; i < launch.devices.size(); ++i) write_scratch(launch, i);
}

void CommandChecker::check_order(const OwnedLaunch& launch) {
  const Task& task = program_->task(launch.task);
  if (task.release > now_) {
    fail("5 issue", "the task is not released yet");
  }
  for (const TaskId on : program_->dependencies(launch.task)) {
    const bool is_issued = program_->task(on).kind == TaskKind::kEvict || launches_.contains(on);
    if (!is_issued) {
      fail("5 issue", "before " + std::string(program_->task_name(on)) + ", on which it depends");
    }
  }
  for (const TaskId on : program_->timed_dependencies(launch.task)) check_timed(on, launch);
}

// An eviction takes no time: what waits for it waits for what it waits for.
void CommandChecker::check_timed(TaskId on, const OwnedLaunch& launch) {
  if (program_->task(on).kind == TaskKind::kEvict) {
    for (const TaskId earlier : program_->timed_dependencies(on)) check_timed(earlier, launch);
    return;
  }
  if (ancestry_.is_before(launches_.at(on), launch.id)) return;
  fail("5 explicit", "may start before " + std::string(program_->task_name(on)) + " (" +
                         number(launches_.at(on)) + ") has ended");
}

void CommandChecker::check_devices(const OwnedLaunch& launch) {
  const PlacementId id = program_->task(launch.task).placement;
  const Placement& placement = program_->placement(id);
  const auto [found, is_new] = candidates_.try_emplace(id);
  std::vector<std::string> unknown;
  if (is_new) found->second = resolve(placement, *machine_, &unknown);
  const std::vector<Candidate>& candidates = found->second;
  const bool is_allowed =
      std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
        return candidate.alternative == launch.alternative && candidate.devices == launch.devices;
      });
  if (!is_allowed) fail("launch", "the placement does not allow these devices");
  if (launch.milli_vcus != placement[launch.alternative].milli_vcus) fail("launch", "its vcus");
}

void CommandChecker::check_window(const OwnedLaunch& launch) {
  devices_of_[launch.id.index()] = launch.devices;
  for (const DeviceId device : launch.devices) {
    const std::uint32_t issued = ++running_[device.index()];
    if (window_ != 0 && issued > window_) {
      fail("window", number(issued) + " unfinished tasks on " + machine_->device(device).name);
    }
  }
}

void CommandChecker::check_binding(const OwnedLaunch& launch, std::size_t index) {
  const Access& access = program_->accesses(launch.task)[index];
  const OwnedBinding& operand = launch.operands[index];
  const Region& region = program_->region(access.region);
  if (operand.space != machine_->device(launch.devices[access.member]).space) {
    fail("launch", "operand " + std::to_string(index) + " is in another device's memory");
  }
  if (!operand.is_home_view) {
    note_block(operand.space, operand.offset, Arena::rounded(region.bytes).count(),
               operand.replica);
    return;
  }
  const Bytes home = engine_->home_slot(region.array) + home_offset(*program_, access.region);
  if (operand.space != engine_->home_space(region.array) || operand.offset != home.count()) {
    fail("launch", "operand " + std::to_string(index) + " is no view of the home slot");
  }
}

void CommandChecker::read_operand(const OwnedLaunch& launch, std::size_t index) {
  const Access& access = program_->accesses(launch.task)[index];
  const OwnedBinding& operand = launch.operands[index];
  const ArrayId array = program_->region(access.region).array;
  const std::int64_t cells = cells_per_element(array);
  const std::vector<std::int64_t> elements = elements_of(*program_, access.region);
  const std::vector<std::int64_t> offsets =
      offsets_of(*program_, access.region, operand.is_home_view);
  const std::span<const Version> versions = meaning_->versions_read(launch.task, index);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    for (std::int64_t part = 0; part < cells; ++part) {
      ShadowCell& cell =
          memory_.at(operand.space, operand.offset + offsets[i] + part * memory_.bytes_per_cell());
      const auto what = [&] {
        return "operand " + std::to_string(index) + ", element " + number(elements[i]) + " of " +
               program_->array(array).spec.name;
      };
      if (cell.array != array ||
          cell.part != static_cast<std::uint32_t>(elements[i] * cells + part)) {
        fail("4 version", what() + " is not there");
      }
      if (cell.version != versions[i]) {
        fail("4 version", what() + " is " + version_text(*program_, cell.version) + ", not " +
                              version_text(*program_, versions[i]));
      }
      if (!ancestry_.is_before(cell.writer, launch.id)) {
        fail("3 read",
             what() + " is read, but " + number(cell.writer) + ", which writes it, may still run");
      }
      cell.readers = readers_.with(cell.readers, launch.id);
      cell.is_seen_twice = cell.seen_by == launch.id && cell.seen_as != index;
      cell.seen_by = launch.id;
      cell.seen_as = static_cast<std::uint16_t>(index);
    }
  }
}

void CommandChecker::write_operand(const OwnedLaunch& launch, std::size_t index) {
  const Access& access = program_->accesses(launch.task)[index];
  const OwnedBinding& operand = launch.operands[index];
  const ArrayId array = program_->region(access.region).array;
  const std::int64_t cells = cells_per_element(array);
  const std::vector<std::int64_t> elements = elements_of(*program_, access.region);
  const std::vector<std::int64_t> offsets =
      offsets_of(*program_, access.region, operand.is_home_view);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    for (std::int64_t part = 0; part < cells; ++part) {
      const std::int64_t at = operand.offset + offsets[i] + part * memory_.bytes_per_cell();
      ShadowCell& cell = memory_.at(operand.space, at);
      if (cell.seen_by == launch.id && (cell.seen_as != index || cell.is_seen_twice)) {
        fail("operands", "written operand " + std::to_string(index) + " shares offset " +
                             number(at) + " with another operand");
      }
      cell.seen_by = launch.id;
      cell.seen_as = static_cast<std::uint16_t>(index);
      overwrite(cell, launch.id, at);
      cell.array = array;
      cell.part = static_cast<std::uint32_t>(elements[i] * cells + part);
      cell.version = version_of(launch.task);
    }
    current_[array][static_cast<std::size_t>(elements[i])] = version_of(launch.task);
  }
}

void CommandChecker::write_scratch(const OwnedLaunch& launch, std::size_t member) {
  const Placement& placement = program_->placement(program_->task(launch.task).placement);
  const std::int64_t bytes = scratch_size(placement[launch.alternative]);
  if (bytes == 0) return;
  if (launch.scratch_offsets.size() != launch.devices.size()) {
    fail("launch", "one block of scratch for each device");
  }
  const SpaceId space = machine_->device(launch.devices[member]).space;
  const std::int64_t offset = launch.scratch_offsets[member];
  check_bounds(space, offset, bytes, "scratch");
  for (const auto& [begin, block] : blocks_[space.index()]) {
    if (begin < offset + bytes && block.end > offset) fail("6 disjoint", "scratch in a replica");
  }
  for (std::int64_t at = offset; at < offset + bytes; at += memory_.bytes_per_cell()) {
    ShadowCell& cell = memory_.at(space, at);
    if (cell.seen_by == launch.id) fail("operands", "scratch shares memory with an operand");
    cell.seen_by = launch.id;
    cell.seen_as = static_cast<std::uint16_t>(0xffff - member);
    overwrite(cell, launch.id, at);
    cell.array = ArrayId::none();
    cell.version = kNoVersion;
  }
}

// ---- the end ----

void CommandChecker::check_end(bool has_failed) {
  if (!is_finished_ && !has_failed) fail("finish", "the run has not finished");
  for (std::size_t i = 0; i < program_->task_count() && !has_failed; ++i) {
    if (program_->task(TaskId(i)).kind == TaskKind::kCompute && !launches_.contains(TaskId(i))) {
      fail("5 once", std::string(program_->task_name(TaskId(i))) + " never ran");
    }
  }
  for (std::size_t i = 0; i < program_->array_count(); ++i) {
    check_locations(ArrayId(i), has_failed);
  }
}

// "home" is the first of the spaces where the array may start.
void CommandChecker::check_is_home(ArrayId array) {
  const SpaceId home = *machine_->find_space(program_->array(array).spec.homes.front());
  for (const PieceOverview& piece : engine_->overview(array).pieces) {
    if (piece.owner.is_none() || piece.states[home.index()] != MsiState::kInvalid) continue;
    fail("at end", program_->array(array).spec.name + " is not at home");
  }
}

void CommandChecker::check_locations(ArrayId array, bool has_failed) {
  const Array& described = program_->array(array);
  if (described.spec.at_end == AtEnd::kDiscard) return;
  std::vector<int> times_found(current_[array].size(), 0);
  for (const LostPiece& lost : engine_->lost_pieces()) {
    if (!has_failed) fail("1 lost", "pieces are lost without a failure");
    if (lost.array != array) continue;
    for_each_element_of(lost.box, described.spec.shape, [&](std::int64_t element) {
      times_found[static_cast<std::size_t>(element)] += kLost;
    });
  }
  for (const PieceLocation& location : engine_->locations(array)) {
    const std::vector<std::int64_t> held = elements_of(*program_, location.replica_region);
    const std::vector<std::int64_t> offsets =
        offsets_of(*program_, location.replica_region, location.is_home_view);
    for_each_element_of(location.box, described.spec.shape, [&](std::int64_t element) {
      int& times = times_found[static_cast<std::size_t>(element)];
      if (times++ >= kLost) return;
      const auto found = std::lower_bound(held.begin(), held.end(), element);
      const std::string what = described.spec.name + " element " + number(element);
      if (found == held.end() || *found != element) fail("1 location", what + " is not there");
      const std::int64_t at =
          location.offset.count() + offsets[static_cast<std::size_t>(found - held.begin())];
      const ShadowCell& cell = memory_.at(location.space, at);
      const Version version = current_version(array, element);
      if (!has_failed && version != meaning_->last_version(array, element)) {
        fail("4 version", what + " was last written by another task than in sequence");
      }
      if (cell.array != array || cell.version != version ||
          cell.part != static_cast<std::uint32_t>(element * cells_per_element(array))) {
        fail("1 location", what + " at " + number(at) + " does not have its last version");
      }
    });
  }
  if (described.spec.at_end == AtEnd::kHome && !has_failed) check_is_home(array);
  for (std::size_t i = 0; i < times_found.size(); ++i) {
    const bool has_contents = current_[array][i] != kNoVersion;
    if (times_found[i] != kLost && times_found[i] != (has_contents ? 1 : 0)) {
      fail("1 location", described.spec.name + " element " + std::to_string(i) + " is found " +
                             std::to_string(times_found[i] % kLost) + " times" +
                             (times_found[i] >= kLost ? " and lost" : ""));
    }
  }
}

}  // namespace parley::test
