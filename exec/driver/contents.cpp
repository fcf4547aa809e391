#include "exec/driver/contents.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "core/base/check.h"

namespace parley::exec {
namespace {

using core::Box;

/// One dimension of a box: elements, and bytes between them in the slab and in the array's image.
struct Axis {
  std::int64_t count, in_slab, in_image;
};

/// Where a box lies: in runs of bytes that are contiguous on both sides, along some axes.
struct Layout {
  std::int64_t slab_offset = 0, image_offset = 0, run_bytes = 0;
  std::vector<Axis> axes;  // outermost first

  [[nodiscard]] std::int64_t runs() const {
    std::int64_t runs = 1;
    for (const Axis& axis : axes) runs *= axis.count;
    return runs;
  }
  /// Bytes of the slab from the first to the last byte of the box.
  [[nodiscard]] std::int64_t extent() const {
    std::int64_t bytes = run_bytes;
    for (const Axis& axis : axes) bytes += (axis.count - 1) * axis.in_slab;
    return bytes;
  }
};

Layout layout_of(const core::Program& program, core::ArrayId array,
                 const core::PieceLocation& location) {
  const core::Array& described = program.array(array);
  const Box& held = program.region(location.replica_region).box;
  std::array<std::int64_t, Box::kMaxRank> strides{};
  const std::size_t rank = location.box.rank();
  core::operand_strides(program, location.replica_region, location.is_home_view,
                        std::span(strides).first(rank));
  Layout layout{location.offset.count(), 0, described.element_bytes, {}};
  std::int64_t in_image = described.element_bytes;
  for (std::size_t dim = rank; dim-- > 0;) {
    const core::Range& range = location.box[dim];
    const std::int64_t steps = range.count > 1 ? range.step / held[dim].step : 1;
    layout.slab_offset += (range.start - held[dim].start) / held[dim].step * strides[dim];
    layout.image_offset += range.start * in_image;
    const Axis axis{range.count, steps * strides[dim], range.step * in_image};
    const bool extends_run =
        layout.axes.empty() && axis.in_slab == layout.run_bytes && axis.in_image == axis.in_slab;
    if (extends_run) {
      layout.run_bytes *= axis.count;
    } else if (axis.count > 1) {
      layout.axes.insert(layout.axes.begin(), axis);
    }
    in_image *= described.spec.shape[dim];
  }
  return layout;
}

/// Calls visit(offset in the slab, offset in the image) for every run, from the layout's offsets
/// on.
template <class Visitor>
void for_each_run(const Layout& layout, Visitor&& visit) {
  std::vector<std::int64_t> position(layout.axes.size(), 0);
  std::int64_t slab = layout.slab_offset;
  std::int64_t image = layout.image_offset;
  while (true) {
    visit(slab, image);
    std::size_t dim = layout.axes.size();
    while (dim > 0 && ++position[dim - 1] == layout.axes[dim - 1].count) {
      --dim;
      position[dim] = 0;
      slab -= layout.axes[dim].in_slab * (layout.axes[dim].count - 1);
      image -= layout.axes[dim].in_image * (layout.axes[dim].count - 1);
    }
    if (dim == 0) return;
    slab += layout.axes[dim - 1].in_slab;
    image += layout.axes[dim - 1].in_image;
  }
}

void read_piece(const Layout& layout, core::SpaceId space, std::span<std::byte> bytes,
                Backend& backend) {
  constexpr std::int64_t kFewRuns = 16;
  const auto run_bytes = static_cast<std::size_t>(layout.run_bytes);
  if (layout.runs() <= kFewRuns) {
    for_each_run(layout, [&](std::int64_t slab, std::int64_t image) {
      backend.read(space, slab, bytes.subspan(static_cast<std::size_t>(image), run_bytes));
    });
    return;
  }
  // One transfer of all that lies between costs less than one of each run.
  std::vector<std::byte> buffer(static_cast<std::size_t>(layout.extent()));
  backend.read(space, layout.slab_offset, buffer);
  for_each_run(layout, [&](std::int64_t slab, std::int64_t image) {
    std::memcpy(bytes.data() + image, buffer.data() + (slab - layout.slab_offset), run_bytes);
  });
}

}  // namespace

ArrayContents read_contents(const core::Program& program, core::ArrayId array,
                            std::span<const core::PieceLocation> locations, Backend& backend) {
  ArrayContents contents;
  contents.bytes.assign(static_cast<std::size_t>(program.array(array).bytes.count()),
                        SequentialExecution::kUndefined);
  for (const core::PieceLocation& location : locations) {
    if (location.box.is_empty() || contents.bytes.empty()) continue;
    try {
      read_piece(layout_of(program, array, location), location.space, contents.bytes, backend);
    } catch (const EnvironmentFailure&) {  // the device is gone
      contents.is_complete = false;
    }
  }
  return contents;
}

std::vector<std::byte> elements_of(const core::Program& program, core::RegionId region,
                                   std::span<const std::byte> image) {
  const core::Region& described = program.region(region);
  std::vector<std::byte> elements(static_cast<std::size_t>(described.bytes.count()));
  if (elements.empty()) return elements;
  std::array<std::int64_t, Box::kMaxRank> strides{};
  const std::size_t rank = described.box.rank();
  core::operand_strides(program, region, true, std::span(strides).first(rank));
  Layout layout{core::home_offset(program, region).count(),
                0,
                program.array(described.array).element_bytes,
                {}};
  for (std::size_t dim = 0; dim < rank; ++dim) {
    layout.axes.push_back({described.box[dim].count, strides[dim], 0});
  }
  std::size_t next = 0;
  const auto width = static_cast<std::size_t>(layout.run_bytes);
  for_each_run(layout, [&](std::int64_t at, std::int64_t) {
    std::memcpy(elements.data() + next, image.data() + at, width);
    next += width;
  });
  return elements;
}

}  // namespace parley::exec
