// Owner computes: a task runs where the block that it writes lives, and blocks are dealt out to a
// grid of devices in turn along their indices, as ScaLAPACK deals out matrices.
//
// The indices of a block are the numbers at the end of its array's name, "A_3_1" (or "A[3,1]")
// giving (3, 1). An array without any is cut by the task itself: a region's index along a dimension
// is its first element divided by its extent, dimensions that it covers whole left out. A block
// with one index only is dealt out along the grid's row-major order. Of several written blocks the
// last one counts, as kernels name their target last.
//
// The grid consists of the machine's GPUs (of all its devices when it has none). Tasks that write
// nothing with an index, or may not run on the owner, go where most of their bytes are.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/machine/process_grid.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

/// Indices of a block; one or two of them.
struct BlockIndex {
  std::int64_t first = 0;
  std::optional<std::int64_t> second;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the number off the end of `text`; nothing when it ends with no digit, or with more than an
/// index can have.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[text.size() - 1 - digits])) ++digits;
  if (digits == 0 || digits > 9) return std::nullopt;
  std::int64_t value = 0;
  for (const char digit : text.substr(text.size() - digits)) value = value * 10 + (digit - '0');
  text.remove_suffix(digits);
  return value;
}

/// The last two numbers of the indices at the end of a name: "A_3_1", "A[3,1]", "B_7".
std::optional<BlockIndex> index_in_name(std::string_view name) {
  const bool has_bracket = name.ends_with(']');
  if (has_bracket) name.remove_suffix(1);
  const std::optional<std::int64_t> last = take_number(name);
  const auto ends_with = [&](std::string_view separators) {
    return !name.empty() && separators.find(name.back()) != std::string_view::npos;
  };
  if (!last || !ends_with(has_bracket ? "[," : "_")) return std::nullopt;
  if (has_bracket && name.ends_with('[')) return BlockIndex{*last, std::nullopt};
  name.remove_suffix(1);
  const std::optional<std::int64_t> first = take_number(name);
  if (!first || !ends_with(has_bracket ? "[," : "_")) return BlockIndex{*last, std::nullopt};
  return BlockIndex{*first, *last};
}

/// By where the region lies within its array.
std::optional<BlockIndex> index_in_array(const Program& program, RegionId region) {
  const Box& box = program.region(region).box;
  const std::vector<std::int64_t>& shape = program.array(program.region(region).array).spec.shape;
  std::optional<BlockIndex> index;
  if (box.is_empty()) return index;
  for (std::size_t d = 0; d < box.rank(); ++d) {
    const Range& range = box[d];
    if (range.count == shape[d]) continue;
    const std::int64_t at = range.start / (range.last() - range.start + 1);
    if (!index) {
      index = BlockIndex{at, std::nullopt};
    } else {
      index->second = at;
      break;
    }
  }
  return index;
}

class BlockCyclic final : public Mapper {
 public:
  explicit BlockCyclic(const PolicyParameters& parameters)
      : rows_(static_cast<std::int64_t>(parameters["rows"])),
        columns_(static_cast<std::int64_t>(parameters["columns"])),
        block_(static_cast<std::int64_t>(parameters["block"])),
        is_one_dimensional_(parameters["dimensions"] < 2.0) {}

  MapChoice choose(const View& view, TaskId task) override {
    if (devices_.empty()) lay_out(view.machine());
    const auto candidates = view.candidates(task);
    MapChoice choice;
    const DeviceId owner = owner_of(view, task);
    for (std::size_t i = 0; i < candidates.size() && !owner.is_none(); ++i) {
      if (candidates[i].devices.front() != owner) continue;
      choice.candidate = i;
      return choice;
    }
    choice.candidate = where_most_bytes_are(view, task);
    return choice;
  }

  [[nodiscard]] std::string reason(const View& view, TaskId task) const override {
    const auto accesses = view.program().accesses(task);
    const auto devices = view.devices_of(task);
    for (std::size_t i = accesses.size(); i-- > 0 && !devices.empty();) {
      const std::size_t region = accesses[i].region.index();
      if (!writes(accesses[i].mode) || region >= owners_.size() || owners_[region] < 0) continue;
      if (devices.front() != devices_[static_cast<std::size_t>(owners_[region])]) break;
      return "owns " + view.program().region_text(accesses[i].region, accesses[i].view);
    }
    return "has most of the bytes";
  }

