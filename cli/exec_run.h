// What `parley exec` does once it knows what is asked: load, run on a backend (several times if
// asked), verify, predict, report, write files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/exec_machine.h"
#include "cli/run_files.h"
#include "cli/run_options.h"
#include "cli/terminal.h"
#include "core/base/result.h"
#include "exec/backend.h"

namespace parley::cli {

struct ExecArguments {
  RunOptions run;
  OutputOptions output;
  std::string backend;  // "host", "cuda"
  std::optional<std::uint32_t> devices;
  std::optional<std::uint32_t> devices_per_gpu;
  std::optional<std::uint32_t> streams;
  bool uses_graph = false;
  bool leaves_threads = false;  // not bound to processors
  std::uint32_t repeat = 1;
  bool verifies = false;
  bool predicts = false;
  bool as_calibrated = false;  // predicts for a host as fast as the machine says
  bool is_untimed = false;
};

/// Made when all input is known to be right: starting a GPU takes a while.
using MakeBackend = std::function<core::Result<std::unique_ptr<exec::Backend>>()>;

/// Returns the exit code. Whatever happens during the run, what was finished is reported, and files
/// are whole.
int run_exec(const ExecArguments& arguments, const Computer& computer,
             const MakeBackend& make_backend, Terminal& terminal);

}  // namespace parley::cli
