// What only a run for real has, besides what every run has: values that tasks showed, failures,
// the verdict of verification, the times of repetitions. Refers to the executor's result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/report/array_text.h"
#include "cli/report/json_writer.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "exec/executor.h"
#include "exec/verify/verification.h"

namespace parley::cli {

struct RunResult;
struct Prediction;

struct Execution {
  std::string backend;  // "host", "cuda"
  const exec::ExecResult& result;
  /// By overview; nullptr where the task asked for none, or did not end.
  std::vector<const exec::ShownValues*> values;
  std::vector<core::Time> makespans;  // of all repetitions, in order; this is the last
  std::optional<exec::VerificationReport> verification;
  const Prediction* prediction = nullptr;
  std::size_t tasks_finished = 0;
};

/// Which values belong to which overview: both come task by task, those at a task's start first.
std::vector<const exec::ShownValues*> values_by_overview(const core::Program& program,
                                                         const exec::ExecResult& result);

/// The values as texts and JSON want them. Requires: `shown` is of that array.
ArrayValues array_values(const core::Program& program, core::ArrayId array,
                         const std::vector<std::byte>& bytes);

/// The device, or the way of a copy, of a command that failed: "gpu:1", "into gpu1".
std::string place_text(const core::Machine& machine, const exec::ExecResult& result,
                       const exec::CommandFailure& failure);

/// The task's kernel as its alternative has it: "gemm", "add, sum"; "hash_mix" without any.
std::string kernel_text(const core::Program& program, core::TaskId task, std::uint16_t alternative);

/// "after \"T[2]\": expected A[0:2] = [1. 1.], found [1. 2.]".
std::string expectation_text(const core::Program& program, const exec::FailedExpectation& failed);

/// Everything that went wrong, for standard error; nothing when nothing did. One line for each
/// failure, then what was cancelled, lost and finished.
void print_failures(const RunResult& result, std::ostream& stream);

/// Lines of the text report: repetitions, verification.
void print_execution(const RunResult& result, std::ostream& stream);

/// Members of the summary: "failed", "lost", "interrupted", "runs", "verification", "prediction".
/// `with_lists`: also the rows of the predicted run, and digests of final contents.
void write_execution(const RunResult& result, bool with_lists, JsonWriter& json);

}  // namespace parley::cli
