// Copies come from where they are expected to be complete first: contents ready, the route's
// engines free, then the route's own time. So links, queues and broadcast trees count, and the host
// is not preferred for being the host.
#include <algorithm>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Nearest final : public Source {
 public:
  explicit Nearest(const PolicyParameters&) {}

  /// Ties: the owner, then the lowest space.
  std::size_t choose(const View& view, std::span<const SourceOption> options, SpaceId to,
                     Bytes bytes) override {
    std::size_t best = 0;
    Time best_end = Time::max();
    for (std::size_t i = 0; i < options.size(); ++i) {
      const SourceOption& option = options[i];
      const Time start =
          std::max(option.expected_ready, view.expected_route_free(option.space, to));
      if (start > best_end) continue;
      const RouteId route = view.machine().route_id(option.space, to);
      const Time end = start + view.copy_duration(route, bytes);
      if (end < best_end || (end == best_end && option.is_owner && !options[best].is_owner)) {
        best = i;
        best_end = end;
      }
    }
    return best;
  }
};

}  // namespace

PARLEY_POLICY(nearest, Source, Nearest,
              {"Copies come from where they are expected to be complete first.",
               "the topology-aware and optimistic choices of XKBlas (Gautier, Lima 2020)",
               {}})

}  // namespace parley::core
