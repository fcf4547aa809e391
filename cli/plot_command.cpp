// parley plot: hands its words to the Python in analysis/.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/process.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

const std::vector<std::string> kPictures = {"gantt",  "memory",  "traffic",    "compare",
                                            "states", "machine", "sim_vs_real"};

constexpr const char* kPlotHelp = R"(Examples:
  parley sim cholesky:tiles=16 --summary run.json && parley plot gantt run.json -o gantt.png
  parley sim program.json --states --summary run.json && parley plot states run.json -o states.svg
  parley compare cholesky:tiles=16 --json rows.json && parley plot compare rows.json -o bars.png
  parley exec cholesky:tiles=8,tile=64 --backend host --predict --summary r.json &&
    parley plot sim_vs_real r.json -o both.png      several files: makespans in one picture
  parley compare cholesky:tiles=16 --memory 1,0.5,0.2 --policy evict=lru --policy evict=next_use \
    --json rows.json && parley plot memory rows.json -o memory.png
  parley plot machine dgx-1v -o machine.png        a shipped name, a template or a file
  parley plot gantt --help          the options of one picture, which may follow the files

Needs Python 3 with matplotlib (Debian, Ubuntu: apt-get install python3-matplotlib). Another Python:
PARLEY_PYTHON=/path/to/python3 parley plot ...)";

/// The folder of the pictures: beside the sources that this binary was built from, or beside it.
std::optional<std::string> analysis_folder() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path candidates[] = {PARLEY_ANALYSIS_DIR, binary / "analysis",
                                 binary.parent_path() / "analysis",
                                 binary.parent_path() / "share" / "parley" / "analysis"};
  for (const fs::path& folder : candidates) {
    if (fs::exists(folder / "plot.py", error)) return folder.string();
  }
  return std::nullopt;
}

/// The first Python that has matplotlib; nothing, with what was tried in `tried`, if none has. The
/// system's own comes before whatever else PATH offers: its packages are those that apt installs.
std::optional<std::string> find_python(std::string& tried) {
  std::vector<std::string> candidates = {"/usr/bin/python3", "python3"};
  if (const char* chosen = std::getenv("PARLEY_PYTHON")) candidates = {chosen};
  for (const std::string& python : candidates) {
    const ProcessResult probe = run_process({python, "-c", "import matplotlib"});
    if (probe.exit_code == 0) return python;
    const bool runs = run_process({python, "-c", ""}).exit_code == 0;
    tried += "  " + python + (runs ? " has no matplotlib\n" : " cannot be run\n");
  }
  return std::nullopt;
}

/// The long form of a machine in a file, for as long as it is drawn.
class MachineFile {
 public:
  explicit MachineFile(const core::Machine& machine)
      : path_(std::filesystem::temp_directory_path() /
              ("parley-machine-" + std::to_string(getpid()) + ".json")) {
    std::ofstream(path_) << workloads::format_machine(machine.spec());
  }
  ~MachineFile() {
    std::error_code error;
    std::filesystem::remove(path_, error);
  }
  MachineFile(const MachineFile&) = delete;
  MachineFile& operator=(const MachineFile&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// Pictures of machines take whatever --machine takes: its name is replaced by a file. Nothing when
/// no machine is named; the picture's own messages say so.
core::Result<std::unique_ptr<MachineFile>> named_machine(std::vector<std::string>& words) {
  if (words.front() != "machine") return std::unique_ptr<MachineFile>();
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-o" || words[i] == "--output") {
      ++i;
    } else if (!words[i].starts_with("-")) {
      const core::Result<core::Machine> machine = workloads::load_machine(words[i]);
      if (!machine) return machine.faults();
      auto file = std::make_unique<MachineFile>(*machine);
      words[i] = file->path();
      return file;
    }
  }
  return std::unique_ptr<MachineFile>();
}

int run_plot(std::vector<std::string> words, Terminal& terminal) {
  if (words.empty()) {
    terminal.err << "parley plot: which picture? gantt, memory, traffic, compare, states, machine "
                    "or sim_vs_real\n"
                    "see: parley plot --help\n";
    return kWrongInput;
  }
  const std::string kind = words.front();
  if (std::find(kPictures.begin(), kPictures.end(), kind) == kPictures.end()) {
    terminal.err << "parley plot: unknown picture \"" << kind
                 << "\"; allowed: gantt, memory, traffic, compare, states, machine, sim_vs_real"
                 << core::did_you_mean(kind, kPictures) << '\n';
    return kWrongInput;
  }
  const std::optional<std::string> folder = analysis_folder();
  if (!folder) {
    terminal.err << "parley plot: the folder analysis/ is neither at " << PARLEY_ANALYSIS_DIR
                 << " nor beside the binary\n";
    return kFailedExecution;
  }
  std::string tried;
  const std::optional<std::string> python = find_python(tried);
  if (!python) {
    terminal.err
        << "parley plot: needs Python 3 with matplotlib:\n"
        << tried
        << "On Debian or Ubuntu: apt-get install python3-matplotlib. Or name another Python: "
           "PARLEY_PYTHON=/path/to/python3\n";
    return kFailedExecution;
  }
  const auto machine = named_machine(words);
  if (!machine) return report_faults(terminal, machine.faults());
  std::vector<std::string> command = {*python, *folder + "/plot.py"};
  command.insert(command.end(), words.begin(), words.end());
  const ProcessResult result = run_process(command);
  (result.exit_code == 0 ? terminal.out : terminal.err) << result.output;
  if (result.exit_code == 0) return kOk;
  return result.exit_code == kWrongInput ? kWrongInput : kFailedExecution;
}

}  // namespace

void add_plot_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App& command = *app.add_subcommand(
      "plot",
      "draw pictures of runs: gantt|memory|traffic|compare|states|machine|sim_vs_real FILE... -o "
      "FIGURE");
  command.prefix_command();  // all that follows the picture's name is the picture's own
  command.footer(kPlotHelp);
  command.callback([words, &command, &action] {
    *words = command.remaining();
    action = [words](Terminal& terminal) { return run_plot(*words, terminal); };
  });
}

}  // namespace parley::cli
