// A kernel call run twice, by its host and by its CUDA body, on operands of any type and layout in
// memory of their own, to compare what each leaves there, gaps between elements included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/dtype.h"
#include "core/graph/kernel.h"
#include "exec/kernel_registry.h"

namespace parley::exec::cuda {

using Random = std::mt19937_64;

/// A number in [0, below).
std::int64_t below(Random& random, std::int64_t below);
bool is_one_in(Random& random, std::int64_t n);

enum class Contents { kAny, kFinite, kSmall };  // kAny: special numbers too; kSmall: in [-1, 1]

/// Memory with gaps, and an operand in it.
struct Arranged {
  std::vector<std::byte> bytes;
  HostOperand operand;      // data points into `bytes` of this object only after place()
  std::int64_t offset = 0;  // of the first element

  /// The operand, with its elements in `memory`, a copy of `bytes`.
  [[nodiscard]] HostOperand place(std::vector<std::byte>& memory) const;
};

/// How the elements lie: without gaps and aligned; or with any steps, directions, order of
/// dimensions and offset.
enum class Layout { kPlain, kAny };

Arranged arranged(Random& random, core::DType dtype, std::vector<std::int64_t> shape, Layout layout,
                  Contents contents);
/// A matrix of two dimensions that cuBLAS can take: rows or columns without gaps, with a margin.
Arranged matrix(Random& random, core::DType dtype, std::int64_t rows, std::int64_t columns);
/// Makes the diagonal so large that triangles and symmetric matrices are well conditioned.
void add_to_diagonal(Arranged& matrix, double value);

/// All bytes of each operand's memory after the call.
using Memories = std::vector<std::vector<std::byte>>;

struct BothRuns {
  Memories host, device;
};

/// Runs `call` (its arguments are filled in) on copies of the operands. `are_same`: all arguments
/// are the first operand's memory. Throws EnvironmentFailure; checks that the workspace was
/// respected.
BothRuns run_both(core::KernelCall call, const std::vector<Arranged>& operands,
                  bool are_same = false);

/// Nothing when every operand's memory is equal, but for the bits of NaN; else where it differs.
std::string difference(const std::vector<Arranged>& operands, const BothRuns& runs);

/// Greatest |device - host| over all elements of operand `index`, and the greatest |host|. NaN on
/// both sides is no difference, on one an infinite one.
std::pair<double, double> distance(const std::vector<Arranged>& operands, const BothRuns& runs,
                                   std::size_t index);

}  // namespace parley::exec::cuda
