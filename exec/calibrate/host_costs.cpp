#include "exec/calibrate/host_costs.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace parley::exec {
namespace {

using core::DeviceId;
using core::SpaceId;

core::Duration from_seconds(double seconds) {
  return core::Duration(std::max(0LL, std::llround(seconds * 1e9)));
}

double seconds_in(core::Duration time) { return static_cast<double>(time.count()) * 1e-9; }

/// The first device of each GPU space, or of each space when there is no GPU.
std::vector<DeviceId> accelerators(const core::MachineSpec& spec) {
  std::vector<DeviceId> found;
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    if (!spec.spaces[spec.devices[DeviceId(d)].space].is_host) found.push_back(DeviceId(d));
  }
  if (found.empty()) found.push_back(DeviceId(0));
  return found;
}

/// A device of the host beside GPUs; none where there is no GPU.
DeviceId first_on_host(const core::MachineSpec& spec) {
  DeviceId found = DeviceId::none();
  bool has_gpus = false;
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    const bool is_host = spec.spaces[spec.devices[DeviceId(d)].space].is_host;
    has_gpus = has_gpus || !is_host;
    if (is_host && found.is_none()) found = DeviceId(d);
  }
  return has_gpus ? found : DeviceId::none();
}

/// What it mostly takes: a run finds the host's caches and the other threads as they are.
double median_of_five(const std::function<double()>& measure) {
  return median({measure(), measure(), measure(), measure(), measure()});
}

KernelProbe empty_kernel() {
  KernelProbe empty;
  empty.kernel = "spin";
  empty.parameters = {{"ns", 0.0}};
  return empty;
}

void measure_start_up(const Laboratory& laboratory, core::MachineSpec& spec) {
  std::vector<std::string> seen;
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    const std::string device_class = spec.devices[DeviceId(d)].device_class;
    if (std::ranges::find(seen, device_class) != seen.end()) continue;
    seen.push_back(device_class);
    const core::Duration start =
        from_seconds(median(laboratory.kernel(empty_kernel(), DeviceId(d), 100)));
    for (std::size_t other = 0; other < spec.devices.size(); ++other) {
      core::Device& like = spec.devices[DeviceId(other)];
      if (like.device_class == device_class) like.launch = start;
    }
  }
}

/// What the host takes, told in launches: beside each measurement empty tasks run, so that all is
/// for one speed of the host. On a virtual machine it changes by a third within seconds.
class HostPace {
 public:
  HostPace(const Laboratory& laboratory, DeviceId device, std::size_t tasks)
      : laboratory_(laboratory), device_(device), tasks_(tasks) {
    (void)launch_now();  // the first finds caches and memory cold
    before_ = launch_now();
  }

  /// Launches that take as long as what `measure` tells in seconds; the median of seven.
  double launches(const std::function<double()>& measure) {
    std::vector<double> counts;
    for (int i = 0; i < 7; ++i) {
      const double seconds = measure();
      const double after = launch_now();
      const double launch = (before_ + after) / 2.0;
      counts.push_back(launch > 0.0 ? seconds / launch : 0.0);
      before_ = after;
    }
    return median(std::move(counts));
  }

  /// Seconds, over all the time since this was made.
  [[nodiscard]] double launch() const { return median(launches_); }

 private:
  double launch_now() {
    launches_.push_back(
        laboratory_.task(Laboratory::EmptyTasks::kIndependent, device_, tasks_, 64));
    return launches_.back();
  }

  const Laboratory& laboratory_;
  DeviceId device_;
  std::size_t tasks_;
  std::vector<double> launches_;
  double before_ = 0.0;
};

/// What tasks take, in launches.
struct SubmitterCosts {
  double together = 0.0;  // empty ones of one GPU, while others issue as many
  double few = 0.0;       // when ends are found one by one
  double joined = 0.0;    // a copy that shares a launch
  double decided = 0.0;   // a command, by the thread that decides
};

