// Where a task may run and what that costs: alternatives, each a device, any device of a class, or a
// group of devices. Machine-independent: devices are named; resolve() of core/machine finds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/dtype.h"
#include "core/graph/kernel.h"

namespace parley::core {

/// Cost of a task on devices of class or name `on` ("" = every device): either a stated duration or
/// work for the roofline (flops and bytes against the device's rates).
struct CostEntry {
  std::string on;
  std::optional<Duration> stated;
  double flops = 0.0;
  double bytes = 0.0;
  bool operator==(const CostEntry&) const = default;
};

/// The most specific entry counts: device name, then class, then "".
using Cost = std::vector<CostEntry>;

struct ScratchArray {
  std::string name;  // without the leading '$'
  std::vector<std::int64_t> shape;
  DType dtype = DType::kFloat64;
  bool operator==(const ScratchArray&) const = default;
};

/// One way to run a task.
struct Alternative {
  /// Device names ("gpu:1") or classes ("gpu", "cpu"); "any" is every device. Of one member: the
  /// task runs on one device. Of several: a group of distinct devices, access member i on the i-th.
  std::vector<std::string> members;
  bool is_group = false;
  std::int32_t milli_vcus = 1000;  // thousandths of a slot on each member
  Bytes scratch_bytes;             // anonymous scratch besides the arrays, on each member
  std::vector<ScratchArray> scratch;
  std::optional<Kernel> kernel;        // else the task's
  std::optional<Cost> cost;            // else the task's
  std::optional<Cost> expected_cost;   // else the task's
  bool operator==(const Alternative&) const = default;
};

using Placement = std::vector<Alternative>;

}  // namespace parley::core
