// What slows a device's kernels down while they run, besides each other: copies through its memory,
// and its power cap. Of devices that state neither nothing is kept.
//
// Copies: kernels take 1 + slope * rate times as long while copies move `rate` bytes/s into and out
// of the device's memory (one within it counts both ways).
//
// Power: a kernel draws power in proportion to the part of the device's peak that it uses, its load
// (at most 1); the cap allows a load of `sustained` for ever, and what is above it draws on a
// budget, a token bucket that holds `burst` of full load and is full at first. Below the cap it
// fills again. While it is empty, kernels run so much slower that the cap holds: at sustained /
// load. So a long run of full load has full speed for `burst` and `sustained` from then on; kernels
// that wait for memory may never come near the cap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/machine/machine.h"

namespace parley::sim {

class DeviceSpeeds {
 public:
  struct Change {
    core::DeviceId device;
    double speed = 1.0;  // of all that runs on it, above 0
  };

  /// `has_power`: what the devices state of power counts.
  DeviceSpeeds(const core::Machine& machine, bool has_power);

  /// Whether anything can ever change.
  [[nodiscard]] bool changes() const { return has_interference_ || has_power_; }
  [[nodiscard]] bool has_interference() const { return has_interference_; }
  [[nodiscard]] bool has_power() const { return has_power_; }

  /// Flows from `from` to `to` carry so much more (less, if negative) bytes/s than before.
  void add_traffic(core::SpaceId from, core::SpaceId to, double bytes_per_s);
  /// A kernel of that load (from 0 to 1) runs from now on, or no more (a negative load).
  void add_load(core::Time now, std::span<const core::DeviceId> devices, double load);

  /// Devices whose speed has changed since the last call; valid until the next.
  std::span<const Change> settle(core::Time now);
  /// When a budget runs out unless loads change; Time::max() when none does.
  [[nodiscard]] core::Time next_empty() const;

 private:
  struct State {
    double slope = 0.0;                    // s per byte
    double traffic = 0.0;                  // bytes/s
    double sustained = 1.0, budget = 0.0;  // ns of full load above the cap; 0: no power stated
    double left = 0.0, load = 0.0;         // of the budget, at `since`
    core::Time since, empty = core::Time::max();
    double speed = 1.0;
    bool is_touched = false;
  };

  void touch(core::DeviceId device);
  static void spend(State& state, core::Time now);
  static double speed_of(const State& state);

  const core::Machine* machine_;
  core::IdVector<core::DeviceId, State> devices_;
  core::IdVector<core::SpaceId, std::vector<core::DeviceId>> sensitive_;  // to traffic, by space
  std::vector<core::DeviceId> powered_;
  std::vector<core::DeviceId> touched_;
  std::vector<Change> changes_;
  bool has_interference_ = false;
  bool has_power_ = false;
};

}  // namespace parley::sim
