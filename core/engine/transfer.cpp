// Copies between replicas: which source, what geometry, what they wait for.
#include <algorithm>
#include <array>
#include <utility>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/engine/mutation.h"

namespace parley::core {
namespace {

/// Position of an element box within a replica, and bytes from one of its elements to the next.
struct Layout {
  std::int64_t offset = 0;
  std::array<std::int64_t, Box::kMaxRank> strides{};
};

Layout layout_of(const Program& program, const Replica& replica, const Box& box) {
  const Box& own = program.region(replica.region).box;
  std::array<std::int64_t, Box::kMaxRank> unit{};
  operand_strides(program, replica.region, false, std::span(unit).first(own.rank()));
  Layout layout;
  layout.offset = replica.offset.count();
  for (std::size_t d = 0; d < own.rank(); ++d) {
    layout.offset += (box[d].start - own[d].start) / own[d].step * unit[d];
    layout.strides[d] = box[d].step / own[d].step * unit[d];
    if (box[d].count == 1) layout.strides[d] = 0;
  }
  return layout;
}

/// One box of a copy; dimensions that are contiguous on both sides are merged into the run.
CopyPart part_of(EngineState& state, const Replica& source, const Replica& target, const Box& box) {
  const Program& program = state.program;
  const std::int64_t element = program.array(source.array).element_bytes;
  const Layout from = layout_of(program, source, box);
  const Layout to = layout_of(program, target, box);
  CopyPart part;
  part.box = state.pool.copy(box.ranges());
  part.source_offset = Bytes(from.offset);
  part.target_offset = Bytes(to.offset);
  part.bytes = Bytes(box.size() * element);
  part.run_bytes = element;
  std::array<CopyDimension, Box::kMaxRank> dimensions{};
  std::size_t count = 0;
  for (std::size_t d = box.rank(); d-- > 0;) {
    if (box[d].count == 1) continue;
    if (count == 0 && from.strides[d] == part.run_bytes && to.strides[d] == part.run_bytes) {
      part.run_bytes *= box[d].count;
      continue;
    }
    if (count > 0) {  // a dimension that continues the one inside it
      CopyDimension& inner = dimensions[count - 1];
      if (from.strides[d] == inner.source_stride * inner.count &&
          to.strides[d] == inner.target_stride * inner.count) {
        inner.count *= box[d].count;
        continue;
      }
    }
    dimensions[count++] = {box[d].count, from.strides[d], to.strides[d]};
  }
  std::reverse(dimensions.begin(), dimensions.begin() + static_cast<std::ptrdiff_t>(count));
  part.dimensions = state.pool.copy(std::span<const CopyDimension>(dimensions.data(), count));
  return part;
}

/// The boxes of the pieces, or the one box that source and target share when the pieces fill it:
/// between replicas of one region one run of bytes.
std::span<const CopyPart> parts_of(EngineState& state, const Replica& source, const Replica& target,
                                   std::span<const PieceId> pieces) {
  const PieceMap& map = state.directory.map();
  const Box& source_box = state.program.region(source.region).box;
  if (source.region == target.region &&
      pieces.size() == state.directory.pieces(source.region).size()) {
    const auto parts = state.pool.allocate<CopyPart>(1);
    const Region& region = state.program.region(source.region);
    parts[0] = {state.pool.copy(region.box.ranges()),
                source.offset,
                target.offset,
                region.bytes,
                region.bytes.count(),
                {}};
    return parts;
  }
  std::int64_t elements = 0;
  std::size_t boxes = 0;
  for (const PieceId piece : pieces) {
    elements += map.size(piece);
    boxes += map.boxes(piece).size();
  }
  const auto shared = intersection(source_box, state.program.region(target.region).box);
  PARLEY_CHECK(shared.has_value(), "a copy between disjoint replicas");
  if (elements == shared->size()) {
    const auto parts = state.pool.allocate<CopyPart>(1);
    parts[0] = part_of(state, source, target, *shared);
    return parts;
  }
  const auto parts = state.pool.allocate<CopyPart>(boxes);
  std::size_t count = 0;
  for (const PieceId piece : pieces) {
    for (const Box& box : map.boxes(piece)) parts[count++] = part_of(state, source, target, box);
  }
  return parts;
}

Time ready_time(const EngineState& state, const Holder& holder) {
  if (holder.writer.is_none()) return state.now;
  return std::max(state.now, state.commands.expected_end(holder.writer, state.now));
}

/// The replica to copy the piece from: as the policy says, among those with a route. Through the
/// home slot when there is none.
ReplicaId choose_source(EngineState& state, ReplicaId target, PieceId piece, Bytes bytes,
                        TaskId task) {
  Directory& directory = state.directory;
  const SpaceId to = directory.replica(target).space;
  const auto& holders = directory.piece(piece).holders;
  if (holders.size() == 1 && !state.machine.route_id(holders[0].space, to).is_none()) {
    return holders[0].replica;
  }
  std::vector<SourceOption>& options = state.source_options;
  options.clear();
  for (const Holder& holder : directory.piece(piece).holders) {
    const SpaceId from = holder.space;
    if (state.machine.route_id(from, to).is_none()) continue;
    options.push_back(
        {holder.replica, from, ready_time(state, holder), directory.piece(piece).owner == from});
  }
  if (options.size() == 1) return options.front().replica;
  if (!options.empty()) {
    std::sort(options.begin(), options.end(), [](const SourceOption& a, const SourceOption& b) {
      return std::pair(a.space, a.replica) < std::pair(b.space, b.replica);
    });
    state.sought_piece = piece;
    state.sought_target = target;
    const std::size_t choice = state.policies.source->choose(state.view, options, to, bytes);
    PARLEY_CHECK(choice < options.size(), "the source policy chose no option");
    return options[choice].replica;
  }
  const ReplicaId home = directory.home(directory.replica(target).array);
  const SpaceId home_space = directory.replica(home).space;
  PARLEY_CHECK(!directory.piece(piece).holders.empty(),
               "read of contents that nobody wrote: " +
                   state.program.region_text(directory.replica(target).region));
  ReplicaId first = ReplicaId::none();
  for (const ReplicaId holder : directory.piece(piece).holders) {
    const bool has_route =
        !state.machine.route_id(directory.replica(holder).space, home_space).is_none();
    if (has_route && (first.is_none() || holder < first)) first = holder;
  }
  PARLEY_CHECK(!first.is_none(), "no route to the home slot");
  give_copy(state, first, home, std::span<const PieceId>(&piece, 1), CopyReason::kHomeHop, task,
            {});
  return home;
}

void occupy(EngineState& state, const Route& route, RouteId id, Time until) {
  if (route.engines.empty()) {
    state.route_free[id] = until;
    return;
  }
  for (const CopyEngineId engine : route.engines) state.engine_free[engine] = until;
}

}  // namespace

void compact(const EngineState& state, std::vector<CommandId>& after) {
  std::erase_if(after, [&](CommandId id) { return state.commands.is_finished(id); });
  if (after.size() < 2) return;
  std::sort(after.begin(), after.end());
  after.erase(std::unique(after.begin(), after.end()), after.end());
}

void give_copy(EngineState& state, ReplicaId source_id, ReplicaId target_id,
               std::span<const PieceId> pieces, CopyReason reason, TaskId task,
               std::span<const CommandId> extra_after) {
  Directory& directory = state.directory;
  const Replica& source = directory.replica(source_id);
  const Replica& target = directory.replica(target_id);
  // Filled in in place, as the record is: copying what was just written would wait for it.
  StartCopy& command =
      std::get<StartCopy>(state.output.emplace_back(std::in_place_type<StartCopy>));
  command.id = state.commands.next_id();
  command.array = directory.array_of(source.region);
  command.from = source.space;
  command.to = target.space;
  command.route = state.machine.route_id(source.space, target.space);
  PARLEY_CHECK(!command.route.is_none(), "a copy without a route");
  command.reason = reason;
  command.task = task;
  command.source_replica = source_id;
  command.target_replica = target_id;
  if (!task.is_none()) command.priority = state.program.task(task).priority;
  command.parts = parts_of(state, source, target, pieces);
  for (const CopyPart& part : command.parts) command.bytes += part.bytes;

  CommandRecord& record = state.commands.draft();
  record.kind = CommandKind::kCopy;
  record.task = task;
  record.target = target.space;
  record.after.insert(record.after.end(), extra_after.begin(), extra_after.end());
  for (const PieceId piece : pieces) {
    directory.append_read_waits(directory.cell(source_id, piece), record.after);
    directory.append_write_waits(target, directory.cell(target_id, piece), record.after);
  }
  compact(state, record.after);
  const Route& route = state.machine.route(command.route);
  Time start = state.route_free_time(command.route);
  for (const CommandId before : record.after) {
    start = std::max(start, state.commands.expected_end(before, state.now));
  }
  record.expected_end = start + state.copy_duration(command.route, command.bytes);
  occupy(state, route, command.route, record.expected_end);
  const CommandId id = state.commands.add();
  command.after = record.after;

  for (const PieceId piece : pieces) {
    if (!mutation_is_on(Mutation::kCopyMarksNoReader)) {
      directory.add_reader(source_id, piece, id, state.commands);
    }
    directory.set_valid(target_id, piece, id);
  }
  ++state.spaces[command.to].arriving;
  ++state.statistics.copies;
  state.statistics.bytes_copied += command.bytes;
  if (reason == CopyReason::kPrefetch) ++state.statistics.prefetches;
  if (reason == CopyReason::kWriteBack) state.statistics.written_back_bytes += command.bytes;
  if (state.options.record_states) record_states(state, command.array, id);
}

void fetch(EngineState& state, ReplicaId target, RegionId region, CopyReason reason, TaskId task,
           const std::vector<CommandId>& extra_after) {
  Directory& directory = state.directory;
  if (const PieceId piece = directory.only_piece(region); !piece.is_none()) {
    if (directory.is_valid(target, piece)) return;
    if (reason != CopyReason::kFetch && directory.piece(piece).holders.empty()) return;
    const Bytes bytes = directory.places(region).bytes;
    const ReplicaId source = choose_source(state, target, piece, bytes, task);
    if (source == target) return;
    give_copy(state, source, target, std::span(&piece, 1), reason, task, extra_after);
    return;
  }
  // Missing pieces by source, in the order in which sources first occur.
  const std::int64_t element = state.program.array(directory.array_of(region)).element_bytes;
  std::vector<std::pair<ReplicaId, std::vector<PieceId>>> by_source;
  for (const PieceId piece : directory.pieces(region)) {
    if (directory.cell(target, piece).is_valid) continue;
    if (reason != CopyReason::kFetch && directory.piece(piece).holders.empty()) continue;
    const Bytes bytes(directory.map().size(piece) * element);
    const ReplicaId source = choose_source(state, target, piece, bytes, task);
    // A hop through the target's own home slot has brought it here.
    if (source == target) continue;
    auto group = std::find_if(by_source.begin(), by_source.end(),
                              [&](const auto& entry) { return entry.first == source; });
    if (group == by_source.end()) group = by_source.insert(group, {source, {}});
    group->second.push_back(piece);
  }
  for (const auto& [source, pieces] : by_source) {
    give_copy(state, source, target, pieces, reason, task, extra_after);
  }
}

}  // namespace parley::core
