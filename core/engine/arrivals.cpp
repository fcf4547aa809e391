#include "core/policy/arrivals.h"

#include <algorithm>

#include "core/engine/engine_state.h"

namespace parley::core {

void Arrivals::gather(const View& view, TaskId task) {
  state_ = &view.state();
  reads_.clear();
  pieces_.clear();
  holders_.clear();
  const Program& program = state_->program;
  const Directory& directory = state_->directory;
  for (const Access& access : program.accesses(task)) {
    if (!reads(access.mode)) continue;
    const RegionPlaces& region = directory.places(access.region);
    if (region.bytes == Bytes(0)) continue;
    const SpaceId home = region.home_space;
    if (!region.piece.is_none()) {
      gather_piece(access.region, home, region.piece, region.bytes);
    } else {
      const std::int64_t element = program.array(region.array).element_bytes;
      for (const PieceId piece : directory.pieces(access.region)) {
        gather_piece(access.region, home, piece, Bytes(directory.map().size(piece) * element));
      }
    }
    reads_.push_back({access.member, home, static_cast<std::uint32_t>(pieces_.size())});
  }
}

void Arrivals::gather_piece(RegionId region, SpaceId home, PieceId piece, Bytes bytes) {
  const Directory& directory = state_->directory;
  for (const ReplicaId id : directory.piece(piece).holders) {
    const Replica& replica = directory.replica(id);
    const CommandId writer = directory.cell(id, piece).writer;
    Time ready = state_->now;
    if (!writer.is_none()) {
      ready = std::max(ready, state_->commands.expected_end(writer, state_->now));
    }
    // On the home space tasks work in the home slot; a buffer there is but a source.
    const bool is_own = replica.is_home || (replica.region == region && replica.space != home);
    holders_.push_back({replica.space, is_own, ready});
  }
  pieces_.push_back({bytes, static_cast<std::uint32_t>(holders_.size())});
}

Time Arrivals::latest(const Candidate& candidate) const {
  Time latest = state_->now;
  std::uint32_t first_piece = 0;
  for (const Read& read : reads_) {
    const SpaceId space = state_->machine.device(candidate.devices[read.member]).space;
    latest = std::max(latest, available(read, first_piece, space));
    first_piece = read.end_of_pieces;
  }
  return latest;
}

Time Arrivals::available(const Read& read, std::uint32_t first_piece, SpaceId space) const {
  const EngineState& state = *state_;
  Time latest = state.now;
  Duration copying;
  std::uint32_t h = first_piece == 0 ? 0 : pieces_[first_piece - 1].end_of_holders;
  for (std::uint32_t p = first_piece; p < read.end_of_pieces; ++p) {
    const std::uint32_t end = pieces_[p].end_of_holders;
    const Bytes bytes = pieces_[p].bytes;
    bool is_there = false;
    Time best = Time::max();
    Duration best_copy;
    for (; h < end; ++h) {
      const Holder& holder = holders_[h];
      if (holder.space == space && holder.is_own) {
        latest = std::max(latest, holder.ready);
        is_there = true;
        h = end;
        break;
      }
      Time ready = holder.ready;
      Duration copy;
      const auto add_leg = [&](RouteId route) {
        ready = std::max(ready, route_free_time(state, route));
        copy += state.copy_duration(route, bytes);
      };
      const RouteId direct = state.machine.route_id(holder.space, space);
      if (!direct.is_none()) {
        add_leg(direct);
      } else {  // to the home slot, and on from there
        add_leg(state.machine.route_id(holder.space, read.home));
        add_leg(state.machine.route_id(read.home, space));
      }
      if (best == Time::max() || ready + copy < best + best_copy) {
        best = ready;
        best_copy = copy;
      }
    }
    if (is_there || best == Time::max()) continue;  // or not written yet
    latest = std::max(latest, best);
    copying += best_copy;
  }
  return latest + copying;
}

}  // namespace parley::core
