// A program as the model of Parla sees it: tasks in an order that their dependencies allow, each on
// one device (or a group), and regions by the pieces that all regions in use divide the arrays
// into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/graph/piece_map.h"
#include "core/graph/program.h"
#include "core/graph/task_graph.h"
#include "workloads/check/parla_protocol.h"

namespace parley::workloads {

class ParlaWorkload {
 public:
  using Device = ParlaArray::Device;

  /// `mapping`: names of the devices of the tasks' members 0, "" where the first alternative's
  /// first device counts. The program must outlive the object.
  ParlaWorkload(const core::Program& program, const std::vector<std::string>& mapping);

  [[nodiscard]] const core::Program& program() const { return program_; }
  [[nodiscard]] const core::TaskGraph& graph() const { return graph_; }
  [[nodiscard]] std::size_t device_count() const { return gpus_ + 1; }
  [[nodiscard]] Device cpu() const { return gpus_; }
  /// Where the task has its operands of that member.
  [[nodiscard]] Device device(core::TaskId task, std::uint8_t member) const;
  /// The device of that name, or in whose memory space of that name things are ("gpu1", "host").
  [[nodiscard]] Device device_named(const std::string& name) const;
  [[nodiscard]] std::string name_of(Device device) const;

  [[nodiscard]] ParlaOperand operand(const core::Access& access) const;
  [[nodiscard]] std::size_t piece_count(core::ArrayId array) const;
  /// Some elements of a piece.
  [[nodiscard]] const core::Box& part(core::ArrayId array, std::uint32_t piece) const;
  /// One of the other slices that share elements with slice `region`, among those that have a first
  /// user; or none.
  [[nodiscard]] core::RegionId overlapping(
      core::RegionId region, const core::IdVector<core::RegionId, core::TaskId>& first_user) const;
  /// Whether the task changes the contents of what it may write: kernels of "none" do not.
  [[nodiscard]] bool writes_contents(core::TaskId task) const;

 private:
  void place(const std::vector<std::string>& mapping);
  void divide();

  const core::Program& program_;
  core::TaskGraph graph_;
  std::size_t gpus_ = 1;
  core::IdVector<core::PlacementId, std::vector<Device>> members_;  // of the first alternative
  std::vector<Device> mapped_;  // by task; kUnmapped or, without a mapping, empty
  core::PieceMap map_;
  core::IdVector<core::RegionId, std::vector<std::uint32_t>> pieces_;  // local, ascending
};

}  // namespace parley::workloads
