// A machine: memory spaces, devices, links between spaces and what everything costs. Plain data,
// validated and completed once by Machine::create; immutable afterwards.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/units.h"

namespace parley::core {

struct MemorySpace {
  std::string name;
  Bytes capacity;
  std::string node;      // "" = the only one
  bool is_host = false;  // home slots live in host spaces: one per node
};

/// Kernels take `slowdown` times as long while copies move `bytes_per_s` into and out of their
/// device's memory, and in proportion at other rates.
struct Interference {
  double bytes_per_s = 0.0;
  double slowdown = 1.0;  // at least 1
};

/// Full load runs at full speed for `burst`, then at `sustained` of it; less than that it can do
/// for ever (sim/device_speeds.h).
struct PowerCap {
  Duration burst;
  double sustained = 1.0;  // above 0, at most 1
};

struct Device {
  std::string name;          // "gpu:0"
  std::string device_class;  // "gpu", "cpu"
  SpaceId space;
  std::int32_t slots = 1;                     // tasks of 1 vcu at a time
  std::map<std::string, double> flops_per_s;  // by dtype name
  double bytes_per_s = 0.0;                   // memory bandwidth, read plus written
  Duration launch;                            // start-up of a kernel
  /// Kernels that run side by side in each slot, no faster together than the device (KernelShares).
  /// 0: one at a time, undisturbed.
  std::int32_t streams = 0;
  /// Kernels of different kinds side by side on streams, one of them of a panel (is_of_panel: many
  /// dependent launches, each of which has to find room), with s the sum of what each can use
  /// (KernelShares), use no more than slots * (1 - exp(-saturation * s / slots)) together. 0: as
  /// much as kernels of one kind.
  double saturation = 0.0;
  Interference interference;
  PowerCap power;
};

/// A capacity that flows share: a link, a port, a host-memory limit.
struct Resource {
  std::string name;
  Bandwidth capacity;
};

/// A first-in-first-out server of copies, with `slots` at a time.
struct CopyEngine {
  std::string name;
  std::int32_t slots = 1;
};

struct Via {
  ResourceId resource;
  double weight = 1.0;  // units of the resource that one byte takes
};

enum class ShareMode : std::uint8_t { kFlow, kPair };

/// How bytes go from one space to another. Uncontended time of n bytes: latency + n / rate_cap, or
/// the curve (piecewise linear through [bytes, ns], flat before the first point, extrapolated with
/// its last slope). In a Machine, the cap is no higher than what the resources in `via` give one
/// flow.
struct Route {
  SpaceId from, to;
  std::vector<Via> via;
  std::vector<CopyEngineId> engines;
  Duration latency;
  Bandwidth rate_cap;  // 0 = unlimited
  std::vector<std::pair<std::int64_t, std::int64_t>> curve;
  ShareMode share = ShareMode::kFlow;
  /// How far its flows step back for others where something runs out, 0 to 1: where a flow that
  /// does not gets the rate L, one that would get `a` alone gets L (1 - gives_way (1 - L / a)).
  double gives_way = 0.0;
  Duration issue;        // what the host takes to issue a copy here beyond HostCosts::issue_copy
  std::string kind;      // "nvlink", "pcie", ...: for reports; "" = "link"
  Bandwidth shared_cap;  // set by Machine::create: what the resources give a single flow
};

/// Time of a copy of that many bytes that is alone on the route: nanoseconds, not rounded.
double uncontended_ns(const Route& route, double bytes);

/// Who puts commands on queues of engines and devices: the thread that decides, or one for each
/// memory space that takes over what the deciding thread has decided.
enum class Submitters : std::uint8_t { kOne, kPerGpu };

/// Time that the host's threads spend.
struct HostCosts {
  Duration issue_copy, issue_launch, round_trip;
  Duration decide;  // a step, besides decide_command for each of its commands
  std::int64_t pin_ns_per_mib = 0;
  Submitters submitters = Submitters::kOne;
  Duration decide_command;
  Duration issue_part;  // each further part of a copy; 0: as the first
  /// Each further copy within a GPU, of at most inline_copy, that shares a launch with the one
  /// before it; 0: none does. With submitters of their own, on GPUs with streams.
  Duration issue_joined;
  Duration poll;   // of the thread that finds an end: it issues nothing meanwhile
  Duration turn;   // from one look at a stream to that at the next, of a GPU's thread with nothing
                   // else to do; 0: it looks at all at once
  Duration event;  // from an end to the start of what waited for it on another engine or device
  Duration handoff;  // the same between the host's own tasks and what runs elsewhere
  /// By how much issuing takes longer, as a part of what it takes alone, for each other thread that
  /// issues at the same time.
  double crowding = 0.0;
  /// For copies of each pair of spaces and direction, on GPUs with streams; 0: as many as copies.
  std::int32_t copy_streams = 0;
  /// Copies of at most so many bytes follow what they wait for on its stream, done by a kernel.
  Bytes inline_copy;
};

/// Measured kernel durations, start-up included: (size, duration) ascending by size. Between two
/// sizes a power law through both; below the first its duration; beyond the last it grows with the
/// work: the cube of a tile's edge, or the number of elements. Key: kernel name, then device class
/// or name, then dtype name.
using KernelTable = std::map<
    std::string,
    std::map<std::string, std::map<std::string, std::vector<std::pair<std::int64_t, Duration>>>>>;

/// Which part of a device a kernel uses beside others like it, from 0 to 1: so many times the time
/// that it takes alone pass from one to the next. `of_all`: as many as there can be at a time;
/// `of_two`: beside one other, where more of its latencies are seen. In between linear in how many
/// there are.
struct KernelShare {
  // NOLINTNEXTLINE: a number is a share
  KernelShare(double all = 1.0, double two = 0.0) : of_all(all), of_two(std::max(all, two)) {}
  double of_all, of_two;
  bool operator==(const KernelShare&) const = default;
};

/// Linear between two sizes' logarithms, constant beyond. What is not listed fills the device. Keys
/// as in KernelTable.
using KernelShares =
    std::map<std::string,
             std::map<std::string,
                      std::map<std::string, std::vector<std::pair<std::int64_t, KernelShare>>>>>;

/// A network between nodes, by its parts: a route leads from any member to any other of another
/// node, out of the one, up and down a tree of switches, into the other. So many pairs need not be
/// stated one by one, and their routes are made when they are first used. What is stated as a route
/// comes first. No resource may be on the way out of one node and into another; what every route
/// crosses, such as a backbone, belongs into `via`.
struct Fabric {
  struct Member {
    SpaceId space;
    std::vector<Via> out, in;  // its own part of the way: links, host memory, network cards
    std::vector<CopyEngineId> engines_out, engines_in;
    Duration latency_out, latency_in;   // on top of the fabric's
    Bandwidth rate_out, rate_in;        // 0 = unlimited
    std::vector<std::uint32_t> groups;  // by level: which of its groups
  };
  struct Group {
    ResourceId up, down;  // to and from the level above
  };
  /// Switches that each join a group of members, or of groups of the level below; above the last
  /// level is one that is not a limit. Groups are nested.
  struct Level {
    Duration latency;  // of going above it and down again
    std::vector<Group> groups;
  };

