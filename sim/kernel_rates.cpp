#include "sim/kernel_rates.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace parley::sim {

using core::DeviceId;
using core::Time;

KernelRates::KernelRates(const core::Machine& machine, bool changes_speed)
    : changes_speed_(changes_speed) {
  for (std::size_t i = 0; i < machine.device_count(); ++i) {
    const core::Device& device = machine.device(DeviceId(i));
    OnDevice& on = devices_[devices_.push_back({})];
    on.slots = device.slots;
    on.most = static_cast<double>(device.slots) * device.streams;
    on.is_shared = device.streams > 0;
    on.saturation = device.saturation;
  }
}

bool KernelRates::apply_to(std::span<const DeviceId> devices) const {
  return changes_speed_ ||
         std::ranges::any_of(devices, [this](DeviceId id) { return devices_[id].is_shared; });
}

void KernelRates::touch(DeviceId device) {
  if (devices_[device].is_touched) return;
  devices_[device].is_touched = true;
  touched_.push_back(device);
}

void KernelRates::start(Time now, core::CommandId launch, std::span<const DeviceId> devices,
                        core::Duration alone, const Use& use) {
  std::uint32_t index = static_cast<std::uint32_t>(kernels_.size());
  if (free_.empty()) {
    kernels_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Kernel& kernel = kernels_[index];
  kernel.launch = launch;
  kernel.devices.assign(devices.begin(), devices.end());
  kernel.use = use;
  kernel.left = static_cast<double>(alone.count());
  kernel.rate = 0.0;
  kernel.since = now;
  for (const DeviceId device : devices) {
    devices_[device].kernels.push_back(index);
    touch(device);
  }
}

void KernelRates::end(core::CommandId launch, std::span<const DeviceId> devices) {
  std::uint32_t ended = 0;
  for (const DeviceId device : devices) {
    std::vector<std::uint32_t>& kernels = devices_[device].kernels;
    const auto found = std::ranges::find_if(
        kernels, [&](std::uint32_t index) { return kernels_[index].launch == launch; });
    PARLEY_CHECK(found != kernels.end(), "a kernel ended that does not run");
    ended = *found;
    kernels.erase(found);
    touch(device);
  }
  free_.push_back(ended);
}

void KernelRates::set_speed(DeviceId device, double speed) {
  if (devices_[device].speed == speed) return;
  devices_[device].speed = speed;
  touch(device);
}

/// The speed of each kernel on the device, as a part of what it has alone.
double KernelRates::room_for_all(const OnDevice& on) const {
  double load = 0.0, load_of_two = 0.0, count = 0.0;
  bool has_panel = false, has_others = false;
  const Kernel* first = nullptr;
  for (const std::uint32_t index : on.kernels) {
    const Use& use = kernels_[index].use;
    if (use.share.of_all <= 0.0) continue;
    load += use.share.of_all;
    load_of_two += use.share.of_two;
    count += 1.0;
    if (first == nullptr) first = &kernels_[index];
    has_panel = has_panel || use.is_of_panel;
    has_others = has_others || use.kind != first->use.kind;
  }
  if (load_of_two > load) {
    const double beyond_two = std::max(0.0, count - 2.0) / std::max(1.0, on.most - 2.0);
    load += (load_of_two - load) * std::max(0.0, 1.0 - beyond_two);
  }
  const bool is_mixed = on.saturation > 0.0 && has_panel && has_others;
  const double most =
      is_mixed ? -on.slots * std::expm1(-on.saturation * load / on.slots) : on.slots;
  return std::min(1.0, most / load);
}

double KernelRates::rate_of(const Kernel& kernel) const {
  double rate = 1.0;
  for (const DeviceId device : kernel.devices) {
    const OnDevice& on = devices_[device];
    if (!on.is_shared || kernel.use.share.of_all <= 0.0) {  // what disturbs nobody is not disturbed
      rate = std::min(rate, on.speed);
      continue;
    }
    rate = std::min(rate, on.speed * room_for_all(on));
  }
  return rate;
}

/// Tells the kernel's end anew if its rate has changed.
void KernelRates::retime(Time now, std::uint32_t index) {
  Kernel& kernel = kernels_[index];
  const double rate = rate_of(kernel);
  if (rate == kernel.rate) return;
  const bool is_new = kernel.rate == 0.0;
  const auto passed = static_cast<double>((now - kernel.since).count());
  kernel.left = std::max(0.0, kernel.left - passed * kernel.rate);
  kernel.since = now;
  kernel.rate = rate;
  const auto longest = static_cast<double>(core::kLongestRun.count());
  const auto rest = static_cast<std::int64_t>(std::min(std::ceil(kernel.left / rate), longest));
  retimed_.push_back({kernel.launch, index, now + core::Duration(rest), is_new});
}

std::span<const KernelRates::Retimed> KernelRates::settle(Time now) {
  retimed_.clear();
  if (touched_.empty()) return retimed_;
  for (const DeviceId device : touched_) {
    devices_[device].is_touched = false;
    // A kernel of a group is met on each of its devices; the second time nothing has changed.
    for (const std::uint32_t index : devices_[device].kernels) retime(now, index);
  }
  touched_.clear();
  return retimed_;
}

}  // namespace parley::sim
