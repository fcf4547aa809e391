// parley generate: the workload of a generator as a file.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/output_file.h"
#include "workloads/generator.h"
#include "workloads/workload.h"

namespace parley::cli {
namespace {

constexpr const char* kGenerateHelp = R"(Examples:
  parley generate cholesky:tiles=32,tile=2048 -o cholesky.json
  parley generate jacobi                                       to standard output
All generators and their parameters: parley list generators.)";

struct GenerateArguments {
  std::string spec;
  std::string output = "-";
};

int run_generate(const GenerateArguments& arguments, Terminal& terminal) {
  const core::Result<core::Program> program = workloads::GeneratorRegistry().make(arguments.spec);
  if (!program) return report_faults(terminal, program.faults());
  core::Result<std::unique_ptr<OutputFile>> file = OutputFile::create(arguments.output, terminal);
  if (!file) return report_faults(terminal, file.faults());
  (*file)->stream() << workloads::format_workload(*program);
  (*file)->commit();
  return kOk;
}

}  // namespace

void add_generate_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<GenerateArguments>();
  CLI::App& command = *app.add_subcommand("generate", "write a generated workload as a file");
  command.add_option("SPEC", arguments->spec, "generator:parameter=value,...")
      ->required()
      ->type_name("");
  command.add_option("-o,--output", arguments->output, "the file to write [standard output]")
      ->type_name("FILE");
  command.footer(kGenerateHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_generate(*arguments, terminal); };
  });
}

}  // namespace parley::cli
