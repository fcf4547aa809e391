// Reads journals line by line: what a run was, and what happened in each of its steps.
#pragma once

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/event.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// The first three lines.
struct JournalStart {
  core::Program program;
  core::Machine machine;
  core::EngineOptions options;
};

struct JournalStep {
  core::Time now;
  std::vector<core::Event> events;
  std::vector<std::string> commands;  // in the form of command_text()
  /// Why the recorded run ended here, in the middle of this step; there are no commands then.
  std::optional<std::string> stopped;
};

class JournalReader {
 public:
  /// Fails when the file cannot be opened.
  static core::Result<std::unique_ptr<JournalReader>> open(const std::string& path);

  /// Faults: no journal, another version, contents that do not match their digests.
  core::Result<JournalStart> read_start();
  /// The next step, or nothing at the end. Faults name the line.
  core::Result<std::optional<JournalStep>> next();
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  struct Header {
    core::EngineOptions options;
    std::string workload_digest, machine_digest;
    std::string plan;  // its text; "" for none
  };

  JournalReader() = default;
  core::Result<Header> read_header();
  core::Result<core::Program> read_program();
  core::Result<core::Machine> read_machine();
  bool read_line(std::string& text);
  [[nodiscard]] core::Fault fault(const std::string& what) const;

  std::string path_;
  std::ifstream file_;
  std::size_t line_ = 0;
};

}  // namespace parley::cli
