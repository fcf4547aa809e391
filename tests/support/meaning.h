// What every run of a program must do, element by element: which version of each element an operand
// must show, and which bytes that version has. Found by executing the tasks one after another
// (exec/verify); knows nothing of replicas, pieces or commands.
//
// The version of an element is the task that wrote it last. The program may grow: extend() takes
// in its new tasks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/graph/program.h"
#include "exec/kernel_registry.h"
#include "exec/verify/sequential.h"

namespace parley::test {

using Version = std::uint32_t;
inline constexpr Version kInitialVersion = 0;
inline constexpr Version kNoVersion = 0xffffffffU;  // nothing was ever written
constexpr Version version_of(core::TaskId task) { return static_cast<Version>(task.index()) + 1; }
constexpr core::TaskId writer_of(Version version) { return core::TaskId(version - 1); }

class Meaning {
 public:
  explicit Meaning(const core::Program& program);
  Meaning(const Meaning&) = delete;
  Meaning& operator=(const Meaning&) = delete;

  /// Executes the tasks that were added since the last call, as far as the tasks that they depend
  /// on exist.
  void extend();

  /// Version of each element of what the access reads, in row-major order. Requires: it reads.
  [[nodiscard]] std::span<const Version> versions_read(core::TaskId task,
                                                       std::size_t access) const {
    return tasks_[task.index()].accesses[access].versions;
  }
  /// A hash of the bytes that the access reads.
  [[nodiscard]] std::uint64_t digest_read(core::TaskId task, std::size_t access) const {
    return tasks_[task.index()].accesses[access].digest;
  }
  /// Bytes of an element at a version that exists.
  [[nodiscard]] std::span<const std::byte> bytes_of(core::ArrayId array, std::int64_t element,
                                                    Version version) const;
  /// The last version of an element in sequential order.
  [[nodiscard]] Version last_version(core::ArrayId array, std::int64_t element) const {
    return latest_[array][static_cast<std::size_t>(element)];
  }
  [[nodiscard]] std::span<const std::byte> last_bytes(core::ArrayId array) const {
    return execution_.array(array);
  }
  /// False when some task's alternatives have kernels of their own: then bytes depend on what a run
  /// chooses, and digests hold for the first alternative only.
  [[nodiscard]] bool has_unique_bytes() const { return has_unique_bytes_; }

 private:
  struct AccessMeaning {
    std::vector<Version> versions;  // reads only
    std::uint64_t digest = 0;
    std::vector<std::byte> written;              // compact
    std::vector<std::int64_t> elements_written;  // ascending; parallel to `written`
  };
  struct TaskMeaning {
    bool is_done = false;
    std::vector<AccessMeaning> accesses;
  };

  bool may_run(core::TaskId task) const;
  void run(core::TaskId task);

  const core::Program* program_;
  exec::KernelRegistry registry_;
  exec::SequentialExecution execution_;
  core::IdVector<core::ArrayId, std::vector<Version>> latest_;
  core::IdVector<core::ArrayId, std::vector<std::byte>> initial_;
  std::vector<TaskMeaning> tasks_;
  std::vector<core::TaskId> waiting_;
  bool has_unique_bytes_ = true;
};

/// "the version of T[1]", "the initial contents" or "garbage".
std::string version_text(const core::Program& program, Version version);

/// The hash that digest_read uses.
std::uint64_t digest_of(std::span<const std::byte> bytes);

}  // namespace parley::test
