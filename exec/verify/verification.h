// Whether a run for real computed what its program means. Where executing the tasks one after
// another on the host is affordable, that is done, with the alternatives that the run chose: exact
// elements must be the same bytes, rounded ones close (rounding.h), and so must the values that
// tasks showed. A program that says what it factorises is judged by its residual as well
// (residual.h), and by that alone when it is too much work to be done twice; so are programs of
// matrix products by products with a random vector (product.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/program.h"
#include "exec/executor.h"
#include "exec/verify/residual.h"

namespace parley::exec {

struct VerifyOptions {
  unsigned threads = 0;  // 0: as many as the machine has
  /// A program that needs more floating-point operations than this is not executed again if it
  /// states its factorization, or consists of matrix products.
  double most_flops = 1e11;
  /// Called now and then with the tasks executed; may be empty.
  std::function<void(std::size_t finished, std::size_t total)> progress;
};

/// What was found about an array; the strongest statement that holds.
struct ArrayVerdict {
  enum class Method : std::uint8_t {
    kBytes,     // the same bytes as after sequential execution
    kRounding,  // as close to them as rounding allows
    kResidual,  // a factor whose residual is small
    kProduct,   // a product that multiplies a random vector as it must
    kNone,      // not compared
  };
  core::ArrayId array;
  Method method = Method::kBytes;
  bool holds = true;
  double error = 0.0,
         allowed = 0.0;     // kRounding: the greatest difference, and the greatest allowed
  std::size_t unknown = 0;  // differing elements that mean nothing
  std::string not_finite;   // the first element that is infinite or not a number, or ""
  std::string text;         // what is wrong: "A[1, 2]: found bytes 01, expected 00"
};

struct VerificationReport {
  bool holds = true;
  std::string method;                    // what was compared with what, in a sentence
  std::vector<std::string> differences;  // what is wrong, a line each
  std::vector<ArrayVerdict> arrays;      // in order of ids; those that the run kept
  std::optional<Residual> residual;
  /// Tasks whose kernels have no body on the host: what they lead to is not judged.
  std::size_t skipped_tasks = 0;
  double flops = 0.0;  // of all tasks, as their kernels' signatures count them
};

/// Requires: the run kept its contents and lists its tasks (ExecOptions::record_commands), which is
/// where the alternatives are.
VerificationReport verify(const core::Program& program, const ExecResult& executed,
                          const VerifyOptions& options = {});

}  // namespace parley::exec
