#include "sim/servers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/check.h"

namespace parley::sim {

template <class ServerId>
Servers<ServerId>::Servers(core::IdVector<ServerId, std::int64_t> capacities) {
  for (const std::int64_t capacity : capacities)
    servers_.push_back({capacity, capacity, {}, false});
}

template <class ServerId>
void Servers<ServerId>::touch(ServerId server) {
  if (servers_[server].is_touched) return;
  servers_[server].is_touched = true;
  touched_.push_back(server);
}

template <class ServerId>
void Servers<ServerId>::enqueue(std::uint64_t key, std::uint32_t request,
                                std::span<const ServerId> servers, std::int64_t units) {
  if (servers.empty() || units == 0) {
    unopposed_.push_back(request);
    return;
  }
  std::uint32_t number = 0;
  if (free_waiting_.empty()) {
    number = static_cast<std::uint32_t>(waiting_.size());
    waiting_.emplace_back();
  } else {
    number = free_waiting_.back();
    free_waiting_.pop_back();
  }
  waiting_[number] = {key, request, servers, units};
  for (const ServerId id : servers) {
    Server& server = servers_[id];
    PARLEY_CHECK(units <= server.capacity, "server " + std::to_string(id.index()) + " has " +
                                               std::to_string(server.capacity) + " units, not " +
                                               std::to_string(units));
    server.queue.emplace_back(key, number);
    std::ranges::push_heap(server.queue, std::less<>());
    touch(id);
  }
}

template <class ServerId>
void Servers<ServerId>::release(std::span<const ServerId> servers, std::int64_t units) {
  if (units == 0) return;
  for (const ServerId id : servers) {
    Server& server = servers_[id];
    server.free += units;
    PARLEY_CHECK(server.free <= server.capacity,
                 "server " + std::to_string(id.index()) + " got back more than it gave");
    touch(id);
  }
}

template <class ServerId>
bool Servers<ServerId>::can_start(const Waiting& waiting) const {
  return std::ranges::all_of(waiting.servers, [&](ServerId id) {
    const Server& server = servers_[id];
    return server.free >= waiting.units && server.queue.front().key == waiting.key;
  });
}

template <class ServerId>
void Servers<ServerId>::start(std::uint32_t number) {
  const Waiting& waiting = waiting_[number];
  started_.push_back(waiting.request);
  for (const ServerId id : waiting.servers) {
    Server& server = servers_[id];
    server.free -= waiting.units;
    std::ranges::pop_heap(server.queue, std::less<>());
    server.queue.pop_back();
    touch(id);  // another is first now
  }
  free_waiting_.push_back(number);
}

template <class ServerId>
std::span<const std::uint32_t> Servers<ServerId>::start_touched() {
  started_.assign(unopposed_.begin(), unopposed_.end());
  unopposed_.clear();
  for (std::size_t next = 0; next < touched_.size(); ++next) {
    const ServerId id = touched_[next];
    Server& server = servers_[id];
    while (!server.queue.empty() && can_start(waiting_[server.queue.front().waiting])) {
      start(server.queue.front().waiting);
    }
    server.is_touched = false;  // only now: start() need not list the server being served
  }
  touched_.clear();
  return started_;
}

template class Servers<core::DeviceId>;
template class Servers<core::CopyEngineId>;

}  // namespace parley::sim
