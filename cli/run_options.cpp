#include "cli/run_options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include "cli/plan/plan_file.h"
#include "cli/terminal.h"
#include "core/graph/races.h"
#include "core/policy/registry.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::cli {
namespace {

/// What is wrong with a seed; "": nothing. As a number it would wrap around.
std::string seed_fault(const std::string& text) {
  std::uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, seed);
  if (!text.empty() && parsed.ec == std::errc() && parsed.ptr == end) return "";
  return "found \"" + text + "\"; allowed: 0 to 18446744073709551615";
}

std::string policy_help(const char* sentence, core::PolicyKind kind) {
  return std::string(sentence) + " [" + std::string(core::PolicyRegistry::default_name(kind)) + "]";
}

/// Faults of one policy's text, under the option's name.
template <class Policy>
void check_policy(const char* option, const core::Result<Policy>& policy, core::Faults& faults) {
  for (const core::Fault& fault : policy.faults()) faults.push_back({option, fault.what});
}

}  // namespace

void add_policy_options(CLI::App& command, RunOptions& options) {
  using core::PolicyKind;
  core::EngineOptions& engine = options.engine;
  command
      .add_option("--mapper", engine.mapper,
                  policy_help("which device runs a task", PolicyKind::kMapper))
      ->type_name("POLICY");
  command
      .add_option("--order", engine.order,
                  policy_help("which task of a device comes first", PolicyKind::kOrder))
      ->type_name("POLICY");
  command
      .add_option("--prefetch", engine.prefetch,
                  policy_help("which copies start early", PolicyKind::kPrefetcher))
      ->type_name("POLICY");
  command
      .add_option("--evict", engine.evict,
                  policy_help("which replica makes room", PolicyKind::kEvictor))
      ->type_name("POLICY");
  command
      .add_option("--source", engine.source, policy_help("where to copy from", PolicyKind::kSource))
      ->type_name("POLICY");
  command
      .add_option("--window", options.window,
                  "issued, unfinished tasks a device: 1 or more, or unlimited [8]")
      ->type_name("N");
  command.add_option("--seed", engine.seed, "of policies that draw random numbers [1]")
      ->check(CLI::Validator(seed_fault, ""))
      ->type_name("N");
  command
      .add_option("--write-back", options.write_back,
                  "when what only one GPU holds goes home: evict, when it must go; early, while "
                  "the link is idle [evict]")
      ->check(CLI::IsMember({"evict", "early"}).description(""))
      ->type_name("WHEN");
  command
      .add_option("--plan", options.plan,
                  "impose the decisions of another run: its summary, its journal, or a plan")
      ->type_name("FILE");
  command.add_flag("--evict-idle-only", engine.evict_idle_only,
                   "prefer victims that no unfinished command uses");
}

void add_run_options(CLI::App& command, RunOptions& options, const char* machine_help) {
  command
      .add_option("WORKLOAD", options.workload,
                  "a file, or a generator with parameters: cholesky:tiles=32,tile=2048")
      ->required()
      ->type_name("");
  command.add_option("--machine,-m", options.machine, machine_help)->type_name("MACHINE");
  command
      .add_option("--limit", options.limits,
                  "less memory: gpu=8GiB for a class, gpu:1=2GiB for a device; may be repeated")
      ->type_name("WHAT=SIZE")
      ->expected(1)
      ->take_all();
  add_policy_options(command, options);
}

core::Result<std::uint32_t> parse_window(const std::string& text) {
  if (text == "unlimited") return std::uint32_t{0};
  std::uint32_t window = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), window);
  if (error != std::errc() || end != text.data() + text.size() || window == 0) {
    return core::Fault{"--window", "found \"" + text + "\"; allowed: 1 to " +
                                       std::to_string(std::numeric_limits<std::uint32_t>::max()) +
                                       ", or unlimited"};
  }
  return window;
}

core::Faults check_policies(const core::EngineOptions& options) {
  const core::PolicyRegistry registry;
  core::Faults faults;
  check_policy("--mapper", registry.mapper(options.mapper, options.seed), faults);
  check_policy("--order", registry.order(options.order, options.seed), faults);
  check_policy("--prefetch", registry.prefetcher(options.prefetch, options.seed), faults);
  check_policy("--evict", registry.evictor(options.evict, options.seed), faults);
  check_policy("--source", registry.source(options.source, options.seed), faults);
  return faults;
}

core::Result<core::Program> load_program(const std::string& workload) {
  core::Result<core::Program> program = workloads::load_workload(workload);
  if (!program || program->mode() != core::DependencyMode::kExplicit) return program;
  core::Faults faults = core::faults_of(*program, core::find_races(*program));
  if (faults.empty()) return program;
  for (core::Fault& fault : faults) {
    fault.where = fault.where.empty() ? workload : workload + ": " + fault.where;
  }
  return faults;
}

void impose_plan(std::shared_ptr<const core::Plan> plan, core::EngineOptions& engine) {
  if (engine.mapper.empty()) engine.mapper = "fixed";
  bool follows = engine.mapper == "fixed";
  if (engine.order.empty() && follows) engine.order = "strict";
  follows &= engine.order.starts_with("strict");
  if (follows && plan->has_copies) {
    if (engine.prefetch.empty()) engine.prefetch = "planned";
    if (engine.evict.empty()) engine.evict = "planned";
    if (engine.source.empty()) engine.source = "planned";
    engine.writes_back_early |= plan->writes_back_early;
  }
  engine.plan = std::move(plan);
}

core::Result<LoadedRun> load_run(const RunOptions& options) {
  return load_run(options,
                  [&] { return workloads::load_machine(options.machine, options.limits); });
}

core::Result<LoadedRun> load_run(const RunOptions& options,
                                 const std::function<core::Result<core::Machine>()>& load_machine) {
  core::Faults faults = check_policies(options.engine);
  core::EngineOptions engine = options.engine;
  engine.writes_back_early = options.write_back == "early";
  const core::Result<std::uint32_t> window = parse_window(options.window);
  if (window) {
    engine.window = *window;
  } else {
    append(faults, window.faults());
  }
  core::Result<core::Machine> machine = load_machine();
  append(faults, machine.faults());
  core::Result<core::Program> program = load_program(options.workload);
  append(faults, program.faults());
  if (!faults.empty()) return faults;
  if (!options.plan.empty()) {
    core::Result<core::Plan> plan = load_plan(options.plan, *program, *machine);
    if (!plan) return plan.faults();
    impose_plan(std::make_shared<const core::Plan>(std::move(*plan)), engine);
  }
  return LoadedRun{std::move(*program), std::move(*machine), std::move(engine)};
}

}  // namespace parley::cli
