#include "cli/model_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>

#include "cli/recorded_durations.h"
#include "cli/report/quantities.h"
#include "cli/terminal.h"
#include "sim/noise.h"

namespace parley::cli {
namespace {

constexpr double kLeastSlowdown = 0.01, kMostSlowdown = 100.0;

core::Result<sim::Noise> noise(const char* option, const std::string& text) {
  core::Result<sim::Noise> parsed = sim::Noise::parse(text);
  if (parsed) return parsed;
  return core::Fault{option, parsed.faults().front().what};
}

}  // namespace

void add_model_options(CLI::App& command, ModelOptions& options) {
  command
      .add_option("--durations", options.durations,
                  "tasks take what they took in that run: a journal or a summary, by sim or exec")
      ->type_name("FILE");
  command
      .add_option("--noise", options.noise,
                  "random factors on durations of tasks, by --seed: normal:sigma=0.1, "
                  "lognormal:sigma=0.1 or pareto:alpha=3; policies believe what they would without")
      ->type_name("NOISE");
  command.add_option("--copy-noise", options.copy_noise, "the same on copies")->type_name("NOISE");
  command.add_flag("--power", options.has_power,
                   "long runs at full load slow down as the machine's \"power\" says");
  command.add_flag("--as-executed", options.as_executed,
                   "tasks take what exec adds to their cost: the start of kernels that spin, and "
                   "hash_mix of tasks without a kernel");
  command
      .add_option("--host-slowdown", options.host_slowdown,
                  "what the host's threads do takes so many times as long as the machine says [1]")
      ->type_name("FACTOR");
}

ModelChoice model_choice(const ModelOptions& options) {
  ModelChoice choice;
  if (!options.durations.empty()) choice.emplace_back("durations", options.durations);
  const auto add_noise = [&](const char* name, const std::string& text) {
    const core::Result<sim::Noise> parsed = sim::Noise::parse(text);
    if (parsed && !parsed->is_none()) choice.emplace_back(name, parsed->text());
  };
  add_noise("noise", options.noise);
  add_noise("copy_noise", options.copy_noise);
  if (options.has_power) choice.emplace_back("power", "on");
  if (options.as_executed) choice.emplace_back("as_executed", "on");
  if (options.host_slowdown != 1.0) {
    choice.emplace_back("host_slowdown", text_of_number(options.host_slowdown));
  }
  return choice;
}

core::Faults check_model(const ModelOptions& options) {
  core::Faults faults = noise("--noise", options.noise).faults();
  append(faults, noise("--copy-noise", options.copy_noise).faults());
  if (!(options.host_slowdown >= kLeastSlowdown && options.host_slowdown <= kMostSlowdown)) {
    faults.push_back({"--host-slowdown",
                      "found " + text_of_number(options.host_slowdown) + "; allowed: 0.01 to 100"});
  }
  return faults;
}

core::Faults apply_model(const ModelOptions& options, const core::Program& program,
                         const core::Machine& machine, sim::SimOptions& simulation,
                         std::vector<std::string>& warnings) {
  simulation.task_noise = *noise("--noise", options.noise);
  simulation.copy_noise = *noise("--copy-noise", options.copy_noise);
  simulation.has_power = options.has_power;
  simulation.as_executed = options.as_executed;
  simulation.host_slowdown = options.host_slowdown;
  const auto has_power = [](const core::Device& device) { return device.power.sustained < 1.0; };
  if (options.has_power && std::ranges::none_of(machine.spec().devices, has_power)) {
    warnings.push_back("--power: machine \"" + machine.name() + "\" states no \"power\"");
  }
  if (options.durations.empty()) return {};
  core::Result<RecordedDurations> recorded = load_durations(options.durations, program, machine);
  if (!recorded) {
    core::Faults faults = recorded.faults();
    for (core::Fault& fault : faults) fault.where = "--durations " + fault.where;
    return faults;
  }
  std::string warning = warning_of(*recorded, options.durations, program);
  if (!warning.empty()) warnings.push_back(std::move(warning));
  simulation.recorded_durations = std::move(recorded->durations);
  simulation.recorded_devices = std::move(recorded->devices);
  return {};
}

}  // namespace parley::cli
