// The replica that was used longest ago makes room: one doubly linked list per space through a
// table indexed by replica, so that every call takes constant time, but for pinned replicas passed
// over.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class LeastRecentlyUsed final : public Evictor {
 public:
  explicit LeastRecentlyUsed(const PolicyParameters&) {}

  void on_allocated(const View& view, ReplicaId replica) override {
    if (ends_.empty()) ends_.resize(view.machine().space_count());
    if (replica.index() >= links_.size()) {
      links_.resize(std::max(replica.index() + 1, 2 * links_.size()));
    }
    append(view.replica_space(replica), replica);
  }

  void on_used(const View& view, ReplicaId replica, TaskId) override {
    const SpaceId space = view.replica_space(replica);
    if (ends_[space.index()].newest == replica) return;
    remove(space, replica);
    append(space, replica);
  }

  void on_dropped(const View& view, ReplicaId replica) override {
    remove(view.replica_space(replica), replica);
  }

  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
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

}  // namespace

PARLEY_POLICY(lru, Evictor, LeastRecentlyUsed,
              {"The replica that was used longest ago makes room.",
               "the eviction manager of Parla's dev branch; StarPU's default",
               {}})

}  // namespace parley::core
