#include "exec/calibrate/kernel_times.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "exec/calibrate/host_costs.h"
#include "exec/calibrate/saturation.h"

namespace parley::exec {
namespace {

using core::AccessMode;
using core::DeviceId;
using core::DType;
using Operand = KernelProbe::Operand;

constexpr AccessMode kIn = AccessMode::kIn, kOut = AccessMode::kOut, kInout = AccessMode::kInout;

// A size is left out when one kernel of the size before took longer than this, seconds.
constexpr double kLongKernel = 0.05;

KernelProbe probe(std::string kernel, DType dtype, std::vector<Operand> operands,
                  std::vector<std::pair<std::string, double>> parameters = {}) {
  return {std::move(kernel), std::move(parameters), std::move(operands), dtype};
}

Operand tile(std::int64_t edge, AccessMode mode) { return {{edge, edge}, mode, 0.0, false, true}; }
/// A tile that a kernel changes so much that it must not be used again.
Operand fresh_tile(std::int64_t edge, AccessMode mode) {
  return {{edge, edge}, mode, 0.0, true, true};
}
/// A tile that can be factorised and divided by.
Operand dominant(std::int64_t edge, AccessMode mode, bool is_fresh) {
  return {{edge, edge}, mode, static_cast<double>(edge), is_fresh, true};
}
Operand line(std::int64_t length, AccessMode mode) { return {{length}, mode, 0.0, false}; }

KernelProbe tile_probe(const std::string& kernel, DType dtype, std::int64_t n) {
  if (kernel == "gemm") {
    return probe(kernel, dtype, {tile(n, kIn), tile(n, kIn), tile(n, kInout)},
                 {{"alpha", -1.0}, {"transpose_b", 1.0}});
  }
  if (kernel == "syrk") {
    return probe(kernel, dtype, {tile(n, kIn), tile(n, kInout)}, {{"alpha", -1.0}});
  }
  if (kernel == "trsm" || kernel == "trmm") {
    return probe(kernel, dtype, {dominant(n, kIn, false), fresh_tile(n, kInout)});
  }
  if (kernel == "trtri") {
    return probe(kernel, dtype, {dominant(n, kIn, false), tile(n, kOut)});
  }
  return probe(kernel, dtype, {dominant(n, kInout, true)});  // potrf, getrf
}

/// Lengths that a cache holds, and that tasks on different data find elsewhere.
bool is_cached(std::int64_t length) {
  constexpr std::int64_t kLeast = 1 << 20, kMost = 1 << 23;
  return length >= kLeast && length <= kMost;
}

KernelProbe line_probe(const std::string& kernel, DType dtype, std::int64_t n) {
  const auto operand = [n](AccessMode mode) {
    Operand made = line(n, mode);
    made.is_fresh = is_cached(n);
    return made;
  };
  const Operand source = operand(kIn), target = operand(kOut), updated = operand(kInout);
  const Operand result = {{}, kOut, 0.0, false};
  if (kernel == "fill") return probe(kernel, dtype, {target}, {{"value", 1.0}});
  if (kernel == "scale") return probe(kernel, dtype, {updated}, {{"value", 1.0}});
  if (kernel == "add_scalar") return probe(kernel, dtype, {updated}, {{"value", 1.0}});
  if (kernel == "copy") return probe(kernel, dtype, {source, target});
  if (kernel == "axpy") return probe(kernel, dtype, {source, updated}, {{"value", 0.5}});
  if (kernel == "add" || kernel == "multiply") {
    return probe(kernel, dtype, {source, source, target});
  }
  if (kernel == "stencil") {  // over a plane
    const auto edge = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(n))));
    const bool is_fresh = is_cached(n);
    return probe(kernel, dtype,
                 {{{edge + 2, edge + 2}, kIn, 0.0, is_fresh}, {{edge, edge}, kOut, 0.0, is_fresh}});
  }
  return probe(kernel, dtype, {source, result});  // sum, max
}

