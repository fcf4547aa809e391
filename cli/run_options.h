// The options that sim, exec and explain share: what to run, on which machine, under which
// policies.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace CLI {
class App;
}

namespace parley::cli {

struct RunOptions {
  std::string workload;
  std::string machine = "h200x4";  // "": whatever the command falls back on
  std::vector<std::string> limits;
  std::string window = "8";
  core::EngineOptions engine;
  std::string write_back = "evict";  // or "early"
  std::string plan;                  // a file with decisions to impose; "" for none
};

/// What a run needs, loaded and checked.
struct LoadedRun {
  core::Program program;
  core::Machine machine;
  core::EngineOptions engine;
};

/// `machine_help`: what --machine means to the command.
void add_run_options(CLI::App& command, RunOptions& options,
                     const char* machine_help = "a shipped name or a file [h200x4]");

/// The five policies, --window, --seed and --evict-idle-only alone.
void add_policy_options(CLI::App& command, RunOptions& options);

/// Faults of the workload, the machine and the policies together.
core::Result<LoadedRun> load_run(const RunOptions& options);

/// The same with a machine that comes from elsewhere.
core::Result<LoadedRun> load_run(const RunOptions& options,
                                 const std::function<core::Result<core::Machine>()>& machine);

/// Takes a plan up into the options. Policies that were not chosen become those that
/// follow it: mapper fixed; with that one, order strict; with both, if the plan tells of copies,
/// prefetch, evict and source planned, and early write-backs if the plan's run made any.
void impose_plan(std::shared_ptr<const core::Plan> plan, core::EngineOptions& engine);

/// "8" or "unlimited" (0).
core::Result<std::uint32_t> parse_window(const std::string& text);

/// Faults of the five policies' texts, each with its option.
core::Faults check_policies(const core::EngineOptions& options);

/// A closed program that may run. Explicit dependencies are searched for data races and for reads
/// of contents that nobody wrote; each is a fault.
core::Result<core::Program> load_program(const std::string& workload);

}  // namespace parley::cli
