// Copies come from the owner: the last writer, or the device that fetched from the host first.
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Owner final : public Source {
 public:
  explicit Owner(const PolicyParameters&) {}

  /// The owner's replica; without one that can be copied from, that of the lowest space.
  std::size_t choose(const View&, std::span<const SourceOption> options, SpaceId, Bytes) override {
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (options[i].is_owner) return i;
    }
    return 0;
  }
};

}  // namespace

PARLEY_POLICY(owner, Source, Owner,
              {"Copies come from the owner's replica, else from the lowest space that has one.",
               "Parla fetches slices from the owner",
               {}})

}  // namespace parley::core
