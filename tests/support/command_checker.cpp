#include "tests/support/command_checker.h"

#include <algorithm>

#include "core/machine/cost_model.h"
#include "core/memory/arena.h"
#include "tests/support/geometry.h"

namespace parley::test {

using namespace core;  // NOLINT

namespace {

std::int64_t smallest_element(const Program& program) {
  std::int64_t smallest = 16;
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    smallest = std::min(smallest, program.array(ArrayId(i)).element_bytes);
  }
  return smallest;
}

std::string number(std::int64_t value) { return std::to_string(value); }
std::string number(CommandId id) { return "#" + std::to_string(id.index()); }

}  // namespace

CommandChecker::CommandChecker(const Program& program, const Machine& machine, const Engine& engine,
                               const Meaning& meaning, std::uint32_t window)
    : program_(&program),
      machine_(&machine),
      engine_(&engine),
      meaning_(&meaning),
      window_(window),
      memory_(smallest_element(program)),
      blocks_(machine.space_count()),
      running_(machine.device_count(), 0) {
  lay_out_initial();
}

void CommandChecker::fail(const std::string& rule, const std::string& what) const {
  const std::string where =
      now_checking_ == nullptr ? "" : "\n  at " + text_of(*program_, *now_checking_);
  throw RuleBroken(rule + ": " + what + where);
}

std::int64_t CommandChecker::cells_per_element(ArrayId array) const {
  return program_->array(array).element_bytes / memory_.bytes_per_cell();
}

bool CommandChecker::has_contents(const Access& access) const {
  return program_->region(access.region).bytes.count() > 0;
}

CommandId CommandChecker::launch_of(TaskId task) const {
  const auto found = launches_.find(task);
  return found == launches_.end() ? CommandId::none() : found->second;
}

void CommandChecker::lay_out_initial() {
  for (std::size_t i = 0; i < program_->array_count(); ++i) {
    const ArrayId array(i);
    const Array& described = program_->array(array);
    const auto elements =
        static_cast<std::size_t>(described.bytes.count() / described.element_bytes);
    const bool has_contents = described.spec.initial.kind != Initial::Kind::kNone;
    current_.push_back(std::vector<Version>(elements, has_contents ? kInitialVersion : kNoVersion));
    if (described.bytes.count() == 0) continue;
    note_block(engine_->home_space(array), engine_->home_slot(array).count(),
               described.bytes.count(), ReplicaId::none());
  }
  for (const InitialReplica& initial : engine_->initial_replicas()) {
    const std::int64_t bytes = program_->array(initial.array).bytes.count();
    check_bounds(initial.space, initial.offset.count(), bytes, "an initial replica");
    for (std::int64_t at = 0; at < bytes; at += memory_.bytes_per_cell()) {
      ShadowCell& cell = memory_.at(initial.space, initial.offset.count() + at);
      if (!cell.array.is_none()) fail("6 disjoint", "two initial replicas overlap");
      cell.array = initial.array;
      cell.part = static_cast<std::uint32_t>(at / memory_.bytes_per_cell());
      cell.version = kInitialVersion;
    }
  }
}

void CommandChecker::on_event(Time now, const Event& event) {
  now_ = now;
  const auto settle = [&](CommandId id) {
    if (id.index() >= ancestry_.count()) fail("driver", "an event for a command never given");
    ancestry_.settle(id);
    for (const DeviceId device : devices_of_[id.index()]) --running_[device.index()];
  };
  std::visit(Overloaded{
                 [&](const TasksSubmitted& e) { submitted_ = e.end.index(); },
                 [](const SubmissionClosed&) {},
                 [](const TaskReleased&) {},
                 [&](const CopyDone& e) { settle(e.id); },
                 [&](const TaskDone& e) { settle(e.id); },
                 [&](const CommandFailed& e) { on_cancelled(e.id); },
             },
             event);
}

void CommandChecker::on_cancelled(CommandId id) {
  has_failed_ = true;
  if (has_stopped_[id.index()]) return;
  if (ancestry_.is_settled(id)) fail("failure", number(id) + " had ended and is cancelled");
  has_stopped_[id.index()] = true;
  ancestry_.settle(id);
  for (const DeviceId device : devices_of_[id.index()]) --running_[device.index()];
  memory_.for_each([&](ShadowCell& cell) {
    if (cell.writer == id) cell.version = kNoVersion;
  });
}

