#include "core/policy/arrivals.h"

#include <algorithm>

#include "core/engine/engine_state.h"

namespace parley::core {
namespace {

/// Whether copies take the same time on both. Those of fabrics, which are not made for this, take a
/// latency and a time that grows with the bytes: then two sizes tell.
bool are_alike(const Machine& machine, RouteId a, RouteId b) {
  const std::size_t stated = machine.stated_route_count();
  if (a.index() < stated && b.index() < stated) {
    const Route& x = machine.route(a);
    const Route& y = machine.route(b);
    return x.latency == y.latency && x.rate_cap.bytes_per_s() == y.rate_cap.bytes_per_s() &&
           x.curve == y.curve;
  }
  constexpr Bytes kMost(std::int64_t{1} << 50);
  return a.index() >= stated && b.index() >= stated &&
         machine.copy_duration(a, Bytes(0)) == machine.copy_duration(b, Bytes(0)) &&
         machine.copy_duration(a, kMost) == machine.copy_duration(b, kMost);
}

/// Keeps those of `common` that the route has too; all of the first route.
void keep_common(const Machine& machine, RouteId id, bool is_first,
                 std::vector<CopyEngineId>& common) {
  const auto engines = machine.engines(id);
  if (is_first) {
    for (const auto& part : engines) common.insert(common.end(), part.begin(), part.end());
    return;
  }
  std::erase_if(common, [&](CopyEngineId engine) {
    return std::ranges::none_of(
        engines, [&](const auto& part) { return std::ranges::find(part, engine) != part.end(); });
  });
}

/// Takes note of one more route on which copies leave the space.
void add_route(const Machine& machine, RouteId id, Outlet& outlet) {
  keep_common(machine, id, outlet.kinds.empty(), outlet.engines);
  const bool is_known =
      std::ranges::any_of(outlet.kinds, [&](RouteId kind) { return are_alike(machine, kind, id); });
  if (!is_known) outlet.kinds.push_back(id);
}

/// Copies to hosts count only if some space is reached through a host; then they are the first legs
/// to near and far ones.
void make_routes(const EngineState& state, SpaceId space, SpaceRoutes& routes) {
  routes.is_known = true;
  const Machine& machine = state.machine;
  bool is_direct = true;
  bool is_first = true;
  for (std::size_t s = 0; s < machine.space_count(); ++s) {
    const SpaceId other(s);
    if (other == space) continue;
    if (const RouteId into = machine.route_id(other, space); !into.is_none()) {
      keep_common(machine, into, is_first, routes.inward);
      is_first = false;
    }
    if (machine.space(other).is_host) continue;
    const RouteId route = machine.route_id(space, other);
    is_direct &= !route.is_none();
    if (route.is_none()) continue;
    const bool is_near = machine.host_of(other) == machine.host_of(space);
    add_route(machine, route, is_near ? routes.near : routes.far);
  }
  for (std::size_t s = 0; s < machine.space_count() && !is_direct; ++s) {
    if (SpaceId(s) == space || !machine.space(SpaceId(s)).is_host) continue;
    const RouteId route = machine.route_id(space, SpaceId(s));
    if (route.is_none()) continue;
    add_route(machine, route, routes.near);
    add_route(machine, route, routes.far);
  }
}

inline SpaceRoutes& routes_of(const EngineState& state, SpaceId space) {
  if (state.space_routes.empty()) state.space_routes.resize(state.machine.space_count());
  SpaceRoutes& routes = state.space_routes[space];
  if (!routes.is_known) make_routes(state, space, routes);
  return routes;
}

/// When a copy of what is written by `ready` can be over at the soonest; `fastest`: how long the
/// fastest takes.
Time soonest_end(const EngineState& state, Outlet& outlet, Time ready, Bytes bytes,
                 Duration& fastest) {
  if (outlet.kinds.empty()) return Time::max();
  for (const CopyEngineId engine : outlet.engines) {
    ready = std::max(ready, state.engine_free[engine]);
  }
  if (outlet.bytes != bytes) {
    outlet.bytes = bytes;
    outlet.fastest = Duration::max();
    for (const RouteId kind : outlet.kinds) {
      outlet.fastest = std::min(outlet.fastest, state.copy_duration(kind, bytes));
    }
  }
  fastest = std::min(fastest, outlet.fastest);
  return ready + outlet.fastest;
}

std::uint32_t size_of(const auto& table) { return static_cast<std::uint32_t>(table.size()); }

}  // namespace

void Arrivals::gather(const View& view, TaskId task, bool for_many) {
  forget();
  state_ = &view.state();
  const Directory& directory = state_->directory;
  for (const Access& access : state_->program.accesses(task)) {
    if (!reads(access.mode)) continue;
    const RegionPlaces& region = directory.places(access.region);
    if (region.bytes == Bytes(0)) continue;
    const std::size_t first_piece = pieces_.size();
    if (!region.piece.is_none()) {
      gather_piece(access.region, region.piece, region.bytes);
    } else {
      const std::int64_t element = state_->program.array(region.array).element_bytes;
      for (const PieceId piece : directory.pieces(access.region)) {
        gather_piece(access.region, piece, Bytes(directory.map().size(piece) * element));
      }
    }
    const Time now = state_->now;
    Read& read = reads_.emplace_back();
    read.member = access.member;
    read.home = region.home_space;
    read.end_of_pieces = size_of(pieces_);
    read.near = read.far = now;
    if (!for_many) continue;
    for (std::size_t p = first_piece; p < pieces_.size(); ++p) {
      bound_holders(read, p, !region.piece.is_none());
    }
  }
}

void Arrivals::forget() {
  for (const SpaceId space : spaces_) own_[space] = near_[state_->machine.host_of(space)] = 0;
  spaces_.clear();
  has_bound_ = false;
  rarest_.clear();
  reads_.clear();
  pieces_.clear();
  holders_.clear();
}

void Arrivals::gather_piece(RegionId region, PieceId piece, Bytes bytes) {
  const Directory& directory = state_->directory;
  const RegionPlaces& places = directory.places(region);
  const std::span<const ReplicaPlacing> own = places.replicas.items();
  std::size_t next_own = 0;  // replicas mostly come to hold pieces in the order they came in
  for (const Holder& holder : directory.piece(piece).holders) {
    Time ready = state_->now;
    if (!holder.writer.is_none()) {
      ready = std::max(ready, state_->commands.expected_end(holder.writer, state_->now));
    }
    bool is_own = next_own < own.size() && own[next_own].replica == holder.replica;
    if (is_own) {
      ++next_own;
    } else {
      is_own = std::ranges::find(own, holder.replica, &ReplicaPlacing::replica) != own.end();
    }
    if (holder.space == places.home_space) is_own = holder.replica == places.home;
    const SpaceId node = state_->machine.host_of(holder.space);
    holders_.push_back({holder.space, node, is_own, ready, ready, ready});
  }
  pieces_.push_back({bytes, size_of(holders_), false});
}

/// When copies from each holder can be over at the soonest. Of regions of one piece the holders are
/// sorted by it: there it does not matter which of equally soon ones counts.
void Arrivals::bound_holders(Read& read, std::size_t p, bool is_only_piece) {
  if (own_.empty()) own_.resize(state_->machine.space_count(), 0);
  if (near_.empty()) near_.resize(state_->machine.space_count(), 0);
  // Of reads beyond as many as there are bits, all spaces count as having their own.
  const std::size_t number = reads_.size() - 1;
  const std::uint64_t bit = number < 64 ? std::uint64_t{1} << number : 0;
  Piece& piece = pieces_[p];
  const std::span<Origin> holders = holders_of(p);
  Time near = Time::max();
  Time far = Time::max();
  Duration fastest = Duration::max();
  for (Origin& origin : holders) {
    const bool is_listed = own_[origin.space] != 0 ||
                           (bit == 0 && std::ranges::find(spaces_, origin.space) != spaces_.end());
    if (!is_listed) spaces_.push_back(origin.space);
    own_[origin.space] |= bit;
    near_[origin.node] |= bit;
    SpaceRoutes& routes = routes_of(*state_, origin.space);
    origin.near = soonest_end(*state_, routes.near, origin.ready, piece.bytes, fastest);
    origin.far = soonest_end(*state_, routes.far, origin.ready, piece.bytes, fastest);
    near = std::min(near, origin.near);
    far = std::min(far, origin.far);
  }
  if (std::min(near, far) != Time::max() && bit != 0) {  // else not written yet
    read.near = std::max(read.near, std::min(near, far));
    read.far = std::max(read.far, far);
    read.copy = std::max(read.copy, fastest);
  }
  if (!holders.empty() && (rarest_.empty() || holders.size() < rarest_.size())) {
    rarest_.clear();
    for (const Origin& origin : holders) rarest_.push_back(origin.space);
  }
  piece.is_sorted = is_only_piece;
  if (is_only_piece) std::ranges::sort(holders, {}, &Origin::far);
}

Time Arrivals::least_elsewhere() const {
  Time least = state_->now;
  for (const Read& read : reads_) least = std::max(least, read.near);
  return least;
}

Time Arrivals::least_in_node(SpaceId host) const {
  if (near_.empty()) return state_->now;
  Time least = state_->now;
  std::uint64_t bit = 1;
  for (const Read& read : reads_) {
    if ((near_[host] & bit) == 0) least = std::max(least, read.far);
    bit <<= 1;
    if (bit == 0) break;
  }
  return least;
}

/// Of a space that holds something of the reads `own`, and its node of the reads `near`.
void Arrivals::find_bound(std::uint64_t own, std::uint64_t near) const {
  Time least = state_->now;
  Duration copy;
  std::uint64_t bit = 1;
  for (const Read& read : reads_) {
    if ((own & bit) == 0) {
      least = std::max(least, (near & bit) != 0 ? read.near : read.far);
      copy = std::max(copy, read.copy);
    }
    bit <<= 1;
    if (bit == 0) break;
  }
  bound_.own = own;
  bound_.near = near;
  bound_.least = least;
  bound_.copy = copy;
  has_bound_ = true;
}

Time Arrivals::least_at(SpaceId space) const {
  if (own_.empty()) return state_->now;
  const SpaceId host = state_->machine.host_of(space);
  if (host == space) return state_->now;
  const std::uint64_t own = own_[space];
  const std::uint64_t near = near_[host];
  // Mostly as in the space asked for before, another of the node.
  if (!has_bound_ || bound_.own != own || bound_.near != near) find_bound(own, near);
  const Time least = bound_.least;
  const Duration copy = bound_.copy;
  if (copy == Duration(0)) return least;
  Time free = state_->now;
  for (const CopyEngineId engine : routes_of(*state_, space).inward) {
    free = std::max(free, state_->engine_free[engine]);
  }
  return std::max(least, free + copy);
}

Time Arrivals::latest(const Candidate& candidate, Time bound) const {
  Time latest = state_->now;
  std::size_t first_piece = 0;
  for (const Read& read : reads_) {
    const SpaceId space = state_->machine.device(candidate.devices[read.member]).space;
    Time written = state_->now;
    Duration copying;
    for (std::size_t p = first_piece; p < read.end_of_pieces; ++p) {
      const Arrival arrival = soonest(read, p, space);
      if (arrival.ready == Time::max()) continue;  // not written yet
      written = std::max(written, arrival.ready);
      copying += arrival.copy;
    }
    latest = std::max(latest, written + copying);
    if (latest > bound) break;
    first_piece = read.end_of_pieces;
  }
  return latest;
}

/// By the soonest of the piece's holders; by the first of equally soon ones if they are not sorted.
Arrivals::Arrival Arrivals::soonest(const Read& read, std::size_t p, SpaceId space) const {
  const Piece& piece = pieces_[p];
  const std::span<const Origin> holders = holders_of(p);
  for (const Origin& holder : holders) {
    if (holder.space == space && holder.is_own) return {holder.ready, Duration(0)};
  }
  Arrival best;
  Time best_end = Time::max();
  const auto try_copy = [&](const Origin& holder) {
    const Arrival next = copy_from(holder, read, piece.bytes, space);
    if (next.ready + next.copy >= best_end) return;
    best = next;
    best_end = next.ready + next.copy;
  };
  // Bounds say nothing of copies to hosts and of those within a space.
  const SpaceId node = state_->machine.host_of(space);
  const bool is_bounded = !state_->machine.space(space).is_host;
  if (!is_bounded || !piece.is_sorted) {
    for (const Origin& holder : holders) {
      const Time bound = holder.node == node ? holder.near : holder.far;
      if (!is_bounded || holder.space == space || bound < best_end) try_copy(holder);
    }
    return best;
  }
  // Near ones, of which there are few, come first; then far ones until none can be sooner.
  for (const Origin& holder : holders) {
    if (holder.node != node) continue;
    if (holder.space == space || holder.near < best_end) try_copy(holder);
  }
  for (const Origin& holder : holders) {
    if (holder.far >= best_end) break;
    if (holder.node != node) try_copy(holder);
  }
  return best;
}

Arrivals::Arrival Arrivals::copy_from(const Origin& holder, const Read& read, Bytes bytes,
                                      SpaceId space) const {
  Arrival arrival{holder.ready, Duration(0)};
  const auto add_leg = [&](RouteId route) {
    arrival.ready = std::max(arrival.ready, state_->route_free_time(route));
    arrival.copy += state_->copy_duration(route, bytes);
  };
  const RouteId direct = state_->machine.route_id(holder.space, space);
  if (!direct.is_none()) {
    add_leg(direct);
  } else {  // to the home slot, and on from there
    add_leg(state_->machine.route_id(holder.space, read.home));
    add_leg(state_->machine.route_id(read.home, space));
  }
  return arrival;
}

}  // namespace parley::core
