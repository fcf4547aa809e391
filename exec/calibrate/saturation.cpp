#include "exec/calibrate/saturation.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace parley::exec {
namespace {

constexpr std::size_t kFewBeside = 6;

struct PairMember {
  const KernelProbe* probe = nullptr;
  double alone = 0.0, share = 0.0;  // seconds; part of the device
};

/// Nothing for one that leaves room for all streams: it disturbs nobody.
std::optional<PairMember> measured_alone(const Laboratory& laboratory, core::DeviceId device,
                                         std::size_t streams, const KernelProbe& probe) {
  PairMember member{&probe};
  member.alone = laboratory.kernels_together(probe, device, 1);
  if (member.alone <= 0.0) return std::nullopt;
  member.share = std::min(1.0, laboratory.kernels_together(probe, device, streams) / member.alone);
  if (member.share < 1.1 / static_cast<double>(streams)) return std::nullopt;
  return member;
}

std::optional<double> of_pair(const Laboratory& laboratory, core::DeviceId device,
                              const PairMember& panel, const PairMember& other) {
  constexpr double kAlmostAll = 0.99;
  const double most = static_cast<double>(kMostBeside);
  const double as_long = std::ceil(static_cast<double>(kFewBeside) * panel.alone / other.alone);
  const Laboratory::Periods periods =
      laboratory.kernels_beside(*panel.probe, kFewBeside, *other.probe,
                                static_cast<std::size_t>(std::clamp(as_long, 2.0, most)), device);
  if (periods.first <= 0.0 || periods.second <= 0.0) return std::nullopt;
  const double used =
      panel.share * panel.alone / periods.first + other.share * other.alone / periods.second;
  return -std::log1p(-std::min(used, kAlmostAll)) / (panel.share + other.share);
}

}  // namespace

std::optional<double> measured_saturation(const Laboratory& laboratory, core::DeviceId device,
                                          std::size_t streams,
                                          const std::map<std::string, KernelProbe>& kernels) {
  std::map<std::string, PairMember> members;
  for (const auto& [name, probe] : kernels) {
    if (const auto member = measured_alone(laboratory, device, streams, probe)) {
      members[name] = *member;
    }
  }
  std::vector<double> found;
  for (const auto& [panel, other] :
       {std::pair("trsm", "gemm"), std::pair("potrf", "gemm"), std::pair("potrf", "trsm")}) {
    if (!members.contains(panel) || !members.contains(other)) continue;
    const auto saturation = of_pair(laboratory, device, members.at(panel), members.at(other));
    if (saturation) found.push_back(*saturation);
  }
  if (found.empty()) return std::nullopt;
  return median(found);
}

}  // namespace parley::exec
