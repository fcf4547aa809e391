#include "cli/verification.h"

#include <algorithm>

#include "exec/verify/sequential.h"

namespace parley::cli {

Verification verify(const core::Program& program, const exec::ExecResult& executed) {
  core::IdVector<core::TaskId, std::uint16_t> alternatives(program.task_count());
  for (const core::TaskRecord& task : executed.run.tasks)
    alternatives[task.task] = task.alternative;
  const exec::KernelRegistry kernels;
  const exec::SequentialResult expected = exec::execute_sequentially(
      program, kernels, [&](core::TaskId task) { return alternatives[task]; });
  Verification verification;
  verification.method = "equal to sequential execution, byte for byte";
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const core::ArrayId array(i);
    if (program.array(array).spec.at_end == core::AtEnd::kDiscard) continue;
    const auto difference = exec::first_difference(program, array, expected.arrays[array],
                                                   executed.arrays[array].bytes);
    if (difference) verification.differences.push_back(*difference);
  }
  verification.holds = verification.differences.empty();
  return verification;
}

}  // namespace parley::cli
