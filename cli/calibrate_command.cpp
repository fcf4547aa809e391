// parley calibrate: measures this computer and writes a machine file.
#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/exec_machine.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/progress_line.h"
#include "exec/backend.h"
#include "exec/calibrate/calibration.h"
#include "exec/cuda/cuda_backend.h"
#include "exec/host/host_backend.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

constexpr const char* kCalibrateHelp = R"(Examples:
  parley calibrate --backend cuda -o here.json
  parley calibrate --backend cuda --devices 2 --sustained -o here.json
  parley calibrate --backend host --quick -o laptop.json
  parley sim cholesky:tiles=32,tile=2048 --machine here.json

Measured are: copies between all spaces over sizes, alone and at the same time; kernels over sizes on a
GPU and on the CPU; what commands cost the host. Nothing else should be running. Takes up to three
minutes; --quick half a minute. GPUs slow down when they are hot: long runs of products are
predicted by --sustained, short ones without.)";

struct CalibrateArguments {
  std::string backend;
  std::optional<std::uint32_t> devices;
  std::vector<std::string> limits;
  bool is_quick = false;
  bool is_sustained = false;
  std::string output;
};

/// What runs the programs, on what, and what to call it.
struct Subject {
  Computer computer;
  std::unique_ptr<exec::Backend> backend;
  std::string description;
  std::int32_t streams = 0;  // of a GPU, with a thread of its own that issues; 0: not so
};

core::Result<Subject> subject_of(const CalibrateArguments& arguments) {
  Subject subject;
  if (arguments.backend == "host") {
    subject.computer = this_computer();
    subject.backend = exec::create_host_backend({});
    subject.description = "host threads, " + std::to_string(subject.computer.processors) +
                          (subject.computer.processors == 1 ? " processor" : " processors");
    return subject;
  }
  core::Result<Computer> computer = computer_with_gpus();
  if (!computer) return computer.faults();
  subject.computer = std::move(*computer);
  exec::cuda::CudaOptions options;
  options.writes_marks = false;  // they delay what is measured
  subject.streams = static_cast<std::int32_t>(options.compute_streams);
  core::Result<std::unique_ptr<exec::Backend>> backend = exec::cuda::create_backend(options);
  if (!backend) return backend.faults();
  subject.backend = std::move(*backend);
  subject.description = subject.computer.gpus;
  return subject;
}

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

/// The file's name without its ending.
std::string machine_name(const std::string& output) {
  if (output == "-") return "calibrated";
  const std::string stem = std::filesystem::path(output).stem().string();
  return stem.empty() ? "calibrated" : stem;
}

int run_calibrate(const CalibrateArguments& arguments, Terminal& terminal) {
  core::Result<Subject> subject = subject_of(arguments);
  if (!subject) {
    report_faults(terminal, subject.faults());
    return exec::cuda::is_built() ? kFailedExecution : kWrongInput;
  }
  const core::Result<core::Machine> plain =
      choose_machine({"", arguments.devices, arguments.limits}, subject->computer);
  if (!plain) return report_faults(terminal, plain.faults());
  core::Result<std::unique_ptr<OutputFile>> file = OutputFile::create(arguments.output, terminal);
  if (!file) return report_faults(terminal, file.faults());
  exec::CalibrationOptions options;
  options.is_quick = arguments.is_quick;
  options.is_sustained = arguments.is_sustained;
  options.streams = subject->streams;
  options.has_submitters = subject->streams > 0;
  if (options.has_submitters) {
    options.copy_streams = exec::cuda::kCopyStreams;
    options.inline_copy = core::Bytes(exec::cuda::kInlineCopyBytes);
    options.turn = core::Duration(exec::cuda::kTurnNs);
  }
  core::Result<core::MachineSpec> spec = [&] {
    const InterruptGuard guard;
    ProgressLine progress(terminal, "measurements");
    options.progress = [&](const std::string&, std::size_t done, std::size_t total) {
      if (guard.flag()) throw exec::EnvironmentFailure("interrupted");
      progress.update(done, total);
    };
    return exec::calibrate(*plain, options, *subject->backend);
  }();
  if (!spec) {
    report_faults(terminal, spec.faults());
    return kFailedExecution;
  }
  spec->name = machine_name(arguments.output);
  spec->source = "measured by parley calibrate" +
                 std::string(arguments.is_quick ? " --quick" : "") +
                 (arguments.is_sustained ? " --sustained" : "") + " on " + today() + ": " +
                 subject->description;
  (*file)->stream() << workloads::format_machine(*spec);
  (*file)->commit();
  return kOk;
}

}  // namespace

void add_calibrate_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<CalibrateArguments>();
  CLI::App& command = *app.add_subcommand("calibrate", "measure this computer: a machine file");
  command
      .add_option("--backend", arguments->backend,
                  "cuda: the GPUs of this computer; host: threads and memcpy, virtual GPUs")
      ->required()
      ->check(CLI::IsMember({"host", "cuda"}))
      ->type_name("host|cuda");
  command.add_option("-o,--output", arguments->output, "the machine file to write")
      ->required()
      ->type_name("MACHINE");
  command.add_option("--devices", arguments->devices, "how many GPUs [cuda: all; host: 2 virtual]")
      ->type_name("N");
  command
      .add_option("--limit", arguments->limits,
                  "less memory, e.g. gpu=8GiB; what is measured must fit")
      ->type_name("SPACE=SIZE");
  command.add_flag("--quick", arguments->is_quick, "fewer sizes and repetitions");
  command.add_flag("--sustained", arguments->is_sustained,
                   "rates of products after seconds of work");
  command.footer(kCalibrateHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_calibrate(*arguments, terminal); };
  });
}

}  // namespace parley::cli