/// All GPUs at once, as their threads get in each other's way in the driver. Ends of empty tasks
/// are found many at a time; those of tasks that take longer than issuing one does, on streams side
/// by side so that issuing is what limits, one by one.
SubmitterCosts measure_submitters(const Laboratory& laboratory, const CalibrationOptions& options,
                                  const core::MachineSpec& spec, HostPace& pace) {
  const std::vector<DeviceId> gpus = accelerators(spec);
  const std::size_t count = (options.is_quick ? 1000 : 4000) * gpus.size();
  const auto cost = [&](const std::vector<DeviceId>& on, std::uint32_t window, double spin_ns) {
    return pace.launches([&] {
      return laboratory.task_on_any(on, count, window, spin_ns) * static_cast<double>(on.size());
    });
  };
  // What is read beyond the first two slices shares the launch of their copies.
  constexpr std::int64_t kSlices = 14, kFew = 2;
  const std::size_t gathers = (options.is_quick ? 1000 : 4000) / kSlices;
  const auto gathering = [&](std::int64_t read) {
    return laboratory.gathering(gpus.front(), gathers, kSlices, read);
  };
  SubmitterCosts costs;
  const double many = pace.launches([&] { return gathering(kSlices); });
  costs.joined =
      (many - pace.launches([&] { return gathering(kFew); })) / static_cast<double>(kSlices - kFew);
  costs.together = cost(gpus, 64, 0.0);
  const double spin_ns = std::round(1e9 * pace.launch() * std::max(1, options.streams) / 2.0);
  costs.few = cost({gpus.front()}, 8, spin_ns);
  const Laboratory deciding(laboratory.machine(), laboratory.runner(), core::EngineOptions());
  // Few at a time, as where the host keeps up: many that end together are decided on sooner.
  costs.decided = pace.launches(
      [&] { return deciding.deciding(gpus.front(), options.is_quick ? 1000 : 4000, 8); });
  return costs;
}

void take_submitters(const SubmitterCosts& costs, const CalibrationOptions& options, double launch,
                     core::MachineSpec& spec) {
  const auto others = static_cast<double>(accelerators(spec).size() - 1);
  spec.host.submitters = core::Submitters::kPerGpu;
  if (others > 0.0) spec.host.crowding = std::clamp((costs.together - 1.0) / others, 0.0, 1.0);
  spec.host.poll = from_seconds((costs.few - 1.0) * launch);
  spec.host.turn = options.turn;
  spec.host.issue_joined = std::clamp(from_seconds(costs.joined * launch), core::Duration(1),
                                      std::max(core::Duration(1), spec.host.issue_copy));
  spec.host.decide_command = std::min(from_seconds(costs.decided * launch), spec.host.issue_launch);
  spec.host.copy_streams = options.copy_streams;
  spec.host.inline_copy = options.inline_copy;
}

}  // namespace

double issue_of_empty_kernel(const Laboratory& laboratory, DeviceId device) {
  return median(laboratory.timed_kernel(empty_kernel(), device, 100).issues);
}

void measure_host(const Laboratory& laboratory, const CalibrationOptions& options,
                  core::MachineSpec& spec) {
  using Empty = Laboratory::EmptyTasks;
  const DeviceId device = accelerators(spec).front();
  const std::size_t count = options.is_quick ? 1000 : 4000;
  HostPace pace(laboratory, device, count);
  const auto cost = [&](Empty kind, std::size_t tasks, std::uint32_t window) {
    return pace.launches([&] { return laboratory.task(kind, device, tasks, window); });
  };
  // A further part of a copy is a kernel more.
  const double part = pace.launches([&] { return issue_of_empty_kernel(laboratory, device); });
  const double copied = cost(Empty::kCopies, count, 64);
  const double round_trip = cost(Empty::kChain, count / 4, 1);
  SubmitterCosts submitters;
  if (options.has_submitters) submitters = measure_submitters(laboratory, options, spec, pace);
  const double launch = pace.launch();
  if (!spec.spaces[spec.devices[device].space].is_host) {
    spec.host.issue_part = from_seconds(part * launch);
  }
  spec.host.issue_launch = from_seconds(launch);
  spec.host.issue_copy = from_seconds((copied - 1.0) * launch);
  spec.host.round_trip = from_seconds(round_trip * launch);
  spec.host.decide = core::Duration(0);  // within the others, or by command
  spec.host.decide_command = core::Duration(0);
  if (options.has_submitters) take_submitters(submitters, options, launch, spec);
  measure_start_up(laboratory, spec);
}

