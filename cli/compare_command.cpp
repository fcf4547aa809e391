// parley compare: many runs, side by side. Runs are independent of each other, so they may share
// the processor; what they give does not depend on how many run at a time.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/compare_options.h"
#include "cli/memory_sweep.h"
#include "cli/model_options.h"
#include "cli/output_file.h"
#include "cli/plan/plan_file.h"
#include "cli/progress_line.h"
#include "cli/report/comparison.h"
#include "cli/run_options.h"
#include "core/base/check.h"
#include "sim/simulator.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

constexpr const char* kCompareHelp = R"(Examples:
  parley compare cholesky:tiles=32,tile=2048 --machine h200x4              every shipped mapper
  parley compare a.json b.json --machine h200x2 h200x4 --jobs 2
  parley compare cholesky:tiles=16 --machine h200x4 \
      --policy mapper=round_robin --policy "mapper=parla:generation=2,evict=next_use,window=4"
  parley compare a.json --limit gpu=4GiB --policy evict=lru --policy evict=next_use --csv rows.csv

  parley compare cholesky:tiles=24,tile=1024 --memory 1,0.5,0.25,0.1,least --policy evict=lru \
      --policy evict=next_use --json rows.json && parley plot memory rows.json -o memory.png

A set names what it changes; the rest is as --mapper, --order, ... say, or the defaults. Repetitions
differ in the seed. "above bound" is the distance to the largest lower bound; "busy" the mean share of
the makespan that the GPUs spent in tasks.)";

struct CompareArguments {
  std::vector<std::string> workloads;
  std::vector<std::string> machines = {"h200x4"};
  std::vector<std::string> policies;
  RunOptions base;
  ModelOptions model;
  std::string memory;
  std::uint32_t repeat = 1;
  std::uint32_t jobs = 1;
  std::string csv, json;
};

/// A machine with so many bytes on each GPU.
struct SizedMachine {
  core::Machine machine;
  core::Bytes gpu_bytes;
};

/// What there is to compare, loaded.
struct Grid {
  std::vector<core::Program> programs;
  std::vector<core::Machine> machines;
  std::vector<PolicySet> sets;
  /// With --memory, by program, then machine, then size: the machine with less memory.
  std::vector<SizedMachine> sized;
  std::size_t sizes = 0;
  std::vector<std::shared_ptr<const core::Plan>> plans;  // by program, then machine; none: empty
  std::vector<sim::SimOptions> models;                   // by program, then machine
};

/// One run of the grid.
struct Cell {
  std::size_t workload = 0, machine = 0, memory = 0, set = 0, repetition = 0;
};

core::Result<std::vector<PolicySet>> policy_sets(const CompareArguments& arguments) {
  const core::Result<core::EngineOptions> base = engine_of(arguments.base);
  if (!base) return base.faults();
  if (!arguments.policies.empty()) return parse_policy_sets(arguments.policies, *base);
  std::vector<PolicySet> sets = every_mapper(*base);
  if (!arguments.base.plan.empty() && base->mapper.empty()) sets.push_back({"plan", *base});
  return sets;
}

/// The plan of --plan, in terms of every program and machine.
core::Faults load_plans(const std::string& path, Grid& grid) {
  core::Faults faults;
  if (path.empty()) return faults;
  for (const core::Program& program : grid.programs) {
    for (const core::Machine& machine : grid.machines) {
      core::Result<core::Plan> plan = load_plan(path, program, machine);
      append(faults, plan.faults());
      if (plan) grid.plans.push_back(std::make_shared<const core::Plan>(std::move(*plan)));
    }
  }
  return faults;
}

/// The machines of --memory.
core::Faults load_sizes(const std::string& text, Grid& grid) {
  if (text.empty()) return {};
  const core::Result<std::vector<MemorySize>> sizes = parse_memory_sizes(text);
  if (!sizes) return sizes.faults();
  grid.sizes = sizes->size();
  core::Faults faults;
  for (const core::Program& program : grid.programs) {
    for (const core::Machine& machine : grid.machines) {
      for (const MemorySize& size : *sizes) {
        const core::Bytes bytes = gpu_bytes(size, program, machine);
        core::Result<core::Machine> sized = with_gpu_bytes(machine, bytes);
        append(faults, sized.faults());
        if (sized) grid.sized.push_back({std::move(*sized), bytes});
      }
    }
  }
  return faults;
}

core::Result<Grid> load_grid(const CompareArguments& arguments) {
  Grid grid;
  core::Faults faults;
  core::Result<std::vector<PolicySet>> sets = policy_sets(arguments);
  append(faults, sets.faults());
  if (sets) grid.sets = std::move(*sets);
  for (const std::string& name : arguments.machines) {
    core::Result<core::Machine> machine = workloads::load_machine(name, arguments.base.limits);
    append(faults, machine.faults());
    if (machine) grid.machines.push_back(std::move(*machine));
  }
  for (const std::string& name : arguments.workloads) {
    core::Result<core::Program> program = load_program(name);
    append(faults, program.faults());
    if (program) grid.programs.push_back(std::move(*program));
  }
  if (!faults.empty()) return faults;
  faults = load_plans(arguments.base.plan, grid);
  append(faults, load_sizes(arguments.memory, grid));
  if (!faults.empty()) return faults;
  return grid;
}

