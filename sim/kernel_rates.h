// Kernels that run on one device at the same time. A GPU takes kernels of several streams; one that
// fills it leaves the others no room, small ones run side by side. Each kernel has a share, the
// part of the device that it can use when alone: as long as the shares on a device come to no more
// than its slots, all run as fast as alone, else all are slowed down alike (processor sharing). Of
// two kernels each uses more than of many, which hide each other's latencies. A
// panel's kernel and others of another kind leave room that none uses (Device::saturation), even
// where their shares would fit. A kernel of a group is as slow as on its slowest device. Only
// kernels whose rate changes are looked at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/machine/machine.h"

namespace parley::sim {

class KernelRates {
 public:
  struct Retimed {
    core::CommandId launch;
    std::uint32_t number = 0;  // the kernel's, small, its own while it runs
    core::Time end;
    bool is_new = false;  // its end was not told before
  };

  /// `changes_speed`: set_speed() will be called.
  explicit KernelRates(const core::Machine& machine, bool changes_speed = false);

  /// Whether kernels on these devices may run side by side, or change their speed while they run.
  /// One that does not simply takes as long as alone, and is not told here.
  [[nodiscard]] bool apply_to(std::span<const core::DeviceId> devices) const;
  struct Use {
    core::KernelShare share;  // from 0 (disturbs nobody) to 1
    std::uint32_t kind = 0;  // kernels of one kind are alike
    bool is_of_panel = false;
  };
  /// The kernel takes `alone` at full speed.
  void start(core::Time now, core::CommandId launch, std::span<const core::DeviceId> devices,
             core::Duration alone, const Use& use);
  /// The kernel has ended. Requires: started, on these devices.
  void end(core::CommandId launch, std::span<const core::DeviceId> devices);
  /// Kernels on the device run at so much of their speed from now on, above 0; 1 at first.
  void set_speed(core::DeviceId device, double speed);

  /// Ends of the kernels whose rate has changed since the last call, new ones included; valid until
  /// the next call. To be called when all that starts and ends at an instant has.
  std::span<const Retimed> settle(core::Time now);

 private:
  struct Kernel {
    core::CommandId launch;
    std::vector<core::DeviceId> devices;
    Use use;
    double left = 0.0;  // ns at full speed, at `since`
    double rate = 0.0;  // 0: not started
    core::Time since;
  };
  struct OnDevice {
    double slots = 1.0;
    double most = 0.0;  // kernels at a time
    double speed = 1.0;
    double saturation = 0.0;
    bool is_shared = false;
    bool is_touched = false;
    std::vector<std::uint32_t> kernels;  // in order of start
  };

  void touch(core::DeviceId device);
  [[nodiscard]] double room_for_all(const OnDevice& on) const;
  [[nodiscard]] double rate_of(const Kernel& kernel) const;
  void retime(core::Time now, std::uint32_t index);

  core::IdVector<core::DeviceId, OnDevice> devices_;
  std::vector<Kernel> kernels_;
  std::vector<std::uint32_t> free_;
  std::vector<core::DeviceId> touched_;
  std::vector<Retimed> retimed_;
  bool changes_speed_;
};

}  // namespace parley::sim
