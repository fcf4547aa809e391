// parley check: everything that can be said of a workload before it runs.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "sim/simulator.h"
#include "workloads/check/check.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::cli {
namespace {

constexpr const char* kCheckHelp = R"(Examples:
  parley check program.json
  parley check program.json --machine h200x4 --limit gpu=1GiB    does every working set fit?
Exit code 2 when the workload cannot run: wrong format, data races, reads of contents that nobody
wrote, working sets that fit nowhere. What Parla would do is told, and is no fault. With a machine,
Parla's devices are those that the mapper "parla" chooses there; without, each task's first.)";

struct CheckArguments {
  std::string workload, machine;
  std::vector<std::string> limits;
};

/// Where Parla's mapper puts each task, by name; empty when the workload does not run there.
std::vector<std::string> parla_mapping(const core::Program& program, const core::Machine& machine) {
  sim::SimOptions options;
  options.engine.mapper = "parla";
  const core::Result<sim::SimResult> simulation = sim::simulate(program, machine, options);
  if (!simulation) return {};
  std::vector<std::string> mapping(program.task_count());
  for (const core::TaskRecord& task : simulation->run.tasks) {
    if (!task.devices.empty()) {
      mapping[task.task.index()] = machine.device(task.devices.front()).name;
    }
  }
  return mapping;
}

int run_check(const CheckArguments& arguments, Terminal& terminal) {
  core::Faults faults;
  std::optional<core::Machine> machine;
  if (!arguments.machine.empty()) {
    core::Result<core::Machine> loaded =
        workloads::load_machine(arguments.machine, arguments.limits);
    faults = loaded.faults();
    if (loaded) machine = std::move(*loaded);
  } else if (!arguments.limits.empty()) {
    faults.push_back({"--limit", "limits what machine? name one with --machine"});
  }
  const core::Result<core::Program> program = workloads::load_workload(arguments.workload);
  append(faults, program.faults());
  if (!faults.empty()) return report_faults(terminal, faults);

  const core::Machine* where = machine ? &*machine : nullptr;
  workloads::CheckReport report = workloads::check_program(*program, where);
  if (where != nullptr && report.is_sound()) {
    report = workloads::check_program(*program, where, parla_mapping(*program, *where));
  }
  terminal.out << workloads::check_text(*program, report);
  return report.is_sound() ? kOk : kWrongInput;
}

}  // namespace

void add_check_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App& command = *app.add_subcommand("check", "find what is wrong with a workload");
  command.add_option("WORKLOAD", arguments->workload, "a file, or a generator with parameters")
      ->required()
      ->type_name("");
  command.add_option("--machine,-m", arguments->machine, "does it fit there? [no machine]")
      ->type_name("MACHINE");
  command.add_option("--limit", arguments->limits, "less memory: gpu=8GiB; may be repeated")
      ->type_name("WHAT=SIZE")
      ->expected(1)
      ->take_all();
  command.footer(kCheckHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_check(*arguments, terminal); };
  });
}

}  // namespace parley::cli
