// Routes over fabrics, made when they are first asked for: a thousand GPUs have a million pairs, of
// which a run uses few. Internal to Machine.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "core/machine/machine.h"

namespace parley::core {

/// Safe to use from several threads at once; a route, once made, stays where it is.
class FabricRoutes {
 public:
  /// Requires: check_values and check_references find nothing in `spec`.
  explicit FabricRoutes(const MachineSpec& spec);

  /// Whether a fabric joins the two: both are members of it, and on different nodes.
  [[nodiscard]] bool joins(SpaceId from, SpaceId to) const;
  /// Requires: joins(from, to).
  [[nodiscard]] const Route& route(SpaceId from, SpaceId to) const;
  /// Those that route(from, to) holds, without making it: of the way out, of the way in.
  [[nodiscard]] std::array<std::span<const CopyEngineId>, 2> engines(SpaceId from,
                                                                     SpaceId to) const;
  /// What route(from, to) would take for a copy that is alone, without making it: ns.
  [[nodiscard]] double uncontended_ns(SpaceId from, SpaceId to, double bytes) const;
  /// Resources on the longest way.
  [[nodiscard]] std::size_t longest_via() const;

 private:
  struct Place {
    std::uint32_t fabric = 0;
    std::uint32_t member = 0;
  };
  struct Ends {
    const Fabric& fabric;
    const Fabric::Member& from;
    const Fabric::Member& to;
  };

  [[nodiscard]] std::optional<Ends> ends(SpaceId from, SpaceId to) const;
  [[nodiscard]] Route made(const Ends& ends) const;
  [[nodiscard]] double capacity(const Via& via) const;
  [[nodiscard]] double lowest_capacity(const std::vector<Via>& via) const;

  std::vector<Fabric> fabrics_;             // members' rates lowered to their resources'
  std::vector<double> capacities_;          // of resources, bytes/s
  std::vector<std::vector<Place>> places_;  // by space
  std::vector<std::uint32_t> nodes_;        // by space
  std::size_t space_count_ = 0;
  std::unique_ptr<std::atomic<const Route*>[]> table_;  // from x to
  mutable std::mutex mutex_;                            // of `routes_`
  mutable std::deque<Route> routes_;
};

}  // namespace parley::core
