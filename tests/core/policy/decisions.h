// What an engine decides about a small program under given policies, as text: the whole program is
// submitted at time 0, nothing ever finishes, and all commands of that one step are looked at.
#pragma once

#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::core {

/// A host and `gpus` GPUs of `bytes` each. Every two spaces are linked, 1 byte/ns and no latency,
/// but for `rates`: {from, to, bytes/ns}, 0 for no link.
struct LinkRate {
  std::string from, to;
  double bytes_per_ns = 1.0;
};
Machine linked_gpus(std::size_t gpus, const std::vector<LinkRate>& rates = {},
                    Bytes bytes = Bytes(1 << 30));

/// A program of whole arrays and slices of rank 1, tasks of stated durations.
class SmallProgram {
 public:
  void array(const std::string& name, std::int64_t bytes, const std::string& home = "host");
  struct Use {
    AccessMode mode;
    std::string array;
    std::int64_t start = 0, stop = -1;  // elements; all by default
    std::uint8_t member = 0;
  };
  struct Options {
    std::int32_t priority = 0;
    bool is_lazy = false;
    Cost cost;  // instead of `ns`
    bool is_group = false;
  };
  /// `on`: alternatives; with is_group, the members of the only one.
  void task(const std::string& name, const std::vector<Use>& uses,
            const std::vector<std::string>& on, std::int64_t ns, const Options& options);
  void task(const std::string& name, const std::vector<Use>& uses,
            const std::vector<std::string>& on, std::int64_t ns = 100) {
    task(name, uses, on, ns, Options());
  }

  /// "T@gpu:0" for each task, in order of submission, separated by spaces.
  std::string places(const Machine& machine, const EngineOptions& options);
  /// The same in the order in which they are launched.
  std::string launches(const Machine& machine, const EngineOptions& options);
  /// "A:host>gpu0" for each copy, in order; '*' behind a prefetch.
  std::string copies(const Machine& machine, const EngineOptions& options);

  [[nodiscard]] Program& program() { return program_; }

 private:
  Program program_{"small"};
};

}  // namespace parley::core