  std::string name, kind;
  Duration latency;
  Bandwidth rate_cap;  // of one flow; 0 = unlimited
  std::vector<Via> via;
  std::vector<Level> levels;
  std::vector<Member> members;
};

class FabricRoutes;

struct MachineSpec {
  std::string name;
  std::string source;
  IdVector<SpaceId, MemorySpace> spaces;
  IdVector<DeviceId, Device> devices;
  IdVector<ResourceId, Resource> resources;
  IdVector<CopyEngineId, CopyEngine> engines;
  std::vector<Route> routes;
  struct Relay {
    SpaceId from, to;
    std::vector<SpaceId> through;
    std::string where;  // "routes[4]" of a file, for messages; "": its place among the relays
  };
  std::vector<Relay> relays;
  std::vector<Fabric> fabrics;
  HostCosts host;
  KernelTable kernels;
  KernelShares shares;
  /// What the host takes to issue a kernel of several launches, or behind a library's call, beyond
  /// HostCosts::issue_launch. What is not listed takes none.
  KernelTable issue;
};

class Machine {
 public:
  /// Checks (names unique, every device has a space, every node one host space, every space reaches
  /// its host and is reached, no resource or engine without a route, rates positive) and completes:
  /// a pair of which one is a host without a route, and each relay through non-host spaces, gets
  /// the concatenation of its legs as one pipelined route (latencies added, lowest cap, all
  /// resources). GPU pairs still without a route go through the home slot: that is the core's
  /// business. A space's route to itself defaults to a copy through its device's memory
  /// (bytes_per_s / 2).
  static Result<Machine> create(MachineSpec spec);

