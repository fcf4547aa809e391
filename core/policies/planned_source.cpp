// Every copy from where it came in the run that the plan was taken from. A copy that was not made
// there comes from the owner.
#include <algorithm>
#include <cstddef>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class PlannedSources final : public Source {
 public:
  explicit PlannedSources(const PolicyParameters&) {}

  std::size_t choose(const View& view, std::span<const SourceOption> options, SpaceId to,
                     Bytes) override {
    const SpaceId from = planned_source(view, view.replica_region(view.sought_target()), to);
    std::size_t choice = 0;
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (options[i].space == from) return i;
      if (options[i].is_owner && !options[choice].is_owner) choice = i;
    }
    return choice;
  }

 private:
  /// Looks at the copies made after as many launches, from the one found last on, and around.
  SpaceId planned_source(const View& view, RegionId region, SpaceId to) {
    const std::vector<PlannedCopy>& copies = view.plan().copies;
    const std::uint32_t position = view.launched_tasks();
    if (begin_ == end_ || copies[begin_].position != position) move_to(copies, position);
    if (begin_ == end_) return SpaceId::none();
    const Box& sought = view.sought_boxes().front();
    for (std::size_t i = 0; i < end_ - begin_; ++i) {
      const PlannedCopy& copy = copies[at_];
      const bool is_it = copy.region == region && copy.to == to && copies_box(copy, sought);
      if (is_it) return copy.from;  // stays here: the next piece may be of the same copy
      if (++at_ == end_) at_ = begin_;
    }
    return SpaceId::none();
  }

  void move_to(const std::vector<PlannedCopy>& copies, std::uint32_t position) {
    begin_ = end_;
    while (begin_ < copies.size() && copies[begin_].position < position) ++begin_;
    end_ = begin_;
    while (end_ < copies.size() && copies[end_].position == position) ++end_;
    at_ = begin_;
  }

  static bool copies_box(const PlannedCopy& copy, const Box& sought) {
    return std::any_of(copy.boxes.begin(), copy.boxes.end(),
                       [&](const Box& box) { return intersection(box, sought).has_value(); });
  }

  std::size_t begin_ = 0, end_ = 0, at_ = 0;  // copies of the present position; the one found last
};

}  // namespace

PARLEY_POLICY_NAMED(planned_source, "planned", Source, PlannedSources,
                    {"Copies come from where they did in the run that the plan is of.",
                     "parley's own: a run replayed on another machine",
                     {},
                     PlanUse::kCopies})

}  // namespace parley::core
