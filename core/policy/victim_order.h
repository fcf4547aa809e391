// Replicas of each space in the order in which they are to make room: a balanced tree of keys, so
// that every change takes logarithmic time, and the first takes constant time but for pinned
// replicas passed over. Equal keys: the lowest replica first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "core/policy/view.h"

namespace parley::core {

template <class Key>
class VictimOrder {
 public:
  void insert(const View& view, ReplicaId replica, const Key& key) {
    if (spaces_.empty()) spaces_.resize(view.machine().space_count());
    if (replica.index() >= keys_.size()) {
      keys_.resize(std::max(replica.index() + 1, 2 * keys_.size()));
    }
    keys_[replica.index()] = key;
    order_of(view, replica).insert({key, replica});
  }

  [[nodiscard]] const Key& key(ReplicaId replica) const { return keys_[replica.index()]; }

  void change(const View& view, ReplicaId replica, const Key& key) {
    auto node = order_of(view, replica).extract({keys_[replica.index()], replica});
    node.value().first = keys_[replica.index()] = key;
    order_of(view, replica).insert(std::move(node));  // moved, not allocated anew
  }

  void remove(const View& view, ReplicaId replica) {
    order_of(view, replica).erase({keys_[replica.index()], replica});
  }

  /// The first that may go, or none.
  [[nodiscard]] ReplicaId first_unpinned(const View& view, SpaceId space) const {
    if (spaces_.empty()) return ReplicaId::none();
    for (const auto& [key, replica] : spaces_[space.index()]) {
      if (!view.is_pinned(replica)) return replica;
    }
    return ReplicaId::none();
  }

 private:
  using Order = std::set<std::pair<Key, ReplicaId>>;
  Order& order_of(const View& view, ReplicaId replica) {
    return spaces_[view.replica_space(replica).index()];
  }

  std::vector<Key> keys_;  // by replica
  std::vector<Order> spaces_;
};

}  // namespace parley::core
