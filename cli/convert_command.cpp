// parley convert: a workload or machine file in its normal form. Formats of other systems are
// refused by name.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/output_file.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::cli {
namespace {

constexpr const char* kConvertHelp = R"(Examples:
  parley convert program.json normal.json     shorthands expanded, equal regions spelled alike
  parley convert machine.json full.json       templates and link types expanded
  parley convert h200x4 h200x4.json           a shipped machine as a file
  parley convert dgx-h200:gpus=8,nodes=2 m.json   a template
This build converts between parley's own JSON formats only.)";

struct ConvertArguments {
  std::string input, output;
};

/// Reads up to the key "format", without building a tree of a large file.
class FormatFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::string format;

  bool null() override { return skip(); }
  bool boolean(bool) override { return skip(); }
  bool number_integer(number_integer_t) override { return skip(); }
  bool number_unsigned(number_unsigned_t) override { return skip(); }
  bool number_float(number_float_t, const string_t&) override { return skip(); }
  bool string(string_t& text) override {
    if (depth_ == 1 && is_format_) format = text;
    return skip() && format.empty();
  }
  bool binary(binary_t&) override { return skip(); }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    is_format_ = depth_ == 1 && name == "format";
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool skip() {
    is_format_ = false;
    return true;
  }
  bool enter() {
    ++depth_;
    return skip();
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  bool is_format_ = false;
};

std::string format_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  FormatFinder finder;
  nlohmann::json::sax_parse(file, &finder);
  return finder.format;
}

/// A fault for a name whose ending is not .json.
std::optional<core::Fault> other_format(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".json" || path == "-") return std::nullopt;
  return core::Fault{path, "format \"" + ending +
                               "\": this build converts between parley's own JSON formats only "
                               "(names end in .json; parley list formats)"};
}

core::Result<std::string> normal_form(const std::string& input) {
  const std::vector<std::string> shipped = workloads::shipped_machines();
  std::error_code error;
  const bool is_file = std::filesystem::exists(input, error);
  const bool is_shipped = std::find(shipped.begin(), shipped.end(), input) != shipped.end();
  const std::string name = input.substr(0, input.find(':'));
  const std::vector<std::string> templates = workloads::machine_templates();
  const bool is_template = std::find(templates.begin(), templates.end(), name) != templates.end();
  if (is_file ? format_of(input) == "parley-machine" : is_shipped || is_template) {
    core::Result<core::Machine> machine = workloads::load_machine(input);
    if (!machine) return machine.faults();
    return workloads::format_machine(machine->spec());
  }
  core::Result<core::Program> program = workloads::load_workload(input);
  if (!program) return program.faults();
  return workloads::format_workload(*program);
}

int run_convert(const ConvertArguments& arguments, Terminal& terminal) {
  std::error_code error;
  if (std::filesystem::exists(arguments.input, error)) {
    if (const auto fault = other_format(arguments.input)) {
      return report_faults(terminal, {*fault});
    }
  }
  if (const auto fault = other_format(arguments.output)) return report_faults(terminal, {*fault});
  const core::Result<std::string> text = normal_form(arguments.input);
  if (!text) return report_faults(terminal, text.faults());
  core::Result<std::unique_ptr<OutputFile>> file = OutputFile::create(arguments.output, terminal);
  if (!file) return report_faults(terminal, file.faults());
  (*file)->stream() << *text;
  (*file)->commit();
  return kOk;
}

}  // namespace

void add_convert_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App& command =
      *app.add_subcommand("convert", "rewrite a workload or machine in normal form");
  command.add_option("IN", arguments->input, "a workload or machine: file, generator or name")
      ->required()
      ->type_name("");
  command.add_option("OUT", arguments->output, "the .json file to write, or -")
      ->required()
      ->type_name("");
  command.footer(kConvertHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_convert(*arguments, terminal); };
  });
}

}  // namespace parley::cli
