#include <algorithm>
#include <utility>

#include "exec/driver/run.h"
#include "exec/executor.h"

namespace parley::exec {
namespace {

bool shows_values(const core::Program& program) {
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    if (core::is_observed(program, core::TaskId(i))) return true;
  }
  return false;
}

}  // namespace

core::EngineOptions executed_options(const core::Program& program, core::EngineOptions options) {
  options.pauses_at_shown = options.pauses_at_shown || shows_values(program);
  return options;
}

core::Result<ExecResult> execute(const core::Program& program, const core::Machine& machine,
                                 const ExecOptions& options, Backend& backend) {
  core::Result<std::unique_ptr<core::Engine>> created =
      core::Engine::create(program, machine, executed_options(program, options.engine));
  if (!created) return created.faults();
  std::unique_ptr<core::Engine> engine = std::move(created).value();
  core::Faults faults = backend.check(program, machine);
  if (!faults.empty()) return faults;
  try {
    backend.prepare(program, machine, *engine);
    ExecResult result = Run(program, machine, options, *engine, backend).run();
    result.engine = std::move(engine);
    return result;
  } catch (const EnvironmentFailure& failure) {
    return core::Fault{kEnvironmentFault, failure.what()};
  }
}

}  // namespace parley::exec
