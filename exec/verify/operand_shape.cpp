#include "exec/verify/operand_shape.h"

namespace parley::exec {

std::vector<std::vector<std::int64_t>> argument_shapes(const core::Program& program,
                                                       core::TaskId task, std::uint16_t alternative,
                                                       const core::KernelCall& call) {
  const core::Placement& placement = program.placement(program.task(task).placement);
  std::vector<std::vector<std::int64_t>> shapes;
  for (const core::KernelArgument& argument : call.arguments) {
    if (argument.is_scratch) {
      shapes.push_back(placement[alternative].scratch[argument.index].shape);
      continue;
    }
    const core::Box& box = program.region(program.accesses(task)[argument.index].region).box;
    std::vector<std::int64_t>& shape = shapes.emplace_back();
    for (std::size_t d = 0; d < box.rank(); ++d) {
      const bool is_dropped = (argument.view.dropped >> d & 1U) != 0;
      if (!is_dropped) shape.push_back(box[d].count);
    }
  }
  return shapes;
}

}  // namespace parley::exec
