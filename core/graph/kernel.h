// Kernels by name: what they are called, which operands and parameters they take, how much work
// they are. Only signatures live here; bodies (host, CUDA) are exec's.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/graph/dtype.h"

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

struct KernelSignature;

/// One call: a name, parameters by name, arguments in the order of the signature.
struct KernelCall {
  std::string name;
  std::vector<std::pair<std::string, double>> parameters;
  std::vector<KernelArgument> arguments;
  const KernelSignature* own = nullptr;  // of a kernel of the program's own, which keeps it

  /// `own` follows from the name within one program, and two programs have their own.
  bool operator==(const KernelCall& other) const {
    return name == other.name && parameters == other.parameters && arguments == other.arguments;
  }
};

/// What a task executes: calls in order. Empty: spin for the task's cost, then hash_mix.
using Kernel = std::vector<KernelCall>;

/// kAny: as the task's access says (kernels that take whatever operands a task has).
enum class ArgumentMode : std::uint8_t { kRead, kWrite, kReadWrite, kAny };

struct KernelParameter {
  std::string name;
  bool is_required = true;
  double default_value = 0.0;  // NaN: none, as `meaning` explains
  std::string meaning;
  bool is_integer = false;
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
};

/// How the extents of the arguments hang together, and what counts as one unit of work.
enum class ShapeRule : std::uint8_t {
  kAny,          // no rule, no work
  kElementwise,  // all equal; work: elements
  kReduction,    // target: source without the axis, or one element; work: elements of the source
  kStencil,      // source: target and a halo around it; work: elements of target times neighbours
  kGemm,         // C (m, n), op(A) (m, k), op(B) (k, n); work: m n k
  kSyrk,         // C (n, n), op(A) (n, k); work: n n k
  kTrsm,         // T (n, n), B (m, n) or, from the left, (n, m), others as B; work: n n m
  kSquare,       // all (n, n); work: n n n
};

struct KernelSignature {
  std::string name;
  std::string meaning;                  // one sentence, with the formula
  std::vector<ArgumentMode> arguments;  // by position
  bool last_argument_repeats = false;   // any number of the last one
  std::size_t optional_arguments = 0;   // how many of the last ones may be left out
  std::vector<KernelParameter> parameters = {};
  std::string size_meaning = {};  // what "size" means in a machine's kernel table; "" if none
  ShapeRule shapes = ShapeRule::kAny;
  double flops_per_work = 0.0;
  std::string target_scale = {};  // a parameter: when it is 0, the last argument is only written
  bool divides = false;  // by elements of its first argument: integers would be cut off
};

/// A kernel that a program brings along. Its signature has no shape rule: any extents will do.
struct UserKernel {
  KernelSignature signature;
  std::string source;         // path of a CUDA source with the function, compiled before a run
  std::string library;        // path of a shared object with the function, for the host
  std::string function;       // the C name in either
  std::uint32_t block = 256;  // threads of a block of the CUDA function, 1 to 1024
};

/// All known signatures, by name.
std::span<const KernelSignature> kernel_signatures();
const KernelSignature* find_kernel(std::string_view name);
/// Whether the call is of a factorisation's panel: of a diagonal tile, or a solve by one. Others
/// wait for these, which leave most of a device idle.
bool is_of_panel(const KernelCall& call);
/// The signature of the kernel that is called: the program's own, or the one of that name; null
/// when there is none.
const KernelSignature* signature_of(const KernelCall& call);

/// The parameter's value in `call`, else its default; nothing when that is none, or when the kernel
/// has no such parameter.
std::optional<double> parameter_of(const KernelCall& call, std::string_view name);

/// How `call` uses its argument at `position`: the signature's mode, except that the last source is
/// overwritten when the optional target is left out, and that a target scaled by 0 is not read.
/// Requires: position < call.arguments.size(); the kernel is known.
ArgumentMode argument_mode(const KernelCall& call, std::size_t position);

/// What is wrong with the call by itself (unknown kernel or parameter with the nearest match, a
/// parameter missing, twice or out of range, the number of arguments), or nothing.
std::optional<std::string> call_fault(const KernelCall& call);

/// What is wrong with the extents of the arguments (in order, without dropped dimensions), or
/// nothing. Requires: call_fault finds nothing.
std::optional<std::string> shape_fault(const KernelCall& call,
                                       std::span<const std::vector<std::int64_t>> shapes);

/// What is wrong with the element types of the arguments (in order), or nothing: what divides needs
/// floating-point or complex elements, unless it takes the diagonal as ones. Requires: call_fault
/// finds nothing.
std::optional<std::string> type_fault(const KernelCall& call, std::span<const DType> types);

/// Floating-point operations of a call. Requires: shape_fault finds nothing.
double kernel_flops(const KernelCall& call, std::span<const std::vector<std::int64_t>> shapes);

/// The number that a machine's kernel table is looked up by: for tile kernels the edge of the tile
/// (the cube root of the work of one that is not square), else the number of elements.
/// `shapes`: extents of each argument, in order.
std::int64_t kernel_table_size(const KernelSignature& signature,
                               std::span<const std::vector<std::int64_t>> shapes);

}  // namespace parley::core
