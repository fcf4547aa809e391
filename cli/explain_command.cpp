// parley explain: simulates, and tells why one task ran where and when it did.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/report/command_log.h"
#include "cli/report/explanation.h"
#include "cli/report/run_result.h"
#include "cli/run_options.h"
#include "sim/simulator.h"

namespace parley::cli {
namespace {

constexpr const char* kExplainHelp = R"(Examples:
  parley explain cholesky:tiles=8 --machine h200x4 --task "potrf[3]"
  parley explain program.json --mapper parla --task "T[1]"
Runs the workload as parley sim does with the same options, and tells of the task: the mapper's
reason, where its operands came from, what it waited for, and the chain of waits that set its start.)";

struct ExplainArguments {
  RunOptions run;
  ModelOptions model;
  std::string task;
};

core::Result<core::TaskId> find_task(const core::Program& program, const std::string& name) {
  if (const auto task = program.find_task(name)) return *task;
  std::vector<std::string> names;
  constexpr std::size_t kMostCompared = 200000;  // more would take seconds
  for (std::size_t i = 0; i < std::min(program.task_count(), kMostCompared); ++i) {
    names.emplace_back(program.task_name(core::TaskId(i)));
  }
  return core::Fault{"--task", "unknown task \"" + name + "\"" + core::did_you_mean(name, names)};
}

int run_explain(const ExplainArguments& arguments, Terminal& terminal) {
  core::Faults faults = check_model(arguments.model);
  const core::Result<LoadedRun> loaded = load_run(arguments.run);
  append(faults, loaded.faults());
  if (!faults.empty()) return report_faults(terminal, faults);
  const core::Result<core::TaskId> task = find_task(loaded->program, arguments.task);
  if (!task) return report_faults(terminal, task.faults());
  CommandLog log(loaded->program, *task);
  sim::SimOptions options;
  std::vector<std::string> warnings;
  faults = apply_model(arguments.model, loaded->program, loaded->machine, options, warnings);
  if (!faults.empty()) return report_faults(terminal, faults);
  for (const std::string& warning : warnings) terminal.err << "warning: " << warning << '\n';
  options.engine = loaded->engine;
  options.observer = &log;
  const core::Result<sim::SimResult> simulation =
      sim::simulate(loaded->program, loaded->machine, options);
  if (!simulation) return report_faults(terminal, simulation.faults());
  const RunResult result =
      run_result(loaded->program, loaded->machine, loaded->engine, *simulation);
  explain_task(result, *simulation->engine, log, *task, terminal.out);
  return kOk;
}

}  // namespace

void add_explain_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ExplainArguments>();
  CLI::App& command = *app.add_subcommand("explain", "tell why a task ran where and when it did");
  add_run_options(command, arguments->run);
  add_model_options(command, arguments->model);
  command.add_option("--task", arguments->task, "the name of the task")
      ->required()
      ->type_name("NAME");
  command.footer(kExplainHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_explain(*arguments, terminal); };
  });
}

}  // namespace parley::cli
