#include "core/machine/machine_check.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/dtype.h"
#include "core/graph/kernel.h"
#include "core/machine/fault_list.h"
#include "core/machine/link_check.h"

namespace parley::core {
namespace {

constexpr double kLeastSaturation = 0.01, kMostSaturation = 100.0;
constexpr double kMostSlowdown = 1000.0;

class Checker : public FaultList {
 public:
  explicit Checker(const MachineSpec& spec) : spec_(spec) {}

  Faults values() {
    if (spec_.name.empty()) refuse("name", "the machine has no name");
    check_spaces();
    check_devices();
    check_names();
    append(link_values(spec_));
    check_host();
    check_kernels();
    return take_faults();
  }

  Faults references() {
    for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
      const Device& device = spec_.devices[DeviceId(i)];
      if (spec_.spaces.contains(device.space)) continue;
      refuse(at("devices", i) + ".space", quoted(device.name) + " has no memory space");
    }
    append(link_references(spec_));
    return take_faults();
  }

 private:
  void append(Faults faults) {
    std::move(faults.begin(), faults.end(), std::back_inserter(faults_));
  }

  void check_spaces() {
    if (spec_.spaces.empty()) refuse("spaces", "there is no memory space");
    check_unique("spaces", spec_.spaces);
    std::map<std::string, std::vector<std::string>> hosts;  // by node
    for (std::size_t i = 0; i < spec_.spaces.size(); ++i) {
      const MemorySpace& space = spec_.spaces[SpaceId(i)];
      if (space.capacity <= Bytes(0)) {
        refuse(at("spaces", i) + ".bytes", quoted(space.name) + " holds " +
                                               std::to_string(space.capacity.count()) +
                                               " bytes; it must hold at least 1");
      }
      auto& of_node = hosts[space.node];
      if (space.is_host) of_node.push_back(space.name);
    }
    for (const auto& [node, names] : hosts) {
      const std::string of = node.empty() ? "the machine" : "node " + quoted(node);
      if (names.empty()) refuse("spaces", of + " has no host space; arrays have their homes there");
      if (names.size() > 1) {
        refuse("spaces", of + " has several host spaces (" + quoted(names[0]) + ", " +
                             quoted(names[1]) + "); it may have one");
      }
    }
  }

  void check_devices() {
    if (spec_.devices.empty()) refuse("devices", "there is no device");
    check_unique("devices", spec_.devices);
    for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
      const Device& device = spec_.devices[DeviceId(i)];
      const std::string where = at("devices", i);
      const std::string name = quoted(device.name);
      if (device.device_class.empty()) refuse(where + ".class", name + " has no class");
      if (device.slots < 1) {
        refuse(where + ".slots",
               name + " has " + std::to_string(device.slots) + " slots; it must have at least 1");
      }
      for (const auto& [dtype, rate] : device.flops_per_s) {
        if (!dtype_named(dtype)) refuse_dtype(where + ".flops_per_s", dtype);
        if (!is_positive(rate)) {
          refuse(where + ".flops_per_s." + dtype, name + ": a rate must be positive");
        }
      }
      if (!is_not_negative(device.bytes_per_s)) {
        refuse(where + ".bytes_per_s", name + ": a rate must be positive");
      }
      if (device.streams < 0) {
        refuse(where + ".streams", name + ": streams must not be negative");
      }
      if (device.saturation != 0.0 &&
          !(device.saturation >= kLeastSaturation && device.saturation <= kMostSaturation)) {
        refuse(where + ".saturation", name + ": a saturation must be from 0.01 to 100");
      }
      check_slowdowns(device, where, name);
      if (device.launch < Duration(0)) {
        refuse(where + ".launch_ns", name + ": a duration must not be negative");
      }
    }
  }

  void check_slowdowns(const Device& device, const std::string& where, const std::string& name) {
    const Interference& interference = device.interference;
    if (!(interference.slowdown >= 1.0 && interference.slowdown <= kMostSlowdown)) {
      refuse(where + ".interference.slowdown", name + ": a slowdown must be from 1 to 1000");
    } else if (interference.slowdown > 1.0 && !(interference.bytes_per_s >= kLeastRate &&
                                                std::isfinite(interference.bytes_per_s))) {
      refuse(where + ".interference.bytes_per_s", name + ": a rate must be at least 1 byte/s");
    }
    if (!(device.power.sustained >= 1.0 / kMostSlowdown && device.power.sustained <= 1.0)) {
      refuse(where + ".power.sustained", name + ": the sustained share must be from 0.001 to 1");
    }
    if (device.power.burst < Duration(0)) {
      refuse(where + ".power.burst_ns", name + ": a duration must not be negative");
    }
  }

