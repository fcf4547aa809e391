// A workload of workloads/cases and what its "meta" expects of a run: states per memory space after
// named tasks, copies per route, placements. Failures are doctest failures that name the case.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/coherence/overview.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::test {

/// Files of a folder below the source tree's workloads/, sorted.
std::vector<std::filesystem::path> workload_files(const std::string& folder);

/// The program of a file; the test ends with its faults when there are any.
core::Program load_or_fail(const std::filesystem::path& file);
core::Machine machine_or_fail(const std::string& name, const std::vector<std::string>& limits = {});

/// What a run showed, whichever driver made it.
struct Observation {
  std::span<const core::Overview> overviews;
  std::span<const core::CopyRecord> copies;
  std::span<const core::TaskRecord> tasks;
};

class CaseFile {
 public:
  explicit CaseFile(const std::filesystem::path& file);

  [[nodiscard]] core::Program& program() { return program_; }
  [[nodiscard]] const core::Machine& machine() const { return machine_; }
  /// Rows of the table of cases that the file stands for.
  [[nodiscard]] std::vector<std::string> rows() const;
  /// Mappers under which the expectations hold; without any named, the default one.
  [[nodiscard]] std::vector<std::string> mappers() const;
  /// The alternative that the case expects the task to take; 0 where it does not say.
  [[nodiscard]] std::uint16_t alternative_of(core::TaskId task) const;
  [[nodiscard]] bool expects(const std::string& key) const { return expected().contains(key); }

  /// Everything expected but times.
  void check(const Observation& seen);
  void check_states(const Observation& seen);
  void check_copies(const Observation& seen) const;
  void check_placements(const Observation& seen) const;
  /// "most_at_once": the greatest number of tasks that a device may have, or with `reaches_most`
  /// must have had, at a time. Times must be real or virtual ones.
  void check_concurrency(const Observation& seen, bool reaches_most) const;
  /// "tasks", "after": the program itself.
  void check_program() const;

 private:
  [[nodiscard]] const nlohmann::json& expected() const { return meta_.at("expected"); }
  /// Entries of the expectation `key`, which names tasks or devices; none when it is left out.
  template <class T>
  [[nodiscard]] std::map<std::string, T> table(const char* key) const;
  void check_state(const nlohmann::json& state, const Observation& seen);
  [[nodiscard]] std::vector<std::string> devices_of(const core::TaskRecord& task) const;
  [[nodiscard]] const core::TaskRecord& record_of(const std::string& task,
                                                  const Observation& seen) const;

  nlohmann::json meta_;
  core::Program program_;
  core::Machine machine_;
};

}  // namespace parley::test
