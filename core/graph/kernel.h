// Kernels by name: what they are called, which operands and parameters they take, how much work they
// are. Only signatures live here; bodies (host, CUDA) are exec's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::core {

/// How an operand's elements are seen: dimensions removed by an integer index and dimensions walked
/// backwards, one bit a dimension. The set of elements is the region's; the view is the kernel's.
struct OperandView {
  std::uint8_t dropped = 0;
  std::uint8_t flipped = 0;
  bool operator==(const OperandView&) const = default;
};

/// An argument of a kernel call: operand `index` of the task's accesses, or scratch array `index`
/// of its alternative.
struct KernelArgument {
  bool is_scratch = false;
  std::uint16_t index = 0;
  OperandView view;
  bool operator==(const KernelArgument&) const = default;
};

/// One call: a name, parameters by name, arguments in the order of the signature.
struct KernelCall {
  std::string name;
  std::vector<std::pair<std::string, double>> parameters;
  std::vector<KernelArgument> arguments;
  bool operator==(const KernelCall&) const = default;
};

/// What a task executes: calls in order. Empty: spin for the task's cost, then hash_mix.
using Kernel = std::vector<KernelCall>;

enum class ArgumentMode : std::uint8_t { kRead, kWrite, kReadWrite };

struct KernelParameter {
  std::string name;
  bool is_required = true;
  double default_value = 0.0;
  std::string meaning;
};

struct KernelSignature {
  std::string name;
  std::string meaning;                     // one sentence, with the formula
  std::vector<ArgumentMode> arguments;     // by position
  bool last_argument_repeats = false;      // any number of the last one
  std::size_t optional_arguments = 0;      // how many of the last ones may be left out
  std::vector<KernelParameter> parameters;
  std::string size_meaning;                // what "size" means in a machine's kernel table; "" if none
};

/// All known signatures, by name.
std::span<const KernelSignature> kernel_signatures();
const KernelSignature* find_kernel(std::string_view name);

/// The number that a machine's kernel table is looked up by: for tile kernels the edge of the tile.
/// `shapes`: extents of each argument, in order.
std::int64_t kernel_table_size(const KernelSignature& signature,
                               std::span<const std::vector<std::int64_t>> shapes);

}  // namespace parley::core
