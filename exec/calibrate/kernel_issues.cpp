// What the host takes to issue kernels. One that follows others of its kind finds all that the
// library needs in the caches of the processor; in a program others have been there meanwhile, and
// it takes up to twice as long. So kernels of tiles are measured among each other, and those of
// lines.
#include <algorithm>
#include <cmath>
#include <utility>

#include "exec/calibrate/host_costs.h"
#include "exec/calibrate/kernel_times.h"

namespace parley::exec {

using core::DeviceId;
using core::DType;

void KernelTimes::add_issue_steps(DeviceId device, std::vector<Step>& steps) {
  std::vector<Family> tiles, lines;
  for (Family& family : families(DType::kFloat64)) {
    const bool is_first_kind = tiles.empty() || family.sizes == tiles.front().sizes;
    (is_first_kind ? tiles : lines).push_back(std::move(family));
  }
  const std::string& name = spec_.devices[device].name;
  steps.push_back({"issuing kernels of tiles on " + name, [this, device, tiles = std::move(tiles)] {
                     measure_issues_among(device, tiles);
                   }});
  steps.push_back({"issuing kernels of lines on " + name, [this, device, lines = std::move(lines)] {
                     measure_issues_among(device, lines);
                   }});
}

/// In turn, each on a stream of its own as far as there are enough. Of sizes whose kernels are long
/// beside what it takes to issue them, those measured alone stay.
void KernelTimes::measure_issues_among(DeviceId device, const std::vector<Family>& families) {
  constexpr std::size_t kRepetitions = 6;
  constexpr double kLong = 5e-4;  // seconds
  constexpr DType kType = DType::kFloat64;
  const std::string& device_class = spec_.devices[device].device_class;
  const std::string type(core::name_of(kType));
  const std::int64_t most_bytes = spec_.spaces[spec_.devices[device].space].capacity.count() / 4;
  for (const std::int64_t size : families.front().sizes) {
    std::vector<KernelProbe> probes;
    std::int64_t bytes = 0;
    double longest = 0.0;
    for (const Family& family : families) {
      probes.push_back(family.make(size));
      bytes += array_bytes(probes.back(), kRepetitions + 1);
      longest = std::max(longest, told_seconds(device, kType, family.kernel, size).value_or(kLong));
    }
    if (longest >= kLong || bytes > most_bytes) break;
    const std::vector<double> issues = laboratory_.issues_among(probes, device, kRepetitions);
    for (std::size_t i = 0; i < families.size(); ++i) {
      std::vector<std::pair<std::int64_t, core::Duration>> points =
          issues_[families[i].kernel][device_class][type];
      const auto point = std::ranges::find(points, size, [](const auto& p) { return p.first; });
      if (point == points.end()) continue;
      point->second = issue_beyond_plain(device, issues[i]);
      store_issues(families[i].kernel, device_class, type, std::move(points));
    }
  }
}

/// The machine file tells those that make a difference.
void KernelTimes::store_issues(const std::string& kernel, const std::string& device_class,
                               const std::string& dtype,
                               std::vector<std::pair<std::int64_t, core::Duration>> issues) {
  constexpr core::Duration kNoticeable(500);
  const bool is_noticeable =
      std::ranges::any_of(issues, [&](const auto& point) { return point.second >= kNoticeable; });
  issues_[kernel][device_class][dtype] = issues;
  if (is_noticeable) {
    spec_.issue[kernel][device_class][dtype] = std::move(issues);
    return;
  }
  const auto by_class = spec_.issue.find(kernel);
  if (by_class == spec_.issue.end()) return;
  by_class->second[device_class].erase(dtype);
  if (by_class->second[device_class].empty()) by_class->second.erase(device_class);
  if (by_class->second.empty()) spec_.issue.erase(by_class);
}

/// Of issuing beyond those for a kernel that does nothing, at the speed that the host had when what
/// a launch takes was measured: on a virtual machine it changes by a third within seconds. Not
/// negative.
core::Duration KernelTimes::issue_beyond_plain(DeviceId device, double seconds) const {
  const double now = issue_of_empty_kernel(laboratory_, device);
  const bool is_on_gpu = !spec_.spaces[spec_.devices[device].space].is_host;
  const double then = is_on_gpu ? static_cast<double>(spec_.host.issue_part.count()) * 1e-9 : now;
  const double beyond = now <= 0.0 || then <= 0.0 ? seconds - now : seconds * then / now - then;
  return core::Duration(std::max(0LL, std::llround(beyond * 1e9)));
}

}  // namespace parley::exec
