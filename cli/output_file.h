// A file that appears complete or not at all: text goes to a file beside the target, which takes
// the target's place only when commit() has seen every byte accepted. Devices and pipes
// (/dev/stdout) are written as they are. "-" is the terminal's output.
#pragma once

#include <fstream>
#include <memory>
#include <ostream>
#include <string>

#include "cli/terminal.h"
#include "core/base/result.h"

namespace parley::cli {

class OutputFile {
 public:
  /// Fails with the operating system's reason when the target cannot be written: before a long run,
  /// not after it.
  static core::Result<std::unique_ptr<OutputFile>> create(const std::string& path,
                                                          Terminal& terminal);
  ~OutputFile();  // removes what was not committed
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] std::ostream& stream() { return *stream_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Whether restart() can take back what was written: not from devices, pipes and the terminal.
  [[nodiscard]] bool can_restart() const { return !partial_.empty(); }
  /// From the beginning again. Without can_restart() nothing happens.
  void restart();
  /// Throws EnvironmentFailure when the disk refused something; nothing is left behind then.
  void commit();

 private:
  OutputFile() = default;
  [[noreturn]] void fail(const std::string& action, int error);

  std::string path_;
  std::string target_;   // path_ with links resolved
  std::string partial_;  // the file beside; "" when written directly
  std::ofstream file_;
  std::ostream* stream_ = nullptr;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace parley::cli