  /// A word of a placement or a limit must mean one thing: "any" every device, else one device, one
  /// class or one space. A class's only device may carry its name ("cpu").
  void check_names() {
    std::map<std::string, std::size_t> class_sizes;
    for (const Device& device : spec_.devices) ++class_sizes[device.device_class];
    for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
      const Device& device = spec_.devices[DeviceId(i)];
      for (const std::string* name : {&device.name, &device.device_class}) {
        if (*name == "any") refuse(at("devices", i), "\"any\" means every device; rename it");
      }
      const auto same = class_sizes.find(device.name);
      if (same == class_sizes.end()) continue;
      if (device.device_class != device.name || same->second > 1) {
        refuse(at("devices", i) + ".name",
               quoted(device.name) + " is the name of a class with other devices too");
      }
    }
    for (std::size_t i = 0; i < spec_.spaces.size(); ++i) {
      const MemorySpace& space = spec_.spaces[SpaceId(i)];
      for (const Device& device : spec_.devices) {
        if (space.name.empty() || device.space == SpaceId(i)) continue;
        if (device.name == space.name || device.device_class == space.name) {
          refuse(at("spaces", i) + ".name",
                 quoted(space.name) + " is the name of a device or class of another space too");
          break;
        }
      }
    }
  }

  void check_host() {
    const auto check = [&](const char* key, std::int64_t ns) {
      if (ns < 0) refuse(std::string("host.") + key, "a duration must not be negative");
    };
    check("issue_copy_ns", spec_.host.issue_copy.count());
    check("issue_launch_ns", spec_.host.issue_launch.count());
    check("issue_part_ns", spec_.host.issue_part.count());
    check("issue_joined_ns", spec_.host.issue_joined.count());
    check("round_trip_ns", spec_.host.round_trip.count());
    check("decide_ns", spec_.host.decide.count());
    check("pin_ns_per_mib", spec_.host.pin_ns_per_mib);
    check("decide_command_ns", spec_.host.decide_command.count());
    check("poll_ns", spec_.host.poll.count());
    check("turn_ns", spec_.host.turn.count());
    check("event_ns", spec_.host.event.count());
    check("handoff_ns", spec_.host.handoff.count());
    if (!(spec_.host.crowding >= 0.0 && spec_.host.crowding <= 1.0)) {
      refuse("host.crowding", "must be between 0 and 1");
    }
    if (spec_.host.copy_streams < 0) refuse("host.copy_streams", "must not be negative");
    if (spec_.host.inline_copy < Bytes(0)) {
      refuse("host.inline_copy_bytes", "must not be negative");
    }
  }

  void check_kernels() {
    std::vector<std::string> known;
    for (const KernelSignature& signature : kernel_signatures()) {
      if (!signature.size_meaning.empty()) known.push_back(signature.name);
    }
    std::vector<std::string> devices;
    for (const Device& device : spec_.devices) {
      devices.push_back(device.device_class);
      devices.push_back(device.name);
    }
    for (const auto& [kernel, by_device] : spec_.kernels) {
      if (std::find(known.begin(), known.end(), kernel) == known.end()) {
        refuse("kernels", "unknown kernel " + quoted(kernel) + nearest_or_all(kernel, known));
      }
      check_tables("kernels." + kernel, by_device, devices);
    }
    for (const auto& [kernel, by_device] : spec_.issue) {
      if (std::find(known.begin(), known.end(), kernel) == known.end()) {
        refuse("issue", "unknown kernel " + quoted(kernel) + nearest_or_all(kernel, known));
      }
      check_tables("issue." + kernel, by_device, devices);
    }
    known.emplace_back("spin");  // takes the time that it is given, on a part of the device
    for (const auto& [kernel, by_device] : spec_.shares) {
      if (std::find(known.begin(), known.end(), kernel) == known.end()) {
        refuse("shares", "unknown kernel " + quoted(kernel) + nearest_or_all(kernel, known));
      }
      check_tables("shares." + kernel, by_device, devices);
    }
  }

  template <class ByDevice>
  void check_tables(const std::string& where, const ByDevice& by_device,
                    const std::vector<std::string>& devices) {
    for (const auto& [on, by_dtype] : by_device) {
      if (!devices.empty() && std::find(devices.begin(), devices.end(), on) == devices.end()) {
        refuse(where, "unknown device or class " + quoted(on) + nearest_or_all(on, devices));
      }
      for (const auto& [dtype, points] : by_dtype) {
        if (!dtype_named(dtype)) refuse_dtype(where + "." + on, dtype);
        check_points(where + "." + on + "." + dtype, points);
      }
    }
  }

  void check_value(const std::string& at_point, Duration value) {
    if (value < Duration(0)) refuse(at_point, "a duration must not be negative");
  }
  void check_value(const std::string& at_point, const KernelShare& share) {
    for (const double value : {share.of_all, share.of_two}) {
      if (value >= 0.0 && value <= 1.0) continue;
      refuse(at_point, "a share must be from 0 to 1; found " + std::to_string(value));
      return;
    }
  }

  template <class Value>
  void check_points(const std::string& where,
                    const std::vector<std::pair<std::int64_t, Value>>& points) {
    if (points.empty()) refuse(where, "a table needs at least one point");
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::string at_point = where + "[" + std::to_string(i) + "]";
      if (points[i].first < 1) refuse(at_point, "a size must be at least 1");
      check_value(at_point, points[i].second);
      if (i > 0 && points[i].first <= points[i - 1].first) {
        refuse(at_point, "sizes must grow from point to point");
      }
    }
  }

  void refuse_dtype(std::string where, const std::string& found) {
    const std::vector<std::string> names(kDTypeNames.begin(), kDTypeNames.end());
    refuse(std::move(where), "unknown dtype " + quoted(found) + nearest_or_all(found, names));
  }

  const MachineSpec& spec_;
};

}  // namespace

Faults check_values(const MachineSpec& spec) { return Checker(spec).values(); }

Faults check_references(const MachineSpec& spec) { return Checker(spec).references(); }

std::string relay_place(const MachineSpec& spec, std::size_t index) {
  const std::string& stated = spec.relays[index].where;
  return stated.empty() ? "relays[" + std::to_string(index) + "]" : stated;
}

std::string pair_text(const MachineSpec& spec, SpaceId from, SpaceId to) {
  return "\"" + spec.spaces[from].name + "\" to \"" + spec.spaces[to].name + "\"";
}

}  // namespace parley::core
