// parley exec: runs a workload for real, on GPUs or on threads of this computer.
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/exec_run.h"
#include "exec/cuda/cuda_backend.h"
#include "exec/host/host_backend.h"

namespace parley::cli {
namespace {

constexpr const char* kExecHelp = R"(Examples:
  parley exec workloads/lessons/tutorial_04/16_write_invalidation.json --backend host --overview
  parley exec cholesky:tiles=8,tile=64 --backend host --devices 4 --verify
  parley exec cholesky:tiles=32,tile=2048 --backend cuda --repeat 3
  parley exec program.json --backend cuda --limit gpu=2GiB --summary run.json --trace run.trace.json
  parley exec program.json --backend cuda --devices 4 --devices-per-gpu 2   four devices on two GPUs
  parley exec program.json --backend cuda --machine here.json --predict      how well does sim do?

The host backend needs no GPU: every memory space is a slab of its own, devices are threads, copies
are memcpy. Without --machine a default one is used, whose rates say little; policies believe them
(parley calibrate measures this computer).
GPU memory is what is free, less 2 GiB for libraries (and 2 more for every four further streams);
--limit lowers it. Ctrl-C ends the run after
what was started; what was finished is reported, and files are whole.

Exit codes: 0 done; 2 wrong input; 3 verification or an expected value failed; 4 execution failed.)";

core::Faults wrong_for_host(const ExecArguments& arguments) {
  core::Faults faults;
  if (arguments.streams) faults.push_back({"--streams", "the host backend has no streams"});
  if (arguments.devices_per_gpu) {
    faults.push_back(
        {"--devices-per-gpu", "the host backend has as many virtual GPUs as asked for"});
  }
  if (arguments.uses_graph) faults.push_back({"--graph", "the host backend has no CUDA graphs"});
  if (arguments.leaves_threads) {
    faults.push_back({"--no-bind", "the host backend binds no threads"});
  }
  return faults;
}

int run_on_host(const ExecArguments& arguments, Terminal& terminal) {
  const core::Faults faults = wrong_for_host(arguments);
  if (!faults.empty()) return report_faults(terminal, faults);
  return run_exec(
      arguments, this_computer(),
      [] { return core::Result<std::unique_ptr<exec::Backend>>(exec::create_host_backend({})); },
      terminal);
}

int run_on_gpus(const ExecArguments& arguments, Terminal& terminal) {
  const core::Result<Computer> computer = computer_with_gpus();
  if (!computer) {
    report_faults(terminal, computer.faults());
    return exec::cuda::is_built() ? kFailedExecution : kWrongInput;
  }
  exec::cuda::CudaOptions options;
  options.devices_per_gpu = arguments.devices_per_gpu.value_or(1);
  if (arguments.streams) options.compute_streams = *arguments.streams;
  options.uses_graph = arguments.uses_graph;
  options.binds_threads = !arguments.leaves_threads;
  return run_exec(
      arguments, *computer, [&] { return exec::cuda::create_backend(options); }, terminal);
}

}  // namespace

void add_exec_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ExecArguments>();
  arguments->run.machine = "";
  arguments->run.window = "";
  CLI::App& command = *app.add_subcommand("exec", "run a workload for real");
  command
      .add_option("--backend", arguments->backend,
                  "cuda: the GPUs of this computer; host: threads and memcpy, virtual GPUs")
      ->required()
      ->check(CLI::IsMember({"host", "cuda"}).description(""))
      ->type_name("host|cuda");
  add_run_options(command, arguments->run,
                  "describes this computer: a shipped name or a file [by default rates]");
  command
      .add_option("--devices", arguments->devices,
                  "how many GPUs [cuda: all of them, or the machine's; host: 2 virtual ones]")
      ->type_name("N");
  command
      .add_option("--devices-per-gpu", arguments->devices_per_gpu,
                  "cuda: devices that each GPU stands in for, to run for more than there are [1]")
      ->type_name("N");
  command
      .add_option("--streams", arguments->streams, "cuda: kernels of one GPU that may overlap [4]")
      ->type_name("N");
  command.add_flag("--graph", arguments->uses_graph,
                   "cuda: plan the run, capture it in a CUDA graph, replay it");
  command.add_flag("--no-bind", arguments->leaves_threads,
                   "cuda: do not keep the busy threads to processors of their own");
  command.add_option("--repeat", arguments->repeat, "runs; files are of the last [1]")
      ->type_name("N");
  command.add_flag("--verify", arguments->verifies,
                   "compare final contents with those of sequential execution");
  command.add_flag("--predict", arguments->predicts,
                   "simulate the same run, too, and tell how far off that is");
  command.add_flag("--as-calibrated", arguments->as_calibrated,
                   "--predict for a host whose threads are as fast as the machine says; else how "
                   "fast they are is measured beside the runs (on GPUs)");
  command.add_flag("--untimed", arguments->is_untimed,
                   "do not measure single tasks and copies: a little faster, files list none; "
                   "not with --verify or --trace, which need them");
  add_output_options(command, arguments->output, arguments->run.engine);
  command.footer(kExecHelp);
  command.callback([arguments, &action] {
    // A graph is of all that is issued before anything ends: with a window, of little.
    if (arguments->run.window.empty())
      arguments->run.window = arguments->uses_graph ? "unlimited" : "8";
    action = [arguments](Terminal& terminal) {
      return arguments->backend == "cuda" ? run_on_gpus(*arguments, terminal)
                                          : run_on_host(*arguments, terminal);
    };
  });
}

}  // namespace parley::cli