/// Warnings of one file about several machines are told once each.
core::Faults load_models(const CompareArguments& arguments, Grid& grid, Terminal& terminal) {
  core::Faults faults = check_model(arguments.model);
  if (!faults.empty()) return faults;
  std::vector<std::string> warnings;
  for (const core::Program& program : grid.programs) {
    for (const core::Machine& machine : grid.machines) {
      append(faults,
             apply_model(arguments.model, program, machine, grid.models.emplace_back(), warnings));
    }
  }
  std::ranges::sort(warnings);
  warnings.erase(std::unique(warnings.begin(), warnings.end()), warnings.end());
  for (const std::string& warning : warnings) terminal.err << "warning: " << warning << '\n';
  return faults;
}

/// Whether an earlier size comes to the same on the machine of that index: its runs stand for both.
bool is_known_size(const Grid& grid, std::size_t pair, std::size_t size) {
  for (std::size_t k = 0; k < size; ++k) {
    const std::size_t first = pair * grid.sizes;
    if (grid.sized[first + k].gpu_bytes == grid.sized[first + size].gpu_bytes) return true;
  }
  return false;
}

std::vector<Cell> cells_of(const Grid& grid, std::uint32_t repeat) {
  std::vector<Cell> cells;
  for (std::size_t w = 0; w < grid.programs.size(); ++w) {
    for (std::size_t m = 0; m < grid.machines.size(); ++m) {
      for (std::size_t k = 0; k < std::max<std::size_t>(grid.sizes, 1); ++k) {
        if (is_known_size(grid, w * grid.machines.size() + m, k)) continue;
        for (std::size_t s = 0; s < grid.sets.size(); ++s) {
          for (std::size_t r = 0; r < repeat; ++r) cells.push_back({w, m, k, s, r});
        }
      }
    }
  }
  return cells;
}

std::string joined(const core::Faults& faults) {
  std::string text;
  for (const core::Fault& fault : faults) {
    if (!text.empty()) text += "; ";
    text += fault.where.empty() ? fault.what : fault.where + ": " + fault.what;
  }
  return text;
}

ComparisonRow run_cell(const CompareArguments& arguments, const Grid& grid, const Cell& cell) {
  const core::Program& program = grid.programs[cell.workload];
  const std::size_t pair = cell.workload * grid.machines.size() + cell.machine;
  const SizedMachine* sized =
      grid.sizes > 0 ? &grid.sized[pair * grid.sizes + cell.memory] : nullptr;
  const core::Machine& machine = sized ? sized->machine : grid.machines[cell.machine];
  sim::SimOptions options = grid.models[pair];
  options.record_boxes = false;  // nothing here names what was copied
  options.engine = grid.sets[cell.set].options;
  options.engine.seed += cell.repetition;
  if (!grid.plans.empty()) {
    impose_plan(grid.plans[pair], options.engine);
  }
  const core::Result<sim::SimResult> simulation = sim::simulate(program, machine, options);
  ComparisonRow row;
  if (simulation) {
    row = comparison_row(run_result(program, machine, options.engine, *simulation));
    row.model = model_choice(arguments.model);
    row.warnings = simulation->warnings;
  } else {
    row.policies = policy_choice(options.engine);
    row.window = options.engine.window;
    row.seed = options.engine.seed;
    row.error = joined(simulation.faults());
  }
  row.workload = arguments.workloads[cell.workload];
  row.machine = arguments.machines[cell.machine];
  row.policy_text = grid.sets[cell.set].text;
  if (sized != nullptr) row.gpu_bytes = sized->gpu_bytes.count();
  return row;
}