 private:
  static constexpr std::int32_t kUnknown = -2, kNobody = -1;

  /// The devices of the grid, and its extents: what is not given is chosen.
  void lay_out(const Machine& machine) {
    for (const bool is_gpu : {true, false}) {
      for (std::size_t d = 0; d < machine.device_count() && (is_gpu || devices_.empty()); ++d) {
        if (!is_gpu || machine.device(DeviceId(d)).device_class == "gpu") {
          devices_.emplace_back(d);
        }
      }
    }
    const auto count = static_cast<std::int64_t>(devices_.size());
    grid_ = ProcessGrid::of(count);
    if (rows_ > 0 || columns_ > 0) {
      const std::int64_t rows =
          rows_ > 0 ? rows_ : std::max<std::int64_t>(1, count / std::min(columns_, count));
      grid_.rows = std::min(rows, count);
      grid_.columns = columns_ > 0 ? columns_ : count / grid_.rows;
    }
    // A grid that is larger than the machine keeps its rows.
    grid_.columns = std::min(grid_.columns, count / grid_.rows);
  }

  /// The owner of the last written block that has indices, or none.
  DeviceId owner_of(const View& view, TaskId task) {
    const auto accesses = view.program().accesses(task);
    for (std::size_t i = accesses.size(); i-- > 0;) {
      if (!writes(accesses[i].mode)) continue;
      const std::size_t region = accesses[i].region.index();
      if (region >= owners_.size()) owners_.resize(std::max(region + 1, 2 * region), kUnknown);
      if (owners_[region] == kUnknown) owners_[region] = deal(view.program(), accesses[i].region);
      if (owners_[region] >= 0) return devices_[static_cast<std::size_t>(owners_[region])];
    }
    return DeviceId::none();
  }

  /// Which of devices_ owns the region, or kNobody.
  [[nodiscard]] std::int32_t deal(const Program& program, RegionId region) const {
    const std::string& name = program.array(program.region(region).array).spec.name;
    std::optional<BlockIndex> index = index_in_name(name);
    if (!index) index = index_in_array(program, region);
    if (!index) return kNobody;
    const std::int64_t first = index->first / block_;
    if (is_one_dimensional_ || !index->second) {
      return static_cast<std::int32_t>(first % grid_.size());
    }
    return static_cast<std::int32_t>(grid_.owner(first, *index->second / block_));
  }

  /// The first of the candidates with the fewest missing bytes of what the task reads.
  static std::size_t where_most_bytes_are(const View& view, TaskId task) {
    const auto candidates = view.candidates(task);
    std::size_t best = 0;
    Bytes fewest = Bytes::max();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      Bytes missing(0);
      for (const Access& access : view.program().accesses(task)) {
        if (!reads(access.mode)) continue;
        const DeviceId device = candidates[i].devices[access.member];
        missing += view.missing_bytes(access.region, view.machine().device(device).space);
      }
      if (missing >= fewest) continue;
      best = i;
      fewest = missing;
    }
    return best;
  }

  std::int64_t rows_, columns_, block_;
  bool is_one_dimensional_;
  ProcessGrid grid_;
  std::vector<DeviceId> devices_;     // of the grid, row-major
  std::vector<std::int32_t> owners_;  // by region: index into devices_, kUnknown or kNobody
};

}  // namespace

PARLEY_POLICY(
    block_cyclic, Mapper, BlockCyclic,
    {"Each task goes to the owner of the block that it writes, blocks being dealt out in turn.",
     "block-cyclic distribution of ScaLAPACK (Blackford et al., ScaLAPACK Users' Guide, 1997)",
     {{"rows", "", 0, 1e6, 0,
       "rows of the grid of devices; 0: devices / columns, or as square as can be", true},
      {"columns", "", 0, 1e6, 0, "columns of that grid; 0: devices / rows", true},
      {"block", "tiles", 1, 1e9, 1, "neighbouring indices that go to one device", true},
      {"dimensions", "", 1, 2, 2, "1: by the first index alone, over all devices", true}}})

}  // namespace parley::core