double in_seconds(core::Duration duration) { return static_cast<double>(duration.count()) * 1e-9; }

}  // namespace

KernelTimes::KernelTimes(const Laboratory& laboratory, core::MachineSpec& spec,
                         const CalibrationOptions& options)
    : laboratory_(laboratory),
      spec_(spec),
      is_quick_(options.is_quick),
      is_sustained_(options.is_sustained),
      streams_(static_cast<std::size_t>(std::max(1, options.streams))) {}

/// Half of the bytes read, half written.
KernelTimes::Family KernelTimes::hash_family(DType dtype) const {
  const std::vector<std::int64_t> sizes =
      is_quick_ ? std::vector<std::int64_t>{1 << 14, 1 << 20, 1 << 26}
                : std::vector<std::int64_t>{1 << 10, 1 << 14, 1 << 18, 1 << 22,
                                            1 << 24, 1 << 25, 1 << 26, 1 << 27};
  return {"hash_mix", sizes, [dtype](std::int64_t bytes) {
            const std::int64_t length = bytes / 2 / core::element_bytes(dtype);
            Operand source = line(length, kIn), target = line(length, kOut);
            source.is_fresh = target.is_fresh = is_cached(bytes / 16);
            return probe("hash_mix", dtype, {source, target});
          }};
}