void CommandChecker::on_command(const OwnedCommand& command) {
  now_checking_ = &command;
  if (is_finished_) fail("finish", "a command after Finish");
  std::visit([&](const auto& c) { check(c); }, command);
  now_checking_ = nullptr;
}

void CommandChecker::admit(CommandId id, std::span<const CommandId> after) {
  if (id.index() != ancestry_.count()) fail("8 ids", "ids are not consecutive");
  for (const CommandId earlier : after) {
    if (earlier >= id) fail("8 after", "waits for " + number(earlier) + ", which is not earlier");
    if (has_stopped_[earlier.index()]) {
      fail("failure", "waits for " + number(earlier) + ", which will never end");
    }
  }
  ancestry_.add(id, after);
  devices_of_.emplace_back();
  has_stopped_.push_back(false);
}

void CommandChecker::check_bounds(SpaceId space, std::int64_t offset, std::int64_t bytes,
                                  const std::string& what) const {
  if (offset < 0 || offset + bytes > engine_->slab_bytes(space).count()) {
    fail("6 capacity", what + " at " + number(offset) + " of " + number(bytes) +
                           " bytes lies outside the slab of " +
                           number(engine_->slab_bytes(space).count()));
  }
  if (offset + bytes > machine_->space(space).capacity.count()) {
    fail("6 capacity", what + " lies beyond the capacity of " + machine_->space(space).name);
  }
}

// A live block is known from its first use until it is dropped.
void CommandChecker::note_block(SpaceId space, std::int64_t offset, std::int64_t bytes,
                                ReplicaId replica) {
  std::map<std::int64_t, Block>& blocks = blocks_[space.index()];
  const std::int64_t end = offset + bytes;
  check_bounds(space, offset, bytes, "a block");
  auto next = blocks.upper_bound(offset);
  if (next != blocks.end() && next->first < end) {
    fail("6 disjoint",
         "the block at " + number(offset) + " runs into the one at " + number(next->first));
  }
  if (next != blocks.begin()) {
    const auto& [begin, block] = *std::prev(next);
    if (begin == offset && block.replica == replica) return;
    if (block.end > offset) {
      fail("6 disjoint", "the block at " + number(offset) + " lies in the one at " + number(begin));
    }
  }
  blocks[offset] = {end, replica};
}

// ---- cells ----

void CommandChecker::overwrite(ShadowCell& cell, CommandId id, std::int64_t offset) {
  const auto check_ended = [&](CommandId user, const char* use) {
    if (user == id || ancestry_.is_before(user, id)) return;
    fail("3 overwrite", "offset " + number(offset) + " is overwritten, but " + number(user) +
                            ", which " + use + " it, may still run");
  };
  check_ended(cell.writer, "writes");
  readers_.for_each(cell.readers, [&](CommandId reader) { check_ended(reader, "reads"); });
  cell.writer = id;
  cell.readers = 0;
}

// Evicting from a host makes a home slot invalid without a command: what it holds may come again.
bool CommandChecker::may_home_be_evicted() const {
  for (std::size_t i = 0; i < submitted_; ++i) {
    if (program_->task(TaskId(i)).kind != TaskKind::kEvict) continue;
    const auto space = machine_->find_space(program_->extras(TaskId(i)).evict_space);
    if (space && machine_->space(*space).is_host) return true;
  }
  return false;
}

void CommandChecker::move_cell(const OwnedCopy& copy, std::int64_t source_offset,
                               std::int64_t target_offset, std::vector<std::uint32_t>& moved) {
  ShadowCell& source = memory_.at(copy.from, source_offset);
  if (source.array != copy.array) {
    fail("3 source", "offset " + number(source_offset) + " does not hold the array");
  }
  const std::int64_t element = source.part / cells_per_element(copy.array);
  const Version current = current_version(copy.array, element);
  const auto what = [&] {
    return "element " + number(element) + " at offset " + number(source_offset);
  };
  if (source.version != current) {
    fail("3 source", what() + " is " + version_text(*program_, source.version) + ", not " +
                         version_text(*program_, current));
  }
  if (!ancestry_.is_before(source.writer, copy.id)) {
    fail("3 source",
         what() + " is copied, but " + number(source.writer) + ", which writes it, may still run");
  }
  const std::uint32_t part = source.part;
  moved.push_back(part);
  source.readers = readers_.with(source.readers, copy.id);

  ShadowCell& target = memory_.at(copy.to, target_offset);
  if (&target == &source) fail("copy", what() + " is copied onto itself");
  if (target.array == copy.array && target.part == part && target.version == current &&
      !may_home_be_evicted()) {
    fail("3 once", what() + " is copied to where it already is or is on its way to");
  }
  overwrite(target, copy.id, target_offset);
  target.array = copy.array;
  target.part = part;
  target.version = current;
}

