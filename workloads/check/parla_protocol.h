// One array under Parla's coherence protocol: MSI states per device for the whole array or for
// slices of it, a version for each copy, and an owner from which slices are fetched. Follows the
// rules of both generations, which are the same, faults included; each method names where they go
// wrong. Buffers carry, instead of bytes, the task that wrote each piece of the array and how it
// got into the buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/kernel.h"

namespace parley::workloads {

/// How contents came into a buffer.
enum class Arrival : std::uint8_t {
  kHome,     // there from the start
  kWritten,  // by a task on this device
  kCopied,   // with a copy of the whole
  kFetched,  // with a slice from the owner's copy
  kMerged,   // with another device's slice, over the whole
};

struct Content {
  core::TaskId writer;  // none: the initial contents
  Arrival arrival = Arrival::kHome;
  core::TaskId during;  // the task for which it was brought
};

/// What a task names: the whole array or a slice, by the pieces that it consists of (at least one).
struct ParlaOperand {
  bool is_whole = true;
  core::RegionId region;
  core::OperandView view;  // A[0] and A[0:1] are different slices to Parla
  std::span<const std::uint32_t> pieces;
};

/// What a read or write of the protocol moved to the device that asked.
struct ParlaFetch {
  bool moved_whole = false, moved_slice = false;
  bool is_failed = false;  // a copy of which the buffer is gone was to be loaded
};

class ParlaArray {
 public:
  /// Devices are numbered: GPUs first, in order, and the CPU last.
  using Device = std::size_t;

  ParlaArray(std::size_t devices, std::size_t pieces, Device home);

  ParlaFetch read(Device device, const ParlaOperand& operand, core::TaskId during);
  ParlaFetch write(Device device, const ParlaOperand& operand, core::TaskId during);
  /// Drops the device's copy; the last one is written back to the CPU when `keep_last`, else kept.
  void evict(Device device, bool keep_last, core::TaskId during);

  /// Where a task on the device finds the operand's elements: one entry for each of its pieces,
  /// null where no buffer has it. Valid until the next call. Requires: read or written there
  /// before.
  void locate(Device device, const ParlaOperand& operand, std::vector<Content*>& found);

 private:
  enum class State : std::uint8_t { kInvalid, kShared, kModified };
  enum class Holding : std::uint8_t { kNothing, kSlices, kWhole };

  struct SliceCopy {
    core::RegionId region;
    core::OperandView view;
    State state = State::kInvalid;
    std::vector<std::uint32_t> pieces;
    std::vector<Content> contents;
  };
  struct Copy {
    Holding holding = Holding::kNothing;
    State state = State::kInvalid;  // unless it holds slices
    std::int64_t version = -1;      // likewise; -1: no contents
    bool has_buffer = false;        // of the whole; an owner's outlives its state
    std::vector<Content> whole;
    std::vector<SliceCopy> slices;                            // in the order in which they came
    std::vector<std::vector<std::uint32_t>> slices_by_piece;  // their numbers; empty without slices
  };

  [[nodiscard]] bool is_odd(Device device) const {
    return device + 1 == copies_.size() || device % 2 == 1;
  }
  [[nodiscard]] Device cpu() const { return copies_.size() - 1; }
  [[nodiscard]] std::span<const std::uint32_t> slices_with(Device device,
                                                           std::uint32_t piece) const;
  SliceCopy* find_slice(Device device, const ParlaOperand& operand);
  ParlaFetch read_whole(Device device, core::TaskId during);
  ParlaFetch write_whole(Device device, core::TaskId during);
  ParlaFetch replace_slices_by_whole(Device device, State state, core::TaskId during);
  ParlaFetch write_back(Device to, State state, core::TaskId during);
  SliceCopy& fetch_slice(Device device, const ParlaOperand& operand, core::TaskId during);
  bool load_whole(Device to, Device from, core::TaskId during);
  void merge_slices(Device to, Device from, core::TaskId during);
  void choose_owner_after_read(Device reader);
  void drop(Device device);

  std::vector<Copy> copies_;  // by device
  Device owner_;
  std::int64_t latest_ = 0;
};

}  // namespace parley::workloads
