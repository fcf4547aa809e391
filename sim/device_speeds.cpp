#include "sim/device_speeds.h"

#include <algorithm>
#include <cmath>

namespace parley::sim {
namespace {

using core::DeviceId;
using core::Time;

// Below this a budget counts as empty, and a load as none: sums of loads are exact to some 1e-13.
constexpr double kLeastBudgetNs = 0.5;
constexpr double kLeastLoad = 1e-9;

}  // namespace

DeviceSpeeds::DeviceSpeeds(const core::Machine& machine, bool has_power)
    : machine_(&machine), sensitive_(machine.space_count()) {
  for (std::size_t i = 0; i < machine.device_count(); ++i) {
    const core::Device& device = machine.device(DeviceId(i));
    State state;
    if (device.interference.slowdown > 1.0) {
      state.slope = (device.interference.slowdown - 1.0) / device.interference.bytes_per_s;
      sensitive_[device.space].push_back(DeviceId(i));
      has_interference_ = true;
    }
    if (has_power && device.power.sustained < 1.0) {
      state.sustained = device.power.sustained;
      state.budget = static_cast<double>(device.power.burst.count()) * (1.0 - state.sustained);
      state.left = state.budget;
      powered_.push_back(DeviceId(i));
      has_power_ = true;
    }
    devices_.push_back(state);
  }
}

void DeviceSpeeds::touch(DeviceId device) {
  if (devices_[device].is_touched) return;
  devices_[device].is_touched = true;
  touched_.push_back(device);
}

void DeviceSpeeds::add_traffic(core::SpaceId from, core::SpaceId to, double bytes_per_s) {
  for (const core::SpaceId space : {from, to}) {
    for (const DeviceId device : sensitive_[space]) {
      devices_[device].traffic += bytes_per_s;
      touch(device);
    }
  }
}

void DeviceSpeeds::add_load(Time now, std::span<const DeviceId> devices, double load) {
  for (const DeviceId device : devices) {
    State& state = devices_[device];
    if (state.budget <= 0.0 && state.sustained >= 1.0) continue;
    spend(state, now);
    state.load += load / machine_->device(device).slots;
    if (state.load < kLeastLoad) state.load = 0.0;
    touch(device);
  }
}

/// Brings the budget up to date: what was drawn since was the load, or the cap when there was no
/// more.
void DeviceSpeeds::spend(State& state, Time now) {
  const auto passed = static_cast<double>((now - state.since).count());
  const double above = std::min(state.load, 1.0) - state.sustained;
  state.left = std::clamp(state.left - passed * above, 0.0, state.budget);
  if (state.left < kLeastBudgetNs) state.left = 0.0;
  state.since = now;
}

double DeviceSpeeds::speed_of(const State& state) {
  const double load = std::min(state.load, 1.0);
  const bool is_capped = load > state.sustained && state.left <= 0.0;
  const double disturbed = 1.0 + state.slope * std::max(0.0, state.traffic);
  return (is_capped ? state.sustained / load : 1.0) / disturbed;
}

std::span<const DeviceSpeeds::Change> DeviceSpeeds::settle(Time now) {
  changes_.clear();
  for (const DeviceId device : powered_) {
    if (devices_[device].empty > now) continue;
    spend(devices_[device], now);
    touch(device);
  }
  for (const DeviceId device : touched_) {
    State& state = devices_[device];
    state.is_touched = false;
    const double above = std::min(state.load, 1.0) - state.sustained;
    const bool drains = above > kLeastLoad && state.left > 0.0;
    state.empty =
        drains
            ? state.since + core::Duration(static_cast<std::int64_t>(std::ceil(state.left / above)))
            : Time::max();
    const double speed = speed_of(state);
    if (speed == state.speed) continue;
    state.speed = speed;
    changes_.push_back({device, speed});
  }
  touched_.clear();
  return changes_;
}

Time DeviceSpeeds::next_empty() const {
  Time next = Time::max();
  for (const DeviceId device : powered_) next = std::min(next, devices_[device].empty);
  return next;
}

}  // namespace parley::sim