namespace {

// The executor does smaller copies in other ways. Between GPUs long ones, as queues that have
// waited for long answer later; of those with the host, the times differ by more than what is
// looked for.
constexpr std::int64_t kHopBytes = std::int64_t{64} << 20U;
constexpr std::int64_t kHostHopBytes = std::int64_t{4} << 20U;

double copy_seconds(const core::Machine& machine, DeviceId from, DeviceId to, std::int64_t bytes) {
  const core::RouteId route =
      machine.route_id(machine.device(from).space, machine.device(to).space);
  return seconds_in(machine.copy_duration(route, core::Bytes(bytes)));
}

bool is_direct(const core::Machine& machine, DeviceId from, DeviceId to) {
  return !machine.route_id(machine.device(from).space, machine.device(to).space).is_none();
}

/// Seconds that two hops, one each way, take beyond copies and kernels; 0 where `threads` that
/// issue them take longer than they do.
double overhead_of_two_hops(const Laboratory& laboratory, const CalibrationOptions& options,
                            const core::Machine& machine, DeviceId a, DeviceId b,
                            std::int64_t bytes, double threads) {
  for (const DeviceId device : {a, b}) {
    const std::int64_t room = machine.space(machine.device(device).space).capacity.count();
    bytes = std::min(bytes, room / 4);
  }
  const std::size_t count = options.is_quick ? 40 : 100;
  const double hop = median_of_five([&] { return laboratory.hop(a, b, bytes, count); });
  const core::HostCosts& costs = machine.host();
  if (hop < 1.1 * seconds_in(costs.issue_launch + costs.issue_copy) / threads) return 0.0;
  return 2.0 * hop - copy_seconds(machine, a, b, bytes) - copy_seconds(machine, b, a, bytes) -
         seconds_in(machine.device(a).launch) - seconds_in(machine.device(b).launch);
}

/// Copies between GPUs take longer to issue while both issue them, and so does what waits for them:
/// their threads meet in the driver.
void measure_exchange(const Laboratory& laboratory, const CalibrationOptions& options, DeviceId a,
                      DeviceId b, core::MachineSpec& spec) {
  const std::size_t count = options.is_quick ? 1000 : 4000;
  HostPace pace(laboratory, a, count);
  const double launches = pace.launches([&] { return laboratory.exchange(a, b, count, 64); });
  const core::HostCosts& costs = spec.host;
  const double each = launches * seconds_in(costs.issue_launch) / (1.0 + costs.crowding);
  const core::Duration extra =
      from_seconds(each - seconds_in(costs.issue_launch + costs.issue_copy));
  for (core::Route& route : spec.routes) {
    const bool is_between_gpus = !spec.spaces[route.from].is_host &&
                                 !spec.spaces[route.to].is_host && route.from != route.to;
    if (is_between_gpus) route.issue = std::max(route.issue, extra);
  }
}

}  // namespace

/// Between GPUs each of the two copies waits for a kernel, and each kernel for a copy: four events.
/// Between the host and a GPU two of them are with the host.
void measure_telling(const Laboratory& laboratory, const CalibrationOptions& options,
                     core::MachineSpec& spec) {
  const core::Result<core::Machine> machine = core::Machine::create(spec);
  if (!machine) return;  // said at the end
  const std::vector<DeviceId> gpus = accelerators(spec);
  if (gpus.size() > 1 && is_direct(*machine, gpus[0], gpus[1])) {
    spec.host.event =
        from_seconds(overhead_of_two_hops(laboratory, options, *machine, gpus[0], gpus[1],
                                          options.has_submitters ? kHopBytes : kHostHopBytes,
                                          options.has_submitters ? 2.0 : 1.0) /
                     4.0);
    if (options.has_submitters) measure_exchange(laboratory, options, gpus[0], gpus[1], spec);
  }
  const DeviceId host = first_on_host(spec);
  if (!options.has_submitters || host.is_none()) return;
  const double both =
      overhead_of_two_hops(laboratory, options, *machine, host, gpus[0], kHostHopBytes, 1.0);
  const double events = gpus.size() > 1 ? 2.0 * seconds_in(spec.host.event) : both / 2.0;
  if (gpus.size() == 1) spec.host.event = from_seconds(both / 4.0);
  spec.host.handoff = from_seconds((both - events) / 2.0);
}

}  // namespace parley::exec
