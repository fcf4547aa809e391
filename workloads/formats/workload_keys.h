// The keys of the workload format, as numbers: the loader tells objects' members apart without
// comparing texts.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace parley::workloads {

enum class Key : std::uint8_t {
  kAccesses,
  kAfter,
  kArange,
  kArgs,
  kArguments,
  kArray,
  kArrays,
  kAtEnd,
  kBlock,
  kBytes,
  kCommutative,
  kCost,
  kCount,
  kDependencies,
  kDescription,
  kDiagonal,
  kDtype,
  kEvict,
  kExpect,
  kExpectedCost,
  kFactorization,
  kFill,
  kFlops,
  kFormat,
  kFunction,
  kGroup,
  kHome,
  kIn,
  kIndex,
  kInit,
  kInout,
  kKeepLast,
  kKernel,
  kKernels,
  kKind,
  kLibrary,
  kMember,
  kMeta,
  kMode,
  kMovement,
  kName,
  kNs,
  kOn,
  kOut,
  kParameters,
  kPlacement,
  kPrint,
  kPriority,
  kRandom,
  kReduce,
  kRegion,
  kReleaseNs,
  kRepeat,
  kScratch,
  kScratchBytes,
  kShape,
  kShow,
  kSource,
  kSpace,
  kTasks,
  kTiles,
  kValues,
  kVcus,
  kVersion,
};

inline constexpr std::array<std::string_view, 64> kKeyNames = {
    "accesses",
    "after",
    "arange",
    "args",
    "arguments",
    "array",
    "arrays",
    "at_end",
    "block",
    "bytes",
    "commutative",
    "cost",
    "count",
    "dependencies",
    "description",
    "diagonal",
    "dtype",
    "evict",
    "expect",
    "expected_cost",
    "factorization",
    "fill",
    "flops",
    "format",
    "function",
    "group",
    "home",
    "in",
    "index",
    "init",
    "inout",
    "keep_last",
    "kernel",
    "kernels",
    "kind",
    "library",
    "member",
    "meta",
    "mode",
    "movement",
    "name",
    "ns",
    "on",
    "out",
    "parameters",
    "placement",
    "print",
    "priority",
    "random",
    "reduce",
    "region",
    "release_ns",
    "repeat",
    "scratch",
    "scratch_bytes",
    "shape",
    "show",
    "source",
    "space",
    "tasks",
    "tiles",
    "values",
    "vcus",
    "version",
};
static_assert(kKeyNames.size() == static_cast<std::size_t>(Key::kVersion) + 1);

constexpr std::string_view name_of(Key key) { return kKeyNames[static_cast<std::size_t>(key)]; }

/// A set of keys: which ones an object may have.
class KeySet {
 public:
  constexpr KeySet(std::initializer_list<Key> keys) {
    for (const Key key : keys) bits_ |= std::uint64_t{1} << static_cast<unsigned>(key);
  }
  [[nodiscard]] constexpr bool contains(Key key) const {
    return (bits_ >> static_cast<unsigned>(key) & 1U) != 0;
  }
  [[nodiscard]] constexpr KeySet operator|(KeySet other) const {
    KeySet both = *this;
    both.bits_ |= other.bits_;
    return both;
  }

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace parley::workloads