/// Its size is no size: 1 for all. Long beside what it takes to start it.
KernelTimes::Family KernelTimes::spin_family() const {
  return {"spin", {1}, [](std::int64_t) {
            return probe("spin", DType::kFloat64, {}, {{"ns", 200'000.0}});
          }};
}

std::vector<KernelTimes::Family> KernelTimes::families(DType dtype) const {
  const std::vector<std::int64_t> edges =
      is_quick_ ? std::vector<std::int64_t>{64, 256, 1024, 2048}
                : std::vector<std::int64_t>{32, 64, 128, 256, 512, 1024, 2048, 4096};
  const std::vector<std::int64_t> lengths =
      is_quick_ ? std::vector<std::int64_t>{1 << 12, 1 << 18, 1 << 24}
                : std::vector<std::int64_t>{1 << 6, 1 << 10, 1 << 14, 1 << 18, 1 << 22, 1 << 25};
  std::vector<Family> families;
  for (const char* name : {"gemm", "syrk", "trsm", "trmm", "trtri", "potrf", "getrf"}) {
    const std::string kernel = name;
    families.push_back(
        {kernel, edges, [kernel, dtype](std::int64_t n) { return tile_probe(kernel, dtype, n); }});
  }
  for (const char* name : {"fill", "copy", "scale", "add_scalar", "axpy", "add", "multiply",
                           "stencil", "sum", "max"}) {
    const std::string kernel = name;
    families.push_back({kernel, lengths,
                        [kernel, dtype](std::int64_t n) { return line_probe(kernel, dtype, n); }});
  }
  return families;
}

std::vector<KernelTimes::Step> KernelTimes::steps() {
  std::vector<Step> steps;
  std::vector<std::string> seen;
  for (std::size_t d = 0; d < spec_.devices.size(); ++d) {
    const DeviceId device(d);
    const std::string& device_class = spec_.devices[device].device_class;
    if (std::find(seen.begin(), seen.end(), device_class) != seen.end()) continue;
    seen.push_back(device_class);
    for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
      for (const Family& family : families(dtype)) {
        // In single precision the product stands for all.
        if (dtype == DType::kFloat32 && family.kernel != "gemm") continue;
        steps.push_back({family.kernel + " on " + spec_.devices[device].name,
                         [this, device, dtype, family] { measure(device, dtype, family); }});
      }
    }
    for (const DType dtype : {DType::kUint8, DType::kFloat64}) {
      steps.push_back({"hash_mix on " + spec_.devices[device].name,
                       [this, device, dtype] { measure(device, dtype, hash_family(dtype)); }});
    }
      if (device_class == "gpu") add_issue_steps(device, steps);
    if (streams_ > 1 && device_class == "gpu") add_share_steps(device, steps);
    steps.push_back(
        {"rates of " + spec_.devices[device].name, [this, device] { take_rates(device); }});
    if (streams_ > 1 && device_class == "gpu") {
      steps.push_back(
          {"power of " + spec_.devices[device].name, [this, device] { measure_power(device); }});
    }
    if (!is_sustained_ || device_class != "gpu") continue;
    steps.push_back(
        {"sustained rate of " + spec_.devices[device].name, [this, device] { slow_down(device); }});
  }
  return steps;
}

void KernelTimes::add_share_steps(DeviceId device, std::vector<Step>& steps) {
  for (std::size_t d = 0; d < spec_.devices.size(); ++d) {
    core::Device& like = spec_.devices[DeviceId(d)];
    if (like.device_class == spec_.devices[device].device_class) {
      like.streams = static_cast<std::int32_t>(streams_);
    }
  }
  std::vector<std::pair<DType, Family>> measured;
  for (Family& family : families(DType::kFloat64)) {
    measured.emplace_back(DType::kFloat64, std::move(family));
  }
  for (const DType dtype : {DType::kUint8, DType::kFloat64}) {
    measured.emplace_back(dtype, hash_family(dtype));
  }
  measured.emplace_back(DType::kFloat64, spin_family());
  for (auto& [dtype, family] : measured) {
    steps.push_back({family.kernel + " beside itself on " + spec_.devices[device].name,
                     [this, device, dtype = dtype, family = std::move(family)] {
                       measure_share(device, dtype, family);
                     }});
  }
  steps.push_back({"panels beside others on " + spec_.devices[device].name,
                   [this, device] { take_saturation(device); }});
}

std::int64_t array_bytes(const KernelProbe& probe, std::size_t repetitions) {
  std::int64_t bytes = 0;
  for (const KernelProbe::Operand& operand : probe.operands) {
    std::int64_t count = core::element_bytes(probe.dtype);
    for (const std::int64_t extent : operand.shape) count *= extent;
    bytes += count * static_cast<std::int64_t>(operand.is_fresh ? repetitions : 1);
  }
  return bytes;
}

/// Kernels on all streams at once against one after the other. A kernel that can use the part s of
/// the device runs min(streams, 1 / s) times as often.
void KernelTimes::measure_share(DeviceId device, DType dtype, const Family& family) {
  constexpr std::size_t kRepetitions = Laboratory::kTogether + 1;
  constexpr double kLongest = 0.002;  // seconds: what takes longer fills the device
  constexpr std::int64_t kFillsAnyDevice = std::int64_t{1} << 28U;  // bytes of a call
  const core::MemorySpace& space = spec_.spaces[spec_.devices[device].space];
  std::vector<std::pair<std::int64_t, core::KernelShare>> points;
  for (const std::int64_t size : family.sizes) {
    const KernelProbe made = family.make(size);
    const std::int64_t bytes = array_bytes(made, kRepetitions);
    if (bytes * static_cast<std::int64_t>(streams_) > space.capacity.count() / 4) break;
    if (array_bytes(made, 1) > kFillsAnyDevice) {
      points.emplace_back(size, 1.0);
      break;
    }
    const double alone = laboratory_.kernels_together(made, device, 1);
    if (alone <= 0.0) continue;
    if (alone > kLongest) break;
    const double together = laboratory_.kernels_together(made, device, streams_);
    const double least = 1.0 / static_cast<double>(streams_);
    // One that leaves room for all the streams may leave more: as good as nothing.
    if (together < 1.1 * least * alone) {
      points.emplace_back(size, 0.0);
      continue;
    }
    // Of the time that the table tells: one after the other they take longer, by what lies between
    // two kernels of a stream.
    const double told = told_seconds(device, dtype, family.kernel, size).value_or(alone);
    const double two =
        streams_ > 2 ? laboratory_.kernels_together(made, device, 2) / told : 0.0;
    points.emplace_back(size,
                        core::KernelShare(std::min(1.0, together / told), std::min(1.0, two)));
  }
  if (points.empty()) return;
  const std::string& device_class = spec_.devices[device].device_class;
  spec_.shares[family.kernel][device_class][std::string(core::name_of(dtype))] = std::move(points);
}

/// What the kernel was measured to take alone, if it was.
std::optional<double> KernelTimes::told_seconds(DeviceId device, DType dtype,
                                                const std::string& kernel,
                                                std::int64_t size) const {
  const auto* points =
      times(kernel, spec_.devices[device].device_class, std::string(core::name_of(dtype)));
  if (points == nullptr) return std::nullopt;
  const auto point = std::ranges::find(*points, size, [](const auto& p) { return p.first; });
  if (point == points->end()) return std::nullopt;
  return in_seconds(point->second);
}

void KernelTimes::take_saturation(DeviceId device) {
  constexpr std::int64_t kTile = 2048;
  const core::MemorySpace& space = spec_.spaces[spec_.devices[device].space];
  std::map<std::string, KernelProbe> probes;
  for (const Family& family : families(DType::kFloat64)) {
    if (family.kernel != "gemm" && family.kernel != "trsm" && family.kernel != "potrf") continue;
    KernelProbe probe = family.make(kTile);
    const std::int64_t bytes = array_bytes(probe, kMostBeside + 1);
    if (bytes * static_cast<std::int64_t>(streams_) > space.capacity.count() / 4) return;
    probes[family.kernel] = std::move(probe);
  }
  const std::optional<double> found = measured_saturation(laboratory_, device, streams_, probes);
  if (!found) return;
  for (std::size_t d = 0; d < spec_.devices.size(); ++d) {
    core::Device& like = spec_.devices[DeviceId(d)];
    if (like.device_class == spec_.devices[device].device_class) like.saturation = *found;
  }
}

void KernelTimes::measure(DeviceId device, DType dtype, const Family& family) {
  const std::size_t repetitions = is_quick_ ? 4 : 6;
  const core::MemorySpace& space = spec_.spaces[spec_.devices[device].space];
  std::vector<std::pair<std::int64_t, core::Duration>> points, issues;
  for (const std::int64_t size : family.sizes) {
    const KernelProbe made = family.make(size);
    if (array_bytes(made, repetitions) > space.capacity.count() / 4) break;
    const Laboratory::TimedKernel timed = laboratory_.timed_kernel(made, device, repetitions);
    const double taken = median(timed.durations);
    issues.emplace_back(size, issue_beyond_plain(device, median(timed.issues)));
    points.emplace_back(size, core::Duration(std::max(1LL, std::llround(taken * 1e9))));
    if (taken > kLongKernel) break;
  }
  if (points.empty()) return;
  const std::string& device_class = spec_.devices[device].device_class;
  const std::string type(core::name_of(dtype));
  spec_.kernels[family.kernel][device_class][type] = std::move(points);
  store_issues(family.kernel, device_class, type, std::move(issues));
}

const std::vector<std::pair<std::int64_t, core::Duration>>* KernelTimes::times(
    const std::string& kernel, const std::string& device_class, const std::string& dtype) const {
  const auto by_kernel = spec_.kernels.find(kernel);
  if (by_kernel == spec_.kernels.end()) return nullptr;
  const auto by_class = by_kernel->second.find(device_class);
  if (by_class == by_kernel->second.end()) return nullptr;
  const auto by_dtype = by_class->second.find(dtype);
  return by_dtype == by_class->second.end() ? nullptr : &by_dtype->second;
}

/// What the roofline needs, for tasks that state flops and bytes: the best rate of gemm, and the
/// bytes that axpy (two read, one written) gets through at its largest.
void KernelTimes::take_rates(DeviceId device) {
  const std::string device_class = spec_.devices[device].device_class;
  double memory = 0.0;
  if (const auto* axpy = times("axpy", device_class, "float64")) {
    const auto& [size, time] = axpy->back();
    memory = 3.0 * 8.0 * static_cast<double>(size) / in_seconds(time);
  }
  std::map<std::string, double> flops;
  for (const char* dtype : {"float64", "float32"}) {
    const auto* gemm = times("gemm", device_class, dtype);
    for (std::size_t i = 0; gemm != nullptr && i < gemm->size(); ++i) {
      const double rate = 2.0 * std::pow(static_cast<double>((*gemm)[i].first), 3.0) /
                          in_seconds((*gemm)[i].second);
      flops[dtype] = std::max(flops[dtype], rate);
    }
  }
  for (std::size_t d = 0; d < spec_.devices.size(); ++d) {
    core::Device& one = spec_.devices[DeviceId(d)];
    if (one.device_class != device_class) continue;
    if (memory > 0.0) one.bytes_per_s = memory;
    for (const auto& [dtype, rate] : flops) one.flops_per_s[dtype] = rate;
  }
}

/// Times of products of the largest size measured, one after the other for so many seconds; none
/// where products were not measured.
std::vector<double> KernelTimes::products_for(DeviceId device, double seconds) const {
  const auto* gemm = times("gemm", spec_.devices[device].device_class, "float64");
  if (gemm == nullptr) return {};
  const auto [size, brief] = gemm->back();
  const auto repetitions =
      static_cast<std::size_t>(std::clamp(seconds / in_seconds(brief), 8.0, 20000.0));
  return laboratory_.kernel(tile_probe("gemm", DType::kFloat64, size), device, repetitions);
}

/// Runs products from a cool start until their rate no longer falls: how long the first rate lasts,
/// and what is left of it.
void KernelTimes::measure_power(DeviceId device) {
  const std::string device_class = spec_.devices[device].device_class;
  const std::vector<double> all = products_for(device, is_quick_ ? 0.4 : 0.8);
  const std::size_t part = all.size() / 4;
  if (part < 4) return;
  const double last = median({all.end() - static_cast<std::ptrdiff_t>(part), all.end()});
  const double first = median({all.begin(), all.begin() + 4});
  constexpr double kNoticeable = 1.03;
  if (first <= 0.0 || last < kNoticeable * first) return;
  // The time until half of the way is done, taken as a step.
  double burst = 0.0;
  for (std::size_t i = 0; i + 3 <= all.size(); ++i) {
    if (median({all[i], all[i + 1], all[i + 2]}) > (first + last) / 2.0) break;
    burst += all[i];
  }
  for (std::size_t d = 0; d < spec_.devices.size(); ++d) {
    core::Device& like = spec_.devices[DeviceId(d)];
    if (like.device_class != device_class) continue;
    like.power = {core::Duration(std::llround(burst * 1e9)), first / last};
  }
}

/// Runs products for seconds, until the clock is what it stays at, and lengthens the times of what
/// runs as close to the limit: gemm and syrk.
void KernelTimes::slow_down(DeviceId device) {
  const std::string device_class = spec_.devices[device].device_class;
  std::vector<double> all = products_for(device, is_quick_ ? 2.0 : 6.0);
  if (all.empty()) return;
  const auto [size, brief] = times("gemm", device_class, "float64")->back();
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2));
  const double factor = median(all) / in_seconds(brief);
  if (factor <= 1.0) return;
  const auto rate = [](double flops_per_cube, std::int64_t edge, core::Duration time) {
    return flops_per_cube * std::pow(static_cast<double>(edge), 3.0) / in_seconds(time);
  };
  const double best = rate(2.0, size, brief);
  for (const auto& [kernel, flops_per_cube] : {std::pair("gemm", 2.0), {"syrk", 1.0}}) {
    for (auto& [edge, time] : spec_.kernels[kernel][device_class]["float64"]) {
      // Slower ones do not reach the limit of power.
      if (rate(flops_per_cube, edge, time) < 0.8 * best) continue;
      time = core::Duration(std::llround(static_cast<double>(time.count()) * factor));
    }
  }
  take_rates(device);
}

}  // namespace parley::exec
