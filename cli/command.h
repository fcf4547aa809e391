// A subcommand of parley: one file NAME_command.cpp, which adds its options and leaves what to do
// in `action`. Parsing ends before anything runs, so that wrong flags are reported first.
#pragma once

#include <functional>

#include "cli/terminal.h"

namespace CLI {
class App;
}

namespace parley::cli {

/// What the parsed command line asks for; returns the exit code.
using Action = std::function<int(Terminal&)>;

void add_sim_command(CLI::App& app, Action& action);
void add_exec_command(CLI::App& app, Action& action);
void add_predict_command(CLI::App& app, Action& action);
void add_compare_command(CLI::App& app, Action& action);
void add_check_command(CLI::App& app, Action& action);
void add_explain_command(CLI::App& app, Action& action);
void add_generate_command(CLI::App& app, Action& action);
void add_convert_command(CLI::App& app, Action& action);
void add_list_command(CLI::App& app, Action& action);
void add_replay_command(CLI::App& app, Action& action);
void add_plot_command(CLI::App& app, Action& action);
void add_calibrate_command(CLI::App& app, Action& action);

}  // namespace parley::cli