  [[nodiscard]] const std::string& name() const { return spec_.name; }
  [[nodiscard]] const MachineSpec& spec() const { return spec_; }
  [[nodiscard]] std::size_t space_count() const { return spec_.spaces.size(); }
  [[nodiscard]] std::size_t device_count() const { return spec_.devices.size(); }
  [[nodiscard]] const MemorySpace& space(SpaceId id) const { return spec_.spaces[id]; }
  [[nodiscard]] const Device& device(DeviceId id) const { return spec_.devices[id]; }
  [[nodiscard]] const HostCosts& host() const { return spec_.host; }
  /// None when bytes cannot go there directly.
  [[nodiscard]] RouteId route_id(SpaceId from, SpaceId to) const {
    return route_ids_[from.index() * space_count() + to.index()];
  }
  [[nodiscard]] const Route& route(RouteId id) const {
    return routes_.contains(id) ? routes_[id] : fabric_route(id);
  }
  /// Ids are below this; those from stated_route_count() on are of fabrics, a pair each.
  [[nodiscard]] std::size_t route_count() const {
    return routes_.size() + (spec_.fabrics.empty() ? 0 : space_count() * space_count());
  }
  [[nodiscard]] std::size_t stated_route_count() const { return routes_.size(); }
  /// The engines that a copy holds, in two lists. Unlike route(), makes no route of a fabric: for
  /// estimates, which look at many more pairs than copies use.
  [[nodiscard]] std::array<std::span<const CopyEngineId>, 2> engines(RouteId id) const;
  /// Resources on the longest route.
  [[nodiscard]] std::size_t longest_via() const { return longest_via_; }
  /// The host space of the same node.
  [[nodiscard]] SpaceId host_of(SpaceId space) const { return host_of_[space]; }
  /// The space of that name. "host" is the first node's host space, too, whatever its name: arrays
  /// have their homes there unless they say otherwise.
  [[nodiscard]] std::optional<SpaceId> find_space(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> space_names() const;
  [[nodiscard]] std::optional<DeviceId> find_device(std::string_view name) const;
  /// Uncontended duration of a copy of `bytes`, at least latency and at most kTooLong.
  [[nodiscard]] Duration copy_duration(RouteId id, Bytes bytes) const;

 private:
  Machine() = default;
  [[nodiscard]] const Route& fabric_route(RouteId id) const;

  MachineSpec spec_;
  IdVector<RouteId, Route> routes_;
  std::vector<RouteId> route_ids_;  // from x to
  std::size_t longest_via_ = 0;
  IdVector<SpaceId, SpaceId> host_of_;
  std::shared_ptr<const FabricRoutes> fabric_routes_;  // shared by copies of the machine
  std::map<std::string, SpaceId, std::less<>> space_ids_;
  std::map<std::string, DeviceId, std::less<>> device_ids_;
};

}  // namespace parley::core
