// How durations come about in simulated runs, shared by sim, compare and explain: recorded ones,
// and noise.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "sim/simulator.h"

namespace CLI {
class App;
}

namespace parley::cli {

struct ModelOptions {
  std::string durations;  // a journal or a summary; "": by the cost model
  std::string noise, copy_noise;
  bool has_power = false;
  bool as_executed = false;
  double host_slowdown = 1.0;
};

/// --durations, --noise, --copy-noise, --power, --as-executed, --host-slowdown.
void add_model_options(CLI::App& command, ModelOptions& options);

/// What differs from the plain cost model, as ("noise", "normal:sigma=0.1"): for reports.
using ModelChoice = std::vector<std::pair<std::string, std::string>>;
ModelChoice model_choice(const ModelOptions& options);

/// Faults of the options alone, before anything is loaded.
core::Faults check_model(const ModelOptions& options);

/// Sets what the options ask for in `simulation`; adds to `warnings`. Requires: check_model() had
/// no faults.
core::Faults apply_model(const ModelOptions& options, const core::Program& program,
                         const core::Machine& machine, sim::SimOptions& simulation,
                         std::vector<std::string>& warnings);

}  // namespace parley::cli
