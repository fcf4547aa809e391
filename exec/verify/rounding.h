// Which elements of a program's arrays are the same bytes wherever its tasks run, and by how much
// the others may differ. Follows the tasks of a sequential execution one by one.
//
// Exact (the same bytes on host and GPU): fill, random, copy, clone_here, add, multiply, axpy,
// add_scalar, scale, sqrt, stencil, max, argmax, sums of integers, hash_mix, and tasks that execute
// nothing. Rounded: sums and means of floating point, and the tile kernels gemm, syrk, trsm, trmm,
// trtri, potrf, getrf, which add in another order elsewhere, and kernels of a program's own. What
// is computed from rounded elements is rounded; a hash of them, a position among them and an
// integer made of them are anybody's guess, as are operands that a task declares to write and does
// not.
//
// A rounded element may differ by 10 eps sqrt(steps) scale: `steps` counts the roundings on the way
// to it and `scale` is the greatest magnitude among them. Rounding errors behave as independent
// ones, whose sum grows with the square root of their number (Higham and Mary, "A new approach to
// probabilistic rounding error analysis", 2019). Condition numbers of triangular solves are taken
// as moderate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/program.h"
#include "exec/verify/sequential.h"

namespace parley::exec {

enum class Certainty : std::uint8_t { kExact, kRounded, kUnknown };

/// Of all rounded elements of an array together.
struct Rounding {
  double epsilon = 0.0;  // of the coarsest type on the way
  double steps = 0.0;
  double scale = 0.0;

  /// How far a rounded element may be from the sequential one.
  [[nodiscard]] double allowed() const;
};

class RoundingTrace {
 public:
  /// `execution` runs the program's tasks.
  RoundingTrace(const core::Program& program, const SequentialExecution& execution);

  /// Around execution.run(task, alternative), in this order.
  void before(core::TaskId task, std::uint16_t alternative);
  void after(core::TaskId task, std::uint16_t alternative);

  /// Instead of both, for a task that cannot be executed here: nothing is known of what it writes.
  void skip(core::TaskId task);

  /// Certainty of each element, row-major; empty when all are exact.
  [[nodiscard]] std::span<const Certainty> elements(core::ArrayId array) const {
    return certainties_[array];
  }
  [[nodiscard]] const Rounding& rounding(core::ArrayId array) const { return roundings_[array]; }

 private:
  /// What a task does to its written operands.
  struct Effect {
    std::vector<bool> is_written;  // by access: some kernel stores into it
    bool is_rounding = false;      // it rounds in another order elsewhere
    bool is_arbitrary = false;     // a small change of what it reads changes all that it writes
    double steps = 0.0;            // operations on the way to one element
    double scale = 0.0;            // greatest magnitude of what is added up
  };
  [[nodiscard]] Effect effect_of(core::TaskId task, std::uint16_t alternative) const;
  void add_call(core::TaskId task, std::uint16_t alternative, const core::KernelCall& call,
                Effect& effect) const;
  [[nodiscard]] double magnitude_of_terms(core::TaskId task, const core::KernelCall& call,
                                          double steps) const;
  [[nodiscard]] Certainty worst_of(core::RegionId region) const;
  void mark(core::RegionId region, Certainty certainty);
  [[nodiscard]] double greatest(core::RegionId region) const;

  const core::Program& program_;
  const SequentialExecution& execution_;
  core::IdVector<core::ArrayId, std::vector<Certainty>> certainties_;
  core::IdVector<core::ArrayId, Rounding> roundings_;
  // Of the task being executed: what it read, and what it does.
  Certainty read_ = Certainty::kExact;
  Rounding inherited_;
  Effect effect_;
};

}  // namespace parley::exec
