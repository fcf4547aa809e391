#include "core/graph/selection.h"

#include <algorithm>
#include <array>

namespace parley::core {
namespace {

/// numpy's slice.indices for a dimension seen as `range` (ascending), possibly flipped.
struct Selected {
  Range range;
  bool is_flipped = false;
};

Result<Selected> select_range(const Range& range, bool is_flipped, const Slice& slice) {
  const std::int64_t n = range.count;
  const std::int64_t step = slice.step.value_or(1);
  if (step == 0) return Fault{"", "a slice's step cannot be 0"};
  const auto clip = [&](std::int64_t i, std::int64_t low, std::int64_t high) {
    if (i < 0) i += n;
    return std::clamp(i, low, high);
  };
  std::int64_t start = 0, count = 0;
  if (step > 0) {
    start = slice.start ? clip(*slice.start, 0, n) : 0;
    const std::int64_t stop = slice.stop ? clip(*slice.stop, 0, n) : n;
    count = stop > start ? (stop - start - 1) / step + 1 : 0;
  } else {
    start = slice.start ? clip(*slice.start, -1, n - 1) : n - 1;
    const std::int64_t stop = slice.stop ? clip(*slice.stop, -1, n - 1) : -1;
    count = start > stop ? (start - stop - 1) / -step + 1 : 0;
  }
  if (count == 0) return Selected{};
  // Positions along the view, then indices of the array, ascending.
  std::int64_t low = step > 0 ? start : start + (count - 1) * step;
  const std::int64_t stride = step > 0 ? step : -step;
  if (is_flipped) low = n - 1 - (low + (count - 1) * stride);
  return Selected{{range.start + low * range.step, count == 1 ? 1 : stride * range.step, count},
                  count > 1 && (is_flipped != (step < 0))};
}

}  // namespace

Result<Selection> select(const Program& program, RegionView base, std::span<const Index> indices) {
  const Region& region = program.region(base.region);
  const Array& array = program.array(region.array);
  if (array.spec.is_opaque && !indices.empty()) {
    return Fault{"", "array \"" + array.spec.name +
                         "\" is declared by \"bytes\" and has no elements "
                         "to select; give it a shape and a dtype"};
  }
  std::array<Range, Box::kMaxRank> ranges{};
  const std::size_t rank = region.box.rank();
  std::copy(region.box.ranges().begin(), region.box.ranges().end(), ranges.begin());
  OperandView view = base.view;
  std::size_t dim = 0;
  for (std::size_t i = 0; i < indices.size(); ++i, ++dim) {
    while (dim < rank && (view.dropped >> dim & 1U) != 0) ++dim;
    if (dim >= rank) {
      return Fault{"", "too many indices: " + std::to_string(indices.size()) + " for " +
                           std::to_string(rank - static_cast<std::size_t>(
                                                     __builtin_popcount(base.view.dropped))) +
                           " dimension(s) of \"" + array.spec.name + "\""};
    }
    const auto bit = static_cast<std::uint8_t>(1U << dim);
    const bool is_flipped = (view.flipped & bit) != 0;
    if (const auto* integer = std::get_if<std::int64_t>(&indices[i])) {
      const std::int64_t n = ranges[dim].count;
      if (*integer < -n || *integer >= n) {
        return Fault{"", "index " + std::to_string(*integer) +
                             " is out of bounds for an extent of " + std::to_string(n) + " of \"" +
                             array.spec.name + "\""};
      }
      std::int64_t position = *integer < 0 ? *integer + n : *integer;
      if (is_flipped) position = n - 1 - position;
      ranges[dim] = {ranges[dim].start + position * ranges[dim].step, 1, 1};
      view.dropped = static_cast<std::uint8_t>(view.dropped | bit);
      view.flipped = static_cast<std::uint8_t>(view.flipped & ~bit);
    } else {
      auto selected = select_range(ranges[dim], is_flipped, std::get<Slice>(indices[i]));
      if (!selected) return selected.faults();
      ranges[dim] = selected->range;
      view.flipped = static_cast<std::uint8_t>(selected->is_flipped ? view.flipped | bit
                                                                    : view.flipped & ~bit);
    }
  }
  return Selection{Box(std::span<const Range>(ranges.data(), rank)), view};
}

std::string Program::region_text(RegionId id, OperandView view) const {
  return box_text(regions_[id].array, regions_[id].box, view);
}

std::string Program::box_text(ArrayId id, const Box& box, OperandView view) const {
  const Array& array = arrays_[id];
  if (box == regions_[array.whole].box && view == OperandView{}) return array.spec.name;
  std::string text;
  for (std::size_t d = 0; d < box.rank(); ++d) {
    const Range& range = box[d];
    if (d > 0) text += ", ";
    if ((view.dropped >> d & 1U) != 0) {
      text += std::to_string(range.start);
    } else if ((view.flipped >> d & 1U) != 0) {
      text += std::to_string(range.last()) + ":" +
              (range.start > 0 ? std::to_string(range.start - 1) : "") + ":" +
              std::to_string(-range.step);
    } else if (range.count == array.spec.shape[d] && range.step == 1) {
      text += ":";
    } else {
      text += std::to_string(range.start) + ":" +
              std::to_string(range.count == 0 ? range.start : range.last() + 1);
      if (range.step > 1) text += ":" + std::to_string(range.step);
    }
  }
  return array.spec.name + "[" + text + "]";
}

}  // namespace parley::core
