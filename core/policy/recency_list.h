// Replicas in an order that only ever appends, removes and looks from the front: by arrival or last
// use. One doubly linked list per space through a table indexed by replica, so that every call
// takes constant time, but for pinned replicas passed over.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/policy/view.h"

namespace parley::core {

class RecencyList {
 public:
  void append(const View& view, ReplicaId replica) {
    if (ends_.empty()) ends_.resize(view.machine().space_count());
    if (replica.index() >= links_.size()) {
      links_.resize(std::max(replica.index() + 1, 2 * links_.size()));
    }
    append(view.replica_space(replica), replica);
  }

  void move_to_end(const View& view, ReplicaId replica) {
    const SpaceId space = view.replica_space(replica);
    if (ends_[space.index()].newest == replica) return;
    remove(space, replica);
    append(space, replica);
  }

  void remove(const View& view, ReplicaId replica) { remove(view.replica_space(replica), replica); }

  /// The first that may go, or none.
  [[nodiscard]] ReplicaId oldest_unpinned(const View& view, SpaceId space) const {
    if (ends_.empty()) return ReplicaId::none();
    ReplicaId replica = ends_[space.index()].oldest;
    while (!replica.is_none() && view.is_pinned(replica)) replica = links_[replica.index()].newer;
    return replica;
  }

 private:
  struct Link {
    ReplicaId older, newer;
  };
  struct Ends {
    ReplicaId oldest, newest;
  };

  void append(SpaceId space, ReplicaId replica) {
    Ends& ends = ends_[space.index()];
    links_[replica.index()] = {ends.newest, ReplicaId::none()};
    (ends.newest.is_none() ? ends.oldest : links_[ends.newest.index()].newer) = replica;
    ends.newest = replica;
  }

  void remove(SpaceId space, ReplicaId replica) {
    Ends& ends = ends_[space.index()];
    const Link link = links_[replica.index()];
    (link.older.is_none() ? ends.oldest : links_[link.older.index()].newer) = link.newer;
    (link.newer.is_none() ? ends.newest : links_[link.newer.index()].older) = link.older;
  }

  std::vector<Link> links_;  // by replica
  std::vector<Ends> ends_;   // by space
};

}  // namespace parley::core