/// All rows, in the order of the cells. A broken invariant in any of them is thrown here, the first
/// in that order, after the others have ended.
std::vector<ComparisonRow> run_cells(const CompareArguments& arguments, const Grid& grid,
                                     const std::vector<Cell>& cells, Terminal& terminal) {
  std::vector<ComparisonRow> rows(cells.size());
  std::vector<std::exception_ptr> failures(cells.size());
  std::atomic<std::size_t> next{0};
  std::mutex progress_mutex;
  std::size_t done = 0;
  ProgressLine progress(terminal, "runs");
  const auto work = [&] {
    for (std::size_t i = next++; i < cells.size(); i = next++) {
      try {
        rows[i] = run_cell(arguments, grid, cells[i]);
      } catch (...) {
        failures[i] = std::current_exception();
      }
      const std::lock_guard lock(progress_mutex);
      progress.update(++done, cells.size());
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min<std::size_t>(arguments.jobs, cells.size()); ++i) {
    threads.emplace_back(work);
  }
  work();
  threads.clear();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return rows;
}

/// A warning that runs of several policies share is told once for a workload on a machine.
void print_warnings(const std::vector<ComparisonRow>& rows, Terminal& terminal) {
  struct Warning {
    std::string of, text;
    std::vector<std::string> policies;
  };
  std::vector<Warning> warnings;
  for (const ComparisonRow& row : rows) {
    const std::string of = row.workload + " on " + row.machine;
    for (const std::string& text : row.warnings) {
      auto known = std::ranges::find_if(
          warnings, [&](const Warning& other) { return other.of == of && other.text == text; });
      if (known == warnings.end()) known = warnings.insert(known, {of, text, {}});
      std::vector<std::string>& policies = known->policies;
      if (std::ranges::find(policies, row.policy_text) == policies.end()) {
        policies.push_back(row.policy_text);
      }
    }
  }
  for (const Warning& warning : warnings) {
    terminal.err << "warning: " << warning.of << ": " << warning.text;
    const char* separator = " (";
    for (const std::string& policy : warning.policies) {
      terminal.err << separator << policy;
      separator = "; ";
    }
    terminal.err << ")\n";
  }
}

/// Opens the files before the runs start.
core::Faults open_files(const CompareArguments& arguments, Terminal& terminal,
                        std::unique_ptr<OutputFile>& csv, std::unique_ptr<OutputFile>& json) {
  core::Faults faults;
  if (!arguments.csv.empty() && arguments.csv == arguments.json) {
    return {{"--json", "\"" + arguments.json + "\" is also the file of --csv"}};
  }
  const std::pair<const std::string&, std::unique_ptr<OutputFile>&> files[] = {
      {arguments.csv, csv}, {arguments.json, json}};
  for (const auto& [path, file] : files) {
    if (path.empty()) continue;
    core::Result<std::unique_ptr<OutputFile>> opened = OutputFile::create(path, terminal);
    append(faults, opened.faults());
    if (opened) file = std::move(*opened);
  }
  return faults;
}

int run_compare(const CompareArguments& arguments, Terminal& terminal) {
  core::Result<Grid> grid = load_grid(arguments);
  if (!grid) return report_faults(terminal, grid.faults());
  const core::Faults model_faults = load_models(arguments, *grid, terminal);
  if (!model_faults.empty()) return report_faults(terminal, model_faults);
  std::unique_ptr<OutputFile> csv;
  std::unique_ptr<OutputFile> json;
  const core::Faults faults = open_files(arguments, terminal, csv, json);
  if (!faults.empty()) return report_faults(terminal, faults);
  const std::vector<Cell> cells = cells_of(*grid, arguments.repeat);
  const std::vector<ComparisonRow> rows = run_cells(arguments, *grid, cells, terminal);
  print_warnings(rows, terminal);
  if (csv) {
    write_comparison_csv(rows, csv->stream());
    csv->commit();
  }
  if (json) {
    write_comparison_json(rows, json->stream());
    json->commit();
  }
  if (arguments.csv != "-" && arguments.json != "-") print_comparison(rows, terminal.out);
  const bool has_failures = std::any_of(
      rows.begin(), rows.end(), [](const ComparisonRow& row) { return !row.error.empty(); });
  return has_failures ? kWrongInput : kOk;
}

}  // namespace

void add_compare_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<CompareArguments>();
  CLI::App& command = *app.add_subcommand("compare", "run workloads under several policies");
  command.add_option("WORKLOAD", arguments->workloads, "files, or generators with parameters")
      ->required()
      ->type_name("...");
  command.add_option("--machine,-m", arguments->machines, "shipped names or files [h200x4]")
      ->type_name("MACHINE...");
  command
      .add_option("--policy", arguments->policies,
                  "a set of policies, \"mapper=...,evict=...\"; may be repeated [every mapper]")
      ->type_name("SET")
      ->expected(1)
      ->take_all();
  command.add_option("--limit", arguments->base.limits, "less memory: gpu=8GiB; may be repeated")
      ->type_name("WHAT=SIZE")
      ->expected(1)
      ->take_all();
  command
      .add_option("--memory", arguments->memory,
                  "GPUs with less and less memory: shares of all arrays (no less than least), "
                  "sizes, least; 1,0.5,0.25,least")
      ->type_name("SIZES");
  add_policy_options(command, arguments->base);
  add_model_options(command, arguments->model);
  command.add_flag("--check", arguments->base.engine.check_invariants,
                   "check every rule of coherence and memory after every step");
  command.add_option("--repeat", arguments->repeat, "runs of each, with seeds from --seed on [1]")
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
  command.add_option("--jobs,-j", arguments->jobs, "runs at a time [1]")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command.add_option("--csv", arguments->csv, "write a line per run")->type_name("FILE");
  command.add_option("--json", arguments->json, "write an object per run, for parley plot compare")
      ->type_name("FILE");
  command.footer(kCompareHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_compare(*arguments, terminal); };
  });
}

}  // namespace parley::cli
