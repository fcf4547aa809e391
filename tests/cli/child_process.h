// The program parley as a process of its own, whose output is read while it runs: for what signals
// do to it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace parley::cli {

class ChildProcess {
 public:
  /// Starts `parley WORDS...`; its standard output is a pipe to here, its standard error a file.
  /// `environment`: variables ("NAME=VALUE") that it has besides this process's, or in their place.
  ChildProcess(const std::vector<std::string>& words, const std::string& error_file,
               const std::vector<std::string>& environment = {});
  ~ChildProcess();  // kills it if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Reads until the output has `part`; false when it ends without.
  bool read_until(const std::string& part);
  /// Reads to the end; all that was ever read.
  const std::string& read_all();
  void signal(int number) const;
  /// Sends the signal again and again until the process has ended.
  void signal_until_it_ends(int number);
  /// Waits for its end. The exit code, or 128 plus the signal that ended it.
  int wait();

 private:
  bool read_some();
  void note_end(int status);

  pid_t process_ = -1;
  int pipe_ = -1;
  int ended_ = -1;  // exit code once it has ended
  std::string output_;
};

}  // namespace parley::cli
