// Runs parley in-process and keeps what it said; a folder of files that lasts as long as a test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace parley::cli {

struct Said {
  int code = 0;
  std::string out, err;
};

/// `parley WORDS...`.
Said parley(const std::vector<std::string>& words);

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  /// The path of a file in the folder; `text` is written to it.
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  [[nodiscard]] std::vector<std::string> names() const;  // of its files, sorted

 private:
  std::filesystem::path folder_;
};

std::string contents(const std::string& path);

/// Whether `text` has `part`; for readable failures of checks.
bool has(const std::string& text, const std::string& part);

/// A chain of three tasks over one array of 5 doubles on gpu:0, with `show` and explicit
/// dependencies: the second lesson's program.
std::string lesson_workload();

/// Four independent pairs of tasks (a writer, a reader elsewhere) over arrays of 1 MB.
std::string pairs_workload();

}  // namespace parley::cli
