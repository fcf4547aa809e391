// What the names in a plan mean for one program and machine. Faults are collected: the first of
// each name, the first few of all, and how many more there are.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::cli {

class PlanNames {
 public:
  PlanNames(const core::Program& program, const core::Machine& machine, std::string file)
      : program_(program), machine_(machine), file_(std::move(file)) {}

  // Each none, or empty, after a fault. `where`: the place within the file.
  core::TaskId task(const std::string& name, const std::string& where);
  core::ArrayId array(const std::string& name, const std::string& where);
  /// "gpu:0", or "gpu:0+gpu:1" of a group.
  std::vector<core::DeviceId> devices(const std::string& names, const std::string& where);
  core::SpaceId space(const std::string& name, const std::string& where);
  /// A region that some task accesses, as region_text() writes it.
  core::RegionId region(const std::string& text, const std::string& where);

  void refuse(const std::string& where, const std::string& what);
  /// The file says that its run was of a workload of that name: told when others do not fit.
  void note_origin(const std::string& workload) { origin_ = workload; }
  [[nodiscard]] const std::string& origin() const { return origin_; }
  [[nodiscard]] core::Faults faults() const;
  [[nodiscard]] bool has_faults() const { return !faults_.empty(); }
  [[nodiscard]] const core::Program& program() const { return program_; }
  [[nodiscard]] const core::Machine& machine() const { return machine_; }

 private:
  /// Once for each name. `known`: gives the names that there are, which only the first faults need.
  void refuse_name(const std::string& where, const std::string& kind, const std::string& name,
                   const std::function<std::vector<std::string>()>& known);

  const core::Program& program_;
  const core::Machine& machine_;
  std::string file_;
  std::unordered_map<std::string, core::RegionId> regions_;  // by text; filled when first asked
  std::set<std::string> refused_;                            // kinds and names
  std::string origin_;
  core::Faults faults_;
  std::size_t more_ = 0;  // faults beyond those kept
};

}  // namespace parley::cli
