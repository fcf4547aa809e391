// parley list: what this build knows, with every parameter, range and default.
#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/report/quantities.h"
#include "cli/report/text_table.h"
#include "core/graph/kernel.h"
#include "core/policy/registry.h"
#include "workloads/generator.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

const std::vector<std::string> kSubjects = {"policies", "kernels", "generators", "machines",
                                            "formats"};

constexpr const char* kListHelp = R"(Examples:
  parley list policies      which there are, what they do, their parameters
  parley list generators    workloads that need no file)";

std::string number_text(double value) {
  if (std::isnan(value)) return "none";
  return text_of_number(value);
}

void list_policies(Terminal& terminal) {
  const core::PolicyRegistry registry;
  std::string_view kind;
  for (const core::PolicyEntry& entry : registry.entries()) {
    if (name_of(entry.kind) != kind) {
      terminal.out << (kind.empty() ? "" : "\n") << "--" << name_of(entry.kind) << '\n';
      kind = name_of(entry.kind);
    }
    const bool is_default = core::PolicyRegistry::default_name(entry.kind) == entry.name;
    terminal.out << "  " << entry.name << (is_default ? " (default): " : ": ")
                 << entry.info.sentence;
    if (!entry.info.source.empty()) terminal.out << " [" << entry.info.source << ']';
    terminal.out << '\n';
    for (const core::PolicyParameter& parameter : entry.info.parameters) {
      terminal.out << "      " << parameter.name << '=' << number_text(parameter.default_value)
                   << (parameter.unit.empty() ? "" : " " + parameter.unit) << " ("
                   << number_text(parameter.lowest) << " to " << number_text(parameter.highest)
                   << "): " << parameter.meaning << '\n';
    }
  }
  terminal.out << "\nParameters follow the name: --mapper NAME:PARAMETER=VALUE,PARAMETER=VALUE\n";
}

std::string_view mode_text(core::ArgumentMode mode) {
  switch (mode) {
    case core::ArgumentMode::kRead:
      return "in";
    case core::ArgumentMode::kWrite:
      return "out";
    case core::ArgumentMode::kAny:
      return "any";
    case core::ArgumentMode::kReadWrite:
      return "inout";
  }
  return "";
}

std::string call_text(const core::KernelSignature& kernel) {
  std::string text = kernel.name + "(";
  const std::size_t required = kernel.arguments.size() - kernel.optional_arguments;
  for (std::size_t i = 0; i < kernel.arguments.size(); ++i) {
    if (i > 0) text += ", ";
    const std::string mode(mode_text(kernel.arguments[i]));
    text += i < required ? mode : "[" + mode + "]";
  }
  if (kernel.last_argument_repeats) text += ", ...";
  return text + ")";
}

void list_kernels(Terminal& terminal) {
  for (const core::KernelSignature& kernel : core::kernel_signatures()) {
    terminal.out << call_text(kernel) << ": " << kernel.meaning << '\n';
    for (const core::KernelParameter& parameter : kernel.parameters) {
      terminal.out << "    " << parameter.name
                   << (parameter.is_required ? " (required)"
                                             : "=" + number_text(parameter.default_value))
                   << ": " << parameter.meaning << '\n';
    }
    if (!kernel.size_meaning.empty()) {
      terminal.out << "    size in a machine's kernel table: " << kernel.size_meaning << '\n';
    }
  }
}

void list_generators(Terminal& terminal) {
  const workloads::GeneratorRegistry registry;
  for (const workloads::Generator& generator : registry.generators()) {
    terminal.out << generator.name << ": " << generator.sentence << '\n';
    for (const workloads::GeneratorParameter& parameter : generator.parameters) {
      terminal.out << "    " << parameter.name << '=';
      if (parameter.choices.empty()) {
        terminal.out << parameter.default_value << " (" << parameter.lowest << " to "
                     << parameter.highest << ')';
      } else {
        terminal.out << parameter.choices[static_cast<std::size_t>(parameter.default_value)]
                     << " (";
        for (std::size_t i = 0; i < parameter.choices.size(); ++i) {
          terminal.out << (i == 0 ? "" : ", ") << parameter.choices[i];
        }
        terminal.out << ')';
      }
      terminal.out << ": " << parameter.meaning << '\n';
    }
  }
  terminal.out << "\nUse as a WORKLOAD: NAME or NAME:PARAMETER=VALUE,PARAMETER=VALUE\n";
}

int list_machines(Terminal& terminal) {
  TextTable table;
  table.add_column("name");
  table.add_column("devices", Align::kRight);
  table.add_column("device memory", Align::kRight);
  table.add_column("source of its figures");
  for (const std::string& name : workloads::shipped_machines()) {
    const core::Result<core::Machine> machine = workloads::load_machine(name);
    if (!machine) return report_faults(terminal, machine.faults());
    core::Bytes memory;
    for (const core::MemorySpace& space : machine->spec().spaces) {
      if (!space.is_host) memory += space.capacity;
    }
    table.add_row(
        {name, text_of_count(machine->device_count()), text_of(memory), machine->spec().source});
  }
  table.print(terminal.out);
  terminal.out << "\nTemplates, of any number of GPUs a node and of nodes:";
  for (const std::string& name : workloads::machine_templates()) {
    terminal.out << ' ' << name << ":gpus=8,nodes=4";
  }
  terminal.out << "\nAs a file: parley convert NAME machine.json; as a picture: "
                  "parley plot machine NAME -o machine.png\n";
  return kOk;
}

void list_formats(Terminal& terminal) {
  TextTable table;
  table.add_column("format");
  table.add_column("version", Align::kRight);
  table.add_column("what");
  table.add_row({"parley-workload", "1", "read and written: arrays and tasks (JSON)"});
  table.add_row({"parley-machine", "1", "read and written: spaces, devices, links (JSON)"});
  table.add_row({"parley-summary", "1", "written by sim: figures of one run (JSON)"});
  table.add_row(
      {"parley-journal", "1", "written by sim, read by replay: events and commands (JSON lines)"});
  table.add_row({"parley-comparison", "1", "written by compare: a row per run (JSON, CSV)"});
  table.add_row(
      {"Chrome Trace Event", "-", "written by sim: opens in https://ui.perfetto.dev (JSON)"});
  table.print(terminal.out);
  terminal.out << "\nSchemas are in workloads/schema/.\n";
}

int run_list(const std::string& subject, Terminal& terminal) {
  if (subject == "policies") {
    list_policies(terminal);
  } else if (subject == "kernels") {
    list_kernels(terminal);
  } else if (subject == "generators") {
    list_generators(terminal);
  } else if (subject == "machines") {
    return list_machines(terminal);
  } else if (subject == "formats") {
    list_formats(terminal);
  } else {
    terminal.err << "parley list: unknown subject \"" << subject
                 << "\"; allowed: policies, kernels, generators, machines, formats"
                 << core::did_you_mean(subject, kSubjects) << '\n';
    return kWrongInput;
  }
  return kOk;
}

}  // namespace

void add_list_command(CLI::App& app, Action& action) {
  auto subject = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand("list", "list what this build knows");
  command.add_option("SUBJECT", *subject, "policies, kernels, generators, machines or formats")
      ->required()
      ->type_name("");
  command.footer(kListHelp);
  command.callback([subject, &action] {
    action = [subject](Terminal& terminal) { return run_list(*subject, terminal); };
  });
}

}  // namespace parley::cli