void CommandChecker::check_part(const OwnedCopy& copy, const OwnedPart& part) {
  const std::int64_t element_bytes = program_->array(copy.array).element_bytes;
  if (part.bytes != part.box.size() * element_bytes) fail("copy", "bytes of a part");
  std::vector<std::uint32_t> moved;
  std::vector<std::int64_t> position(part.dimensions.size(), 0);
  std::int64_t source = part.source_offset, target = part.target_offset;
  while (true) {
    check_bounds(copy.from, source, part.run_bytes, "a run");
    check_bounds(copy.to, target, part.run_bytes, "a run");
    for (std::int64_t at = 0; at < part.run_bytes; at += memory_.bytes_per_cell()) {
      move_cell(copy, source + at, target + at, moved);
    }
    std::size_t dim = part.dimensions.size();
    while (dim > 0 && ++position[dim - 1] == part.dimensions[dim - 1].count) {
      --dim;
      position[dim] = 0;
      source -= part.dimensions[dim].source_stride * (part.dimensions[dim].count - 1);
      target -= part.dimensions[dim].target_stride * (part.dimensions[dim].count - 1);
    }
    if (dim == 0) break;
    source += part.dimensions[dim - 1].source_stride;
    target += part.dimensions[dim - 1].target_stride;
  }
  std::sort(moved.begin(), moved.end());
  std::vector<std::uint32_t> meant;
  const std::int64_t cells = cells_per_element(copy.array);
  for_each_element_of(part.box, program_->array(copy.array).spec.shape, [&](std::int64_t element) {
    for (std::int64_t i = 0; i < cells; ++i) {
      meant.push_back(static_cast<std::uint32_t>(element * cells + i));
    }
  });
  if (moved != meant) fail("copy", "the runs do not move exactly the box");
}

// ---- commands ----

void CommandChecker::check(const OwnedCopy& copy) {
  admit(copy.id, copy.after);
  if (copy.route.is_none() || machine_->route_id(copy.from, copy.to) != copy.route) {
    fail("copy", "the route does not lead from source to target");
  }
  std::int64_t bytes = 0;
  for (const OwnedPart& part : copy.parts) {
    check_part(copy, part);
    bytes += part.bytes;
  }
  if (bytes != copy.bytes || bytes == 0) fail("copy", "its parts have " + number(bytes) + " bytes");
}

void CommandChecker::check(const OwnedDrop& drop) {
  std::map<std::int64_t, Block>& blocks = blocks_[drop.space.index()];
  const auto known = blocks.find(drop.offset);
  if (known != blocks.end()) {
    if (known->second.replica != drop.replica) fail("6 books", "another replica lies there");
    blocks.erase(known);
  }
  check_bounds(drop.space, drop.offset, drop.bytes, "a dropped block");
  const auto is_awaited = [&](CommandId id) {
    if (id.is_none() || ancestry_.is_settled(id)) return true;
    return std::any_of(drop.after.begin(), drop.after.end(), [&](CommandId after) {
      return after == id || ancestry_.is_ancestor(id, after);
    });
  };
  for (std::int64_t at = 0; at < drop.bytes; at += memory_.bytes_per_cell()) {
    ShadowCell& cell = memory_.at(drop.space, drop.offset + at);
    bool is_complete = is_awaited(cell.writer);
    readers_.for_each(cell.readers,
                      [&](CommandId reader) { is_complete = is_complete && is_awaited(reader); });
    if (!is_complete) fail("drop", "offset " + number(drop.offset + at) + " is still in use");
    cell.array = ArrayId::none();
    cell.version = kNoVersion;
  }
}

void CommandChecker::check(const OwnedFinish&) {
  is_finished_ = true;
  for (std::size_t i = 0; i < ancestry_.count(); ++i) {
    if (!ancestry_.is_settled(CommandId(i))) fail("finish", number(CommandId(i)) + " still runs");
  }
}

}  // namespace parley::test
