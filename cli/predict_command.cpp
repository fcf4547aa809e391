// parley predict: runs workloads for real under several policies, simulates the same, and tells how
// far apart they are. All runs share one process and one backend.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/compare_options.h"
#include "cli/crash_report.h"
#include "cli/exec_machine.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/prediction_run.h"
#include "cli/progress_line.h"
#include "cli/report/prediction_row.h"
#include "exec/cuda/cuda_backend.h"
#include "exec/executor.h"
#include "exec/host/host_backend.h"

namespace parley::cli {
namespace {

constexpr const char* kPredictHelp = R"(Examples:
  parley calibrate --backend cuda -o here.json
  parley predict cholesky:tiles=16,tile=1024 lu:tiles=8 --backend cuda --machine here.json
  parley predict program.json --backend cuda --machine here.json --devices 2 --csv rows.csv \
      --policy mapper=round_robin --policy "mapper=earliest_finish,window=2"

Each workload runs for real under each set of policies: once to warm up, --repeat times without
measuring single tasks (the median counts; up to three times as often while half a box plot's notch
is more than 3 % of it), once with. It is then simulated: under the same policies ("predicted": the
median of five simulations whose tasks vary by 0.5 %, drawn from --seed, as kernels do); with the
decisions of the timed run ("same decisions"); and with its durations of tasks, too ("and
durations"). Errors are those of makespans, the last two against the timed run. "bytes" compares
what was copied under the same decisions.

The threads that issue commands take longer at some times than at others, mostly on virtual
machines. "host" says how many times as long as when the machine was calibrated: measured beside
each run by small tasks (on GPUs), and simulated so, unless --as-calibrated.

Exit codes: 0 done; 2 wrong input; 4 a run failed.)";

struct PredictArguments {
  std::vector<std::string> workloads;
  std::vector<std::string> policies;
  RunOptions base;
  std::string backend;
  std::optional<std::uint32_t> devices;
  std::optional<std::uint32_t> streams;
  std::uint32_t repeat = 5;
  bool as_calibrated = false;
  std::string csv;
  std::string journals;  // a folder
};

struct Subjects {
  std::vector<LoadedRun> runs;
  std::vector<PredictionRow> rows;  // workload, devices and policies of each
};

core::Result<std::vector<PolicySet>> sets_of(const PredictArguments& arguments) {
  const core::Result<core::EngineOptions> base = engine_of(arguments.base);
  if (!base) return base.faults();
  if (arguments.policies.empty()) return std::vector<PolicySet>{{"as given", *base}};
  return parse_policy_sets(arguments.policies, *base);
}

std::uint32_t count_gpus(const core::Machine& machine) {
  std::uint32_t count = 0;
  for (const core::MemorySpace& space : machine.spec().spaces) count += space.is_host ? 0 : 1;
  return count;
}

core::Result<Subjects> load_subjects(const PredictArguments& arguments, const Computer& computer) {
  const core::Result<std::vector<PolicySet>> sets = sets_of(arguments);
  core::Faults faults = sets.faults();
  Subjects subjects;
  for (const std::string& workload : arguments.workloads) {
    RunOptions options = arguments.base;
    options.workload = workload;
    core::Result<LoadedRun> loaded = load_run(options, [&] {
      return choose_machine({options.machine, arguments.devices, options.limits, arguments.streams},
                            computer);
    });
    append(faults, loaded.faults());
    if (!loaded || !sets) continue;
    for (const PolicySet& set : *sets) {
      // Programs do not copy; loading is quick beside running.
      core::Result<core::Program> again = load_program(workload);
      append(faults, again.faults());
      if (!again) continue;
      PredictionRow row;
      row.workload = workload;
      row.policies = set.text;
      row.devices = count_gpus(loaded->machine);
      core::EngineOptions chosen = set.options;
      if (loaded->engine.plan) impose_plan(loaded->engine.plan, chosen);
      const core::EngineOptions engine = exec::executed_options(*again, chosen);
      subjects.runs.push_back({std::move(*again), loaded->machine, engine});
      subjects.rows.push_back(std::move(row));
    }
  }
  if (!faults.empty()) return faults;
  return subjects;
}

/// What makes a backend, and the computer it is on.
struct Environment {
  Computer computer;
  std::unique_ptr<exec::Backend> backend;
};

core::Result<Environment> environment_of(const PredictArguments& arguments) {
  Environment environment;
  if (arguments.backend == "host") {
    environment.computer = this_computer();
    environment.backend = exec::create_host_backend({});
    return environment;
  }
  core::Result<Computer> computer = computer_with_gpus();
  if (!computer) return computer.faults();
  environment.computer = std::move(*computer);
  exec::cuda::CudaOptions options;
  options.writes_marks = false;  // they delay what is measured
  if (arguments.streams) options.compute_streams = *arguments.streams;
  core::Result<std::unique_ptr<exec::Backend>> backend = exec::cuda::create_backend(options);
  if (!backend) return backend.faults();
  environment.backend = std::move(*backend);
  return environment;
}

core::Faults check_arguments(const PredictArguments& arguments) {
  core::Faults faults;
  if (arguments.repeat == 0) faults.push_back({"--repeat", "found 0; allowed: 1 or more"});
  if (arguments.streams && arguments.backend == "host") {
    faults.push_back({"--streams", "the host backend has no streams"});
  }
  if (arguments.streams.value_or(1) == 0) {
    faults.push_back({"--streams", "found 0; allowed: 1 or more"});
  }
  if (arguments.base.machine.empty()) {
    faults.push_back({"--machine", "is missing: parley calibrate measures this computer"});
  }
  return faults;
}

std::string to_text(const core::Fault& fault) {
  return fault.where.empty() ? fault.what : fault.where + ": " + fault.what;
}

/// Of row `i`: FOLDER/001.jsonl is the first one's.
std::string journal_path(const std::string& folder, std::size_t i) {
  std::string number = std::to_string(i + 1);
  number.insert(0, number.size() < 3 ? 3 - number.size() : 0, '0');
  return (std::filesystem::path(folder) / (number + ".jsonl")).string();
}

core::Faults make_folder(const std::string& path) {
  std::error_code error;
  if (!path.empty()) std::filesystem::create_directories(path, error);
  if (!error) return {};
  return {{"--journals", "the folder " + path + " cannot be made: " + error.message()}};
}

/// A journal that cannot be kept is the row's fault.
void keep(OutputFile& journal, core::Result<PredictionRow>& row) {
  try {
    journal.commit();
  } catch (const EnvironmentFailure& failure) {
    row = core::Fault{"", failure.what()};
  }
}

/// Runs all; a row that fails says so, and the next one runs. After an interruption none does.
bool run_rows(const PredictArguments& arguments, exec::Backend& backend, Subjects& subjects,
              Terminal& terminal) {
  const InterruptGuard guard;
  const CrashReport crash_report;
  ProgressLine progress(terminal, "workloads and policies");
  bool has_failed = false;
  for (std::size_t i = 0; i < subjects.rows.size(); ++i) {
    PredictionRow& row = subjects.rows[i];
    const std::string workload = row.workload, policies = row.policies;
    const std::uint32_t devices = row.devices;
    if (guard.flag().load()) {
      row.fault = "not run: interrupted";
      has_failed = true;
      continue;
    }
    std::unique_ptr<OutputFile> journal;
    if (!arguments.journals.empty()) {
      core::Result<std::unique_ptr<OutputFile>> file =
          OutputFile::create(journal_path(arguments.journals, i), terminal);
      if (!file) {
        row.fault = to_text(file.faults().front());
        has_failed = true;
        continue;
      }
      journal = std::move(*file);
    }
    core::Result<PredictionRow> done =
        run_and_predict(subjects.runs[i],
                        {workload, arguments.backend, arguments.repeat, arguments.as_calibrated,
                         &guard.flag(), journal ? &journal->stream() : nullptr},
                        backend);
    if (done && journal) keep(*journal, done);
    if (done) row = std::move(*done);
    row.workload = workload;
    row.policies = policies;
    row.devices = devices;
    if (!done) {
      has_failed = true;
      row.fault = to_text(done.faults().front());
    }
    progress.update(i + 1, subjects.rows.size());
  }
  return !has_failed;
}

int run_predict(const PredictArguments& arguments, Terminal& terminal) {
  const core::Faults faults = check_arguments(arguments);
  if (!faults.empty()) return report_faults(terminal, faults);
  core::Result<Environment> environment = environment_of(arguments);
  if (!environment) {
    report_faults(terminal, environment.faults());
    return exec::cuda::is_built() ? kFailedExecution : kWrongInput;
  }
  core::Result<Subjects> subjects = load_subjects(arguments, environment->computer);
  if (!subjects) return report_faults(terminal, subjects.faults());
  const core::Faults no_folder = make_folder(arguments.journals);
  if (!no_folder.empty()) return report_faults(terminal, no_folder);
  std::unique_ptr<OutputFile> csv;
  if (!arguments.csv.empty()) {
    core::Result<std::unique_ptr<OutputFile>> file = OutputFile::create(arguments.csv, terminal);
    if (!file) return report_faults(terminal, file.faults());
    csv = std::move(*file);
  }
  const bool all_ran = run_rows(arguments, *environment->backend, *subjects, terminal);
  if (csv) {
    write_csv(subjects->rows, csv->stream());
    csv->commit();
  }
  if (arguments.csv != "-") print(subjects->rows, terminal.out);
  return all_ran ? kOk : kFailedExecution;
}

}  // namespace

void add_predict_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<PredictArguments>();
  arguments->base.machine = "";
  CLI::App& command = *app.add_subcommand("predict", "how well the simulator predicts real runs");
  command.add_option("workload", arguments->workloads, "workload files or generators")
      ->required()
      ->type_name("WORKLOAD");
  command
      .add_option("--backend", arguments->backend,
                  "cuda: the GPUs of this computer; host: threads and memcpy, virtual GPUs")
      ->required()
      ->check(CLI::IsMember({"host", "cuda"}).description(""))
      ->type_name("host|cuda");
  command
      .add_option("--machine", arguments->base.machine,
                  "required; describes this computer: a file of parley calibrate or a shipped name")
      ->type_name("MACHINE");
  command
      .add_option("--policy", arguments->policies,
                  "a set of policies, e.g. \"mapper=parla,window=4\"; may be repeated")
      ->type_name("SET")
      ->allow_extra_args(false);
  command.add_option("--devices", arguments->devices, "how many GPUs [all; host: 2 virtual ones]")
      ->type_name("N");
  command
      .add_option("--streams", arguments->streams, "cuda: kernels of one GPU that may overlap [4]")
      ->type_name("N");
  command.add_option("--limit", arguments->base.limits, "less memory, e.g. gpu=8GiB")
      ->type_name("SPACE=SIZE")
      ->allow_extra_args(false);
  command
      .add_option("--repeat", arguments->repeat,
                  "runs of which the median counts; up to three times as many if they differ [5]")
      ->type_name("N");
  command.add_flag("--as-calibrated", arguments->as_calibrated,
                   "take the host's threads to be as fast as the machine says");
  command.add_option("--csv", arguments->csv, "write all figures")->type_name("FILE");
  command
      .add_option("--journals", arguments->journals,
                  "write each row's timed run into this folder: 001.jsonl and on")
      ->type_name("FOLDER");
  add_policy_options(command, arguments->base);
  command.footer(kPredictHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_predict(*arguments, terminal); };
  });
}

}  // namespace parley::cli
