// Parameters that several generators share, so that they are called the same and mean the same
// everywhere; and what their values stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/graph/dtype.h"
#include "core/graph/kernel.h"
#include "core/graph/placement.h"
#include "core/graph/program.h"
#include "core/machine/process_grid.h"
#include "workloads/generator.h"

namespace parley::workloads {

GeneratorParameter number_parameter(std::string name, std::int64_t lowest, std::int64_t highest,
                                    std::int64_t default_value, std::string meaning,
                                    std::string unit = "");
/// The first choice is the default.
GeneratorParameter word_parameter(std::string name, std::vector<std::string> choices,
                                  std::string meaning);

/// A value in floating point, for sizes and costs that could overflow an integer.
double real_of(const GeneratorValues& values, const std::string& name);

/// dtype: float64 (default), float32, float16 or bfloat16.
GeneratorParameter dtype_parameter();
core::DType dtype_of(const GeneratorValues& values);

/// block: bytes of each block.  task_ns: duration of each task.
GeneratorParameter block_parameter(std::int64_t default_bytes, std::int64_t lowest = 0);
GeneratorParameter duration_parameter(std::int64_t default_ns);
core::Duration duration_of(const GeneratorValues& values);

/// kernel: what the tasks execute: hash_mix of their operands (default), spin for task_ns (0 where
/// there is no such parameter), or none. The last two touch nothing, so that a task costs only
/// what runs it.
GeneratorParameter kernel_parameter();
core::Kernel kernel_of(const GeneratorValues& values);

/// first: how the first task on a block uses it: inout (default) reads what the block holds from the
/// start, which then has to get there; out only writes it.
GeneratorParameter first_use_parameter();
core::AccessMode first_use_of(const GeneratorValues& values);

/// seed: of whatever is drawn at random.
GeneratorParameter seed_parameter();

/// place and gpus: any GPU (default), any device, the CPU, or "fixed": a GPU by the index of what
/// the task writes, modulo gpus.
std::vector<GeneratorParameter> placement_parameters();

/// Where tasks may run, by those parameters.
class PlacementRule {
 public:
  explicit PlacementRule(const GeneratorValues& values);
  /// For the task that writes block (row, tile row, ...) `owner`.
  [[nodiscard]] core::Placement operator()(std::int64_t owner) const;

 private:
  std::vector<core::Placement> by_owner_;  // one entry where the owner does not matter
};

/// home and grid_rows, which go with `gpus`: arrays start in host memory, or dealt out.
std::vector<GeneratorParameter> home_parameters();

/// Where arrays start, by those parameters.
class HomeRule {
 public:
  explicit HomeRule(const GeneratorValues& values);
  /// Nothing, or what is wrong with the parameters together.
  [[nodiscard]] const std::optional<core::Fault>& fault() const { return fault_; }
  [[nodiscard]] bool is_dealt_out() const { return grid_.has_value(); }
  /// Name of the space of tile (i, j): "host", or of the GPU that owns it.
  [[nodiscard]] std::string operator()(std::int64_t i, std::int64_t j) const;
  /// Of block i of a row of blocks: all GPUs in turn.
  [[nodiscard]] std::string operator()(std::int64_t i) const;

 private:
  std::optional<core::ProcessGrid> grid_;
  std::optional<core::Fault> fault_;
};

/// gpus alone, where the pattern itself says what runs where.
GeneratorParameter gpu_count_parameter(std::int64_t lowest = 1);

/// The lists one after the other.
std::vector<GeneratorParameter> joined(std::vector<GeneratorParameter> first,
                                       const std::vector<GeneratorParameter>& second);

}  // namespace parley::workloads
