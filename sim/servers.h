// Servers with slots, and requests that wait for them: copy engines serving copies, devices serving
// launches. A request needs some units of every server of its list at once, keeps them until it is
// done, and is never interrupted. Each server serves its waiting requests in ascending order of
// their keys and looks at none before the first has started: a request that finds too few free
// units is not overtaken, so that large ones (groups, whole devices) do not starve. As keys order
// all requests alike on all servers, the one with the smallest key is first everywhere it waits:
// nothing can deadlock.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"

namespace parley::sim {

template <class ServerId>
class Servers {
 public:
  /// Units that each server has.
  explicit Servers(core::IdVector<ServerId, std::int64_t> capacities);

  /// `request` waits for `units` of every server in `servers` (distinct; the memory behind the span
  /// must last until it has started). Without servers or units it starts at the next start_ready().
  /// Requires: keys are distinct; no server has fewer units in all.
  void enqueue(std::uint64_t key, std::uint32_t request, std::span<const ServerId> servers,
               std::int64_t units);
  /// Starts all requests that can start now; returns them in order of starting. Valid until the
  /// next call. To be called when all that happens at an instant has happened.
  std::span<const std::uint32_t> start_ready() {
    if (touched_.empty() && unopposed_.empty()) return {};
    return start_touched();
  }
  /// A started request is done.
  void release(std::span<const ServerId> servers, std::int64_t units);

  [[nodiscard]] std::int64_t free_units(ServerId server) const { return servers_[server].free; }
  [[nodiscard]] std::size_t waiting(ServerId server) const { return servers_[server].queue.size(); }

 private:
  struct Waiting {
    std::uint64_t key = 0;
    std::uint32_t request = 0;
    std::span<const ServerId> servers;
    std::int64_t units = 0;
  };
  /// Copied member by member, as they were written: a processor waits for what it has just written
  /// in two parts before it reads both at once, which heaps do all the time.
  struct Entry {
    Entry(std::uint64_t its_key, std::uint32_t its_number) : key(its_key), waiting(its_number) {}
    Entry(const Entry& other) : key(other.key), waiting(other.waiting) {}
    Entry& operator=(const Entry& other) {
      key = other.key;
      waiting = other.waiting;
      return *this;
    }

    std::uint64_t key;
    std::uint32_t waiting;
    bool operator<(const Entry& other) const { return key > other.key; }  // heaps: smallest first
  };
  struct Server {
    std::int64_t capacity = 0;
    std::int64_t free = 0;
    std::vector<Entry> queue;  // a binary heap
    bool is_touched = false;   // start_ready() must look at it
  };

  std::span<const std::uint32_t> start_touched();
  void touch(ServerId server);
  [[nodiscard]] bool can_start(const Waiting& waiting) const;
  void start(std::uint32_t waiting);

  core::IdVector<ServerId, Server> servers_;
  std::vector<Waiting> waiting_;
  std::vector<std::uint32_t> free_waiting_;
  std::vector<ServerId> touched_;
  std::vector<std::uint32_t> unopposed_;  // need nothing
  std::vector<std::uint32_t> started_;
};

extern template class Servers<core::DeviceId>;
extern template class Servers<core::CopyEngineId>;

using Devices = Servers<core::DeviceId>;          // units: thousandths of a slot
using CopyEngines = Servers<core::CopyEngineId>;  // units: slots

/// First served: the highest priority, then the lowest command id.
inline std::uint64_t launch_key(std::int32_t priority, core::CommandId id) {
  constexpr std::int64_t kHighest = 0x7fffffff;
  return static_cast<std::uint64_t>(kHighest - priority) << 32 | id.index();
}
/// First served: the lowest command id.
inline std::uint64_t copy_key(core::CommandId id) { return id.index(); }

}  // namespace parley::sim
