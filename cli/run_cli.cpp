#include "cli/run_cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>

#include "cli/command.h"
#include "cli/journal/journal_writer.h"
#include "cli/terminal.h"
#include "core/base/check.h"

namespace parley::cli {
namespace {

constexpr const char* kParleyHelp = R"(Start here:
  parley sim cholesky:tiles=8 --machine h200x4          simulate a tiled Cholesky factorisation
  parley exec cholesky:tiles=8,tile=64 --backend host --verify       run it for real, on threads
  parley compare cholesky:tiles=16 --machine h200x4     the same under every mapper
  parley list generators                                what else can be generated
  parley COMMAND --help                                 options of a command, with examples

Exit codes: 0 done; 2 wrong input; 3 verification failed; 4 execution failed.)";

void add_commands(CLI::App& app, Action& action) {
  add_sim_command(app, action);
  add_exec_command(app, action);
  add_predict_command(app, action);
  add_compare_command(app, action);
  add_check_command(app, action);
  add_explain_command(app, action);
  add_generate_command(app, action);
  add_convert_command(app, action);
  add_list_command(app, action);
  add_replay_command(app, action);
  add_plot_command(app, action);
  add_calibrate_command(app, action);
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// Words that look like options and are none of the command's.
core::Faults unknown_options(const CLI::App& command, const std::vector<std::string>& arguments) {
  core::Faults faults;
  for (std::size_t i = 1; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string name = arguments[i].substr(0, arguments[i].find('='));
    if (!name.starts_with("--") || command.get_option_no_throw(name) != nullptr) continue;
    faults.push_back(
        {"parley " + command.get_name(),
         "unknown option \"" + name + "\"" + core::did_you_mean(name, option_names(command))});
  }
  return faults;
}

/// Explains what is wrong with the command line better than the parser can: the nearest names
/// first.
int report_wrong_usage(const CLI::App& app, const std::vector<std::string>& arguments,
                       const CLI::ParseError& problem, Terminal& terminal) {
  if (arguments.empty()) {
    terminal.err << app.help();
    return kWrongInput;
  }
  const std::string& name = arguments.front();
  const CLI::App* command = find_command(app, name);
  if (command == nullptr) {
    const std::string kind = name.starts_with('-') ? "option" : "command";
    terminal.err << "parley: unknown " << kind << " \"" << name << '"'
                 << core::did_you_mean(name, command_names(app)) << "\nsee: parley --help\n";
    return kWrongInput;
  }
  const core::Faults unknown = unknown_options(*command, arguments);
  if (unknown.empty()) {
    terminal.err << "parley " << name << ": " << problem.what() << '\n';
  } else {
    report_faults(terminal, unknown);
  }
  terminal.err << "see: parley " << name << " --help\n";
  return kWrongInput;
}

/// Broken invariants and failing environments end here, and nowhere else.
int perform(const Action& action, Terminal& terminal) {
  try {
    const int code = action(terminal);
    terminal.out.flush();
    if (terminal.out) return code;
    terminal.err << "parley: standard output cannot be written\n";
  } catch (const core::InvariantViolation& violation) {
    terminal.err << "parley: this is a fault of parley itself: " << violation.what()
                 << "\nA journal (--journal FILE) of this run reproduces it: parley replay FILE\n";
  } catch (const EnvironmentFailure& failure) {
    terminal.err << failure.what() << '\n';
  } catch (const std::bad_alloc&) {
    terminal.err << "parley: out of memory\n";
  }
  return kFailedExecution;
}

}  // namespace

int run_cli(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
            bool shows_progress) {
  Terminal terminal{out, err, shows_progress};
  CLI::App app(
      "parley: how should a program's data move between the memories of a multi-GPU "
      "machine?\nSimulates workloads (tasks and the arrays that they read and write) on "
      "modelled machines,\nor runs them for real, under exchangeable policies, and shows what moved "
      "where and why.",
      "parley");
  app.set_version_flag("--version", "parley " + std::string(kParleyVersion));
  app.require_subcommand(1);
  app.footer(kParleyHelp);
  Action action;
  add_commands(app, action);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    out << app.help();
    return kOk;
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << '\n';
    return kOk;
  } catch (const CLI::ParseError& problem) {
    return report_wrong_usage(app, arguments, problem, terminal);
  }
  return perform(action, terminal);
}

}  // namespace parley::cli
