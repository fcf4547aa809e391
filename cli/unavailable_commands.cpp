// Commands of the interface that this build does not have: refused clearly, never ignored.
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"

namespace parley::cli {
namespace {

void add_unavailable(CLI::App& app, Action& action, const std::string& name,
                     const std::string& sentence, const std::string& instead) {
  CLI::App& command = *app.add_subcommand(name, sentence + " (not in this build)");
  command.allow_extras();  // whatever its options will be
  command.footer("This build has no calibration yet. " + instead);
  command.callback([name, instead, &action] {
    action = [name, instead](Terminal& terminal) {
      terminal.err << "parley " << name << ": this build has no calibration yet. " << instead
                   << '\n';
      return static_cast<int>(kWrongInput);
    };
  });
}

}  // namespace

void add_unavailable_commands(CLI::App& app, Action& action) {
  add_unavailable(app, action, "calibrate", "measure a machine",
                  "Use a shipped machine (parley list machines), or write a machine file.");
}

}  // namespace parley::cli
