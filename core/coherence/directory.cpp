#include "core/coherence/directory.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/engine/mutation.h"

namespace parley::core {

void Cells::push_back(Cell cell) {
  if (!more_) {
    more_ = std::make_unique<std::vector<Cell>>();
    more_->push_back(std::move(only_));
  }
  more_->push_back(std::move(cell));
}

void Cells::renew(std::size_t count) {
  only_ = Cell();
  more_ = count > 1 ? std::make_unique<std::vector<Cell>>(count) : nullptr;
}

Directory::Directory(const Program& program, const Machine& machine)
    : program_(&program), machine_(&machine) {}

void Directory::add_array(ArrayId id, SpaceId home_space, Bytes slot_offset) {
  const Array& array = program_->array(id);
  map_.add_array(id, array.whole, program_->region(array.whole).box);
  pieces_.push_back({});
  Replica home;
  home.region = array.whole;
  home.array = id;
  home.space = home_space;
  home.offset = slot_offset;
  home.bytes = array.bytes;
  home.is_home = true;
  home.is_live = true;
  home_.push_back({replicas_.push_back(std::move(home)), home_space});
  note_pieces(array.whole);
}

std::size_t Directory::cell_index(const Replica& replica, PieceId piece) const {
  if (replica.is_home) return map_.local(piece);
  const auto pieces = map_.pieces(replica.region);
  const auto found = std::find(pieces.begin(), pieces.end(), piece);
  PARLEY_CHECK(found != pieces.end(), "piece outside the replica's region");
  return static_cast<std::size_t>(found - pieces.begin());
}

/// Brings the region's entry up to date with the map.
void Directory::note_pieces(RegionId id) {
  if (places_.size() <= id.index()) places_.resize(program_->region_count());
  RegionPlaces& places = places_[id];
  if (places.array.is_none()) {
    const Region& region = program_->region(id);
    places.array = region.array;
    places.bytes = region.bytes;
    places.home = home_[region.array].replica;
    places.home_space = home_[region.array].space;
  }
  const auto pieces = map_.pieces(id);
  places.piece = pieces.size() == 1 ? pieces.front() : PieceId::none();
}

void Directory::cut(RegionId id) {
  const Region& region = program_->region(id);
  for (const PieceCut& cut : map_.activate(id, region.array, region.box)) {
    PieceState state = pieces_[cut.from];
    if (mutation_is_on(Mutation::kCutForgetsHolders)) state.holders.clear();
    pieces_.push_back(std::move(state));
    const auto copy_cell = [&](ReplicaId replica_id) {
      Replica& replica = replicas_[replica_id];
      Cell part = replica.cells[cell_index(replica, cut.from)];
      if (mutation_is_on(Mutation::kCutForgetsReaders)) part.readers.clear();
      if (part.is_valid) ++replica.valid_cells;
      replica.cells.push_back(std::move(part));
    };
    copy_cell(home_[region.array].replica);
    for (const RegionId holder : map_.regions(cut.inside)) {
      note_pieces(holder);
      for (const ReplicaPlacing& place : places_[holder].replicas) copy_cell(place.replica);
    }
  }
  note_pieces(id);
}

ReplicaId Directory::create(RegionId region, SpaceId space, BlockId block, Bytes offset,
                            Bytes bytes, std::span<const CommandId> residue) {
  ReplicaId id;
  if (unused_.empty()) {
    id = replicas_.push_back({});
  } else {
    id = unused_.back();
    unused_.pop_back();
  }
  Replica& replica = replicas_[id];
  replica.region = region;
  replica.array = places_[region].array;
  replica.space = space;
  replica.block = block;
  replica.offset = offset;
  replica.bytes = bytes;
  replica.is_home = false;
  replica.is_live = true;
  replica.pins = 0;
  replica.valid_cells = 0;
  replica.cells.renew(map_.pieces(region).size());
  replica.residue.clear();
  for (const CommandId command : residue) replica.residue.push_back(command);
  places_[region].replicas.push_back({id, space});
  return id;
}

void Directory::destroy(ReplicaId id, std::vector<CommandId>& users) {
  Replica& replica = replicas_[id];
  PARLEY_CHECK(replica.is_live && !replica.is_home, "only compact replicas are destroyed");
  PARLEY_CHECK(replica.valid_cells == 0, "a replica with valid cells is destroyed");
  for (const Cell& cell : replica.cells.items()) append_write_waits(replica, cell, users);
  if (mutation_is_on(Mutation::kFreeForgetsUsers)) users.clear();
  places_[replica.region].replicas.erase_if(
      [&](const ReplicaPlacing& place) { return place.replica == id; });
  replica.is_live = false;
  replica.residue.clear();
  unused_.push_back(id);
}

void Directory::set_valid(ReplicaId id, PieceId piece, CommandId writer) {
  Cell& target = cell(id, piece);
  target.writer = writer;
  target.readers.clear();
  if (target.is_valid) {
    for (Holder& holder : pieces_[piece].holders.items()) {
      if (holder.replica == id) holder.writer = writer;
    }
    return;
  }
  target.is_valid = true;
  ++replicas_[id].valid_cells;
  pieces_[piece].holders.push_back({id, replicas_[id].space, writer});
}

void Directory::set_invalid(ReplicaId id, PieceId piece) {
  Cell& target = cell(id, piece);
  if (!target.is_valid) return;
  target.is_valid = false;
  --replicas_[id].valid_cells;
  pieces_[piece].holders.erase_if([&](const Holder& other) { return other.replica == id; });
}

void Directory::add_reader(ReplicaId id, PieceId piece, CommandId reader,
                           const CommandTable& commands) {
  constexpr std::size_t kLong = 16;  // lists of data that is only read must not grow for ever
  auto& readers = cell(id, piece).readers;
  if (!readers.empty() && readers[readers.size() - 1] == reader) return;
  if (readers.size() == 4 ||
      (readers.size() >= kLong && (readers.size() & (readers.size() - 1)) == 0)) {
    readers.erase_if([&](CommandId command) { return commands.is_finished(command); });
  }
  readers.push_back(reader);
}

void Directory::append_read_waits(const Cell& cell, std::vector<CommandId>& after) const {
  if (!cell.writer.is_none() && !mutation_is_on(Mutation::kReadIgnoresWriter)) {
    after.push_back(cell.writer);
  }
}

void Directory::append_write_waits(const Replica& replica, const Cell& cell,
                                   std::vector<CommandId>& after) const {
  if (!cell.readers.empty()) {
    if (mutation_is_on(Mutation::kWriteIgnoresReaders)) return;
    after.insert(after.end(), cell.readers.begin(), cell.readers.end());
  } else if (!cell.writer.is_none()) {
    if (mutation_is_on(Mutation::kWriteIgnoresWriter)) return;
    after.push_back(cell.writer);
  } else if (!mutation_is_on(Mutation::kIgnoresResidue)) {
    after.insert(after.end(), replica.residue.begin(), replica.residue.end());
  }
}

void Directory::choose_owner(PieceId id) {
  PieceState& state = pieces_[id];
  SpaceId best;
  bool is_host = true;
  for (const Holder& holder : state.holders) {
    const SpaceId space = holder.space;
    const bool holder_is_host = machine_->space(space).is_host;
    if (best.is_none() || std::pair(holder_is_host, space) < std::pair(is_host, best)) {
      best = space;
      is_host = holder_is_host;
    }
  }
  // With no holder left the owner stays, so that the loss is seen (invariant 1).
  if (!best.is_none()) state.owner = best;
}

}  // namespace parley::core
