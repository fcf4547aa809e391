// Builds the program of a generator: arrays, regions, tasks. A generator's own parameters are in
// range, so what can still fail (sizes that overflow together) is kept here until finish(): after
// the first fault every call does nothing.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"

namespace parley::workloads {

/// Accesses of a task, for a TaskSpec's list.
core::Access in(core::RegionView view);
core::Access out(core::RegionView view);
core::Access inout(core::RegionView view);
core::Access access(core::RegionView view, core::AccessMode mode);

/// A call on the task's operands `operands`, given by their place in its list of accesses, each seen
/// as its whole region: where an access has a view of its own (a reversed slice), say so in
/// `arguments[i].view`, or give no operands, and all are seen as accessed.
core::KernelCall kernel_call(std::string name, std::initializer_list<std::size_t> operands,
                             std::vector<std::pair<std::string, double>> parameters = {});

/// The same cost on every device: stated, or work for the roofline where the machine's kernel table
/// does not know the kernel.
core::Cost stated_cost(core::Duration duration);
core::Cost work_cost(double flops, double bytes);

/// One alternative: a device or a class; the GPU of that number.
core::Placement on(std::string device_or_class);
core::Placement on_gpu(std::int64_t number);

/// Contents: uniform values drawn with `seed`, `diagonal` added where all indices are equal; or the
/// same value everywhere.
core::Initial random_contents(std::uint64_t seed, double diagonal = 0.0);
core::Initial zero_contents(core::DType dtype);

/// "name[i,j]".
std::string indexed_name(const std::string& name, std::initializer_list<std::int64_t> index);

/// Tasks that are alike but for their indices and operands: potrf[0], potrf[1], ...
struct TaskFamily {
  std::string name;
  core::Kernel kernel;
  core::Cost cost;
};

class ProgramBuilder {
 public:
  ProgramBuilder(std::string name, std::string description);

  core::RegionView add_array(std::string name, std::vector<std::int64_t> shape, core::DType dtype,
                             core::Initial initial, std::string home = "host");
  /// An array of that many uint8 with random contents.
  core::RegionView add_block(std::string name, std::int64_t bytes, std::string home = "host");
  /// `count` blocks name_0, name_1, ...
  std::vector<core::RegionView> add_blocks(const std::string& name, std::int64_t count,
                                           std::int64_t bytes);
  /// `base[indices]`, numpy's way.
  core::RegionView slice(core::RegionView base, std::initializer_list<core::Index> indices);
  /// Parameters that do not go together; the program is that fault.
  void refuse(core::Fault fault);
  /// What the program factorises.
  void set_factorization(core::Factorization factorization);
  void spawn(core::TaskSpec task);
  /// The member `index` of a family, named "family[i,j]".
  void spawn(const TaskFamily& family, std::initializer_list<std::int64_t> index,
             std::vector<core::Access> accesses, core::Placement placement,
             std::int64_t priority = 0);
  /// The closed program, or the first fault.
  core::Result<core::Program> finish() &&;

 private:
  core::Program program_;
  core::Faults faults_;
  std::uint64_t blocks_ = 0;  // so that each block has a seed of its own
};

/// The half-open slice start:stop.
core::Slice range(std::int64_t start, std::int64_t stop);

}  // namespace parley::workloads
