#include "core/machine/link_check.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/machine/fault_list.h"
#include "core/machine/machine_check.h"

namespace parley::core {
namespace {

constexpr double kMostWeight = 1e6;

class LinkChecker : public FaultList {
 public:
  explicit LinkChecker(const MachineSpec& spec) : spec_(spec) {}

  Faults values() {
    check_resources();
    check_engines();
    check_routes();
    check_fabrics();
    return take_faults();
  }

  Faults references() {
    for (std::size_t i = 0; i < spec_.routes.size(); ++i) check_ends(i);
    check_relays();
    for (std::size_t i = 0; i < spec_.fabrics.size(); ++i) check_parts(i);
    check_use();
    return take_faults();
  }

 private:
  void check_resources() {
    check_unique("resources", spec_.resources);
    for (std::size_t i = 0; i < spec_.resources.size(); ++i) {
      const Resource& resource = spec_.resources[ResourceId(i)];
      if (!is_positive(resource.capacity.bytes_per_s())) {
        refuse(at("resources", i) + ".bytes_per_s",
               quoted(resource.name) + ": the bandwidth must be positive");
      } else if (resource.capacity.bytes_per_s() < kLeastRate) {
        refuse(at("resources", i) + ".bytes_per_s",
               quoted(resource.name) + ": the bandwidth must be at least 1 byte per second");
      }
    }
  }

  void check_engines() {
    check_unique("engines", spec_.engines);
    for (std::size_t i = 0; i < spec_.engines.size(); ++i) {
      const CopyEngine& engine = spec_.engines[CopyEngineId(i)];
      if (engine.slots < 1) {
        refuse(at("engines", i) + ".slots", quoted(engine.name) + " has " +
                                                std::to_string(engine.slots) +
                                                " slots; it must have at least 1");
      }
    }
  }

  void check_routes() {
    std::map<std::pair<SpaceId, SpaceId>, std::size_t> first;
    for (std::size_t i = 0; i < spec_.routes.size(); ++i) {
      const Route& route = spec_.routes[i];
      if (!spec_.spaces.contains(route.from) || !spec_.spaces.contains(route.to)) continue;
      const std::string pair = pair_text(spec_, route.from, route.to);
      const auto [place, is_new] = first.emplace(std::pair(route.from, route.to), i);
      if (!is_new) {
        refuse(at("routes", i), pair + " has a route already: " + at("routes", place->second));
      }
      check_route(route, at("routes", i), pair);
    }
  }

  /// `list` is "via", or the like.
  void check_via(const std::vector<Via>& list, const std::string& where, const char* list_name,
                 const std::string& of) {
    std::set<ResourceId> resources;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Via& via = list[i];
      const std::string at_via = where + "." + at(list_name, i);
      if (spec_.resources.contains(via.resource) && !resources.insert(via.resource).second) {
        refuse(at_via, of + ": " + quoted(spec_.resources[via.resource].name) +
                           " is named twice; add the weights");
      }
      if (!is_positive(via.weight)) {
        refuse(at_via, of + ": the weight must be positive");
      } else if (via.weight > kMostWeight || via.weight < 1.0 / kMostWeight) {
        refuse(at_via, of + ": the weight must be between 1e-6 and 1e6");
      }
    }
  }

  void check_route(const Route& route, const std::string& where, const std::string& pair) {
    check_via(route.via, where, "via", pair);
    std::set<CopyEngineId> engines;
    for (std::size_t i = 0; i < route.engines.size(); ++i) {
      const CopyEngineId engine = route.engines[i];
      if (!spec_.engines.contains(engine) || engines.insert(engine).second) continue;
      refuse(where + "." + at("engines", i),
             pair + ": " + quoted(spec_.engines[engine].name) + " is named twice");
    }
    if (route.latency < Duration(0)) {
      refuse(where + ".latency_ns", pair + ": the latency is negative");
    }
    if (route.issue < Duration(0)) {
      refuse(where + ".issue_ns", pair + ": the time to issue a copy is negative");
    }
    if (!is_not_negative(route.rate_cap.bytes_per_s())) {
      refuse(where + ".bytes_per_s", pair + ": the bandwidth must be positive");
    } else if (!route.rate_cap.is_unlimited() && route.rate_cap.bytes_per_s() < kLeastRate) {
      refuse(where + ".bytes_per_s", pair + ": the bandwidth must be at least 1 byte per second");
    }
    if (!(route.gives_way >= 0.0 && route.gives_way <= 1.0)) {
      refuse(where + ".gives_way", pair + ": must be between 0 and 1");
    }
    check_curve(route, where + ".curve", pair);
  }

  void check_curve(const Route& route, const std::string& where, const std::string& pair) {
    const auto& curve = route.curve;
    if (curve.empty()) return;
    if (curve.size() < 2) refuse(where, pair + ": a curve needs at least two points");
    if (route.latency != Duration(0) || !route.rate_cap.is_unlimited()) {
      refuse(where, pair + ": a curve stands instead of latency_ns and bytes_per_s");
    }
    for (std::size_t i = 0; i < curve.size(); ++i) {
      const std::string at_point = where + "[" + std::to_string(i) + "]";
      if (curve[i].first < 0 || curve[i].second < 0) {
        refuse(at_point, pair + ": bytes and ns must not be negative");
      }
      if (i == 0) continue;
      if (curve[i].first <= curve[i - 1].first) {
        refuse(at_point, pair + ": bytes must grow from point to point");
      }
      if (curve[i].second < curve[i - 1].second) {
        refuse(at_point, pair + ": a larger copy must not take less time");
      } else if (i + 1 == curve.size() && curve[i].second == curve[i - 1].second) {
        refuse(at_point, pair + ": a curve must rise at its end, whose pace larger copies keep");
      }
    }
  }

  // ---- fabrics ----

  void check_fabrics() {
    check_unique("fabrics", spec_.fabrics);
    for (std::size_t f = 0; f < spec_.fabrics.size(); ++f) {
      const Fabric& fabric = spec_.fabrics[f];
      const std::string where = at("fabrics", f);
      if (fabric.members.size() < 2) {
        refuse(where + ".members", quoted(fabric.name) + " joins fewer than two spaces");
      }
      check_pace(fabric.latency, fabric.rate_cap, where, quoted(fabric.name));
      check_via(fabric.via, where, "via", quoted(fabric.name));
      for (std::size_t level = 0; level < fabric.levels.size(); ++level) {
        check_pace(fabric.levels[level].latency, {}, where + "." + at("levels", level),
                   quoted(fabric.name));
      }
      std::map<SpaceId, std::size_t> first;
      std::vector<std::map<std::uint32_t, std::uint32_t>> above(fabric.levels.size());
      for (std::size_t m = 0; m < fabric.members.size(); ++m) {
        check_member(fabric, fabric.members[m], where + "." + at("members", m), above);
        const auto [place, is_new] = first.emplace(fabric.members[m].space, m);
        if (is_new || !spec_.spaces.contains(fabric.members[m].space)) continue;
        refuse(where + "." + at("members", m), quoted(spec_.spaces[fabric.members[m].space].name) +
                                                   " is " + at("members", place->second) + " too");
      }
    }
  }

  void check_pace(Duration latency, Bandwidth rate, const std::string& where,
                  const std::string& of) {
    if (latency < Duration(0)) refuse(where + ".latency_ns", of + ": the latency is negative");
    if (rate.is_unlimited()) return;
    if (!is_positive(rate.bytes_per_s())) {
      refuse(where + ".bytes_per_s", of + ": the bandwidth must be positive");
    } else if (rate.bytes_per_s() < kLeastRate) {
      refuse(where + ".bytes_per_s", of + ": the bandwidth must be at least 1 byte per second");
    }
  }

  /// `above`, by level: the group of the next level that a group was found to lie in.
  void check_member(const Fabric& fabric, const Fabric::Member& member, const std::string& where,
                    std::vector<std::map<std::uint32_t, std::uint32_t>>& above) {
    const std::string of = quoted(fabric.name);
    check_via(member.out, where, "out", of);
    check_via(member.in, where, "in", of);
    check_pace(member.latency_out, member.rate_out, where, of);
    check_pace(member.latency_in, member.rate_in, where, of);
    if (member.groups.size() != fabric.levels.size()) {
      refuse(where + ".groups", "expected a group for each of the " +
                                    std::to_string(fabric.levels.size()) + " levels, found " +
                                    std::to_string(member.groups.size()));
      return;
    }
    for (std::size_t level = 0; level < member.groups.size(); ++level) {
      const std::uint32_t group = member.groups[level];
      const std::size_t count = fabric.levels[level].groups.size();
      if (group >= count) {
        refuse(where + "." + at("groups", level),
               "the level has " + std::to_string(count) + " groups, from 0");
      } else if (level + 1 < member.groups.size()) {
        const auto parent = above[level].emplace(group, member.groups[level + 1]).first->second;
        if (parent == member.groups[level + 1]) continue;
        refuse(where + "." + at("groups", level + 1), "group " + std::to_string(group) +
                                                          " of the level below is in group " +
                                                          std::to_string(parent) + " already");
      }
    }
  }

  /// References of a fabric; a resource on the way out of one node and into another would be
  /// crossed twice.
  void check_parts(std::size_t index) {
    const Fabric& fabric = spec_.fabrics[index];
    const std::string where = at("fabrics", index);
    std::map<ResourceId, std::set<std::string>> entered;  // nodes into which it is crossed
    const auto node_of = [&](const Fabric::Member& member) {
      return spec_.spaces.contains(member.space) ? spec_.spaces[member.space].node : "";
    };
    for (const Fabric::Member& member : fabric.members) {
      for (const Via& via : member.in) entered[via.resource].insert(node_of(member));
    }
    for (std::size_t m = 0; m < fabric.members.size(); ++m) {
      const Fabric::Member& member = fabric.members[m];
      const std::string at_member = where + "." + at("members", m);
      if (!spec_.spaces.contains(member.space)) {
        refuse(at_member + ".space", "no such memory space");
      }
      for (const auto* list : {&member.out, &member.in}) {
        const bool is_out = list == &member.out;
        check_resources_of(*list, at_member, is_out ? "out" : "in");
        for (std::size_t i = 0; i < list->size(); ++i) {
          const auto into = entered.find((*list)[i].resource);
          if (!is_out || into == entered.end()) continue;
          const bool is_elsewhere =
              into->second.size() > 1 || !into->second.contains(node_of(member));
          if (!is_elsewhere || !spec_.resources.contains((*list)[i].resource)) continue;
          refuse(at_member + "." + at("out", i),
                 quoted(spec_.resources[(*list)[i].resource].name) +
                     " is on the way into another node too; what both cross belongs into \"via\"");
        }
      }
      for (const auto* list : {&member.engines_out, &member.engines_in}) {
        const char* name = list == &member.engines_out ? "engines_out" : "engines_in";
        for (std::size_t i = 0; i < list->size(); ++i) {
          if (spec_.engines.contains((*list)[i])) continue;
          refuse(at_member + "." + at(name, i), "no such copy engine");
        }
      }
    }
    check_resources_of(fabric.via, where, "via");
    for (std::size_t level = 0; level < fabric.levels.size(); ++level) {
      const auto& groups = fabric.levels[level].groups;
      for (std::size_t g = 0; g < groups.size(); ++g) {
        if (spec_.resources.contains(groups[g].up) && spec_.resources.contains(groups[g].down)) {
          continue;
        }
        refuse(where + "." + at("levels", level) + "." + at("groups", g), "no such resource");
      }
    }
  }

  void check_resources_of(const std::vector<Via>& list, const std::string& where,
                          const char* list_name) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (spec_.resources.contains(list[i].resource)) continue;
      refuse(where + "." + at(list_name, i), "no such resource");
    }
  }

  // ---- references ----

  void check_ends(std::size_t index) {
    const Route& route = spec_.routes[index];
    const std::string where = at("routes", index);
    for (const auto& [end, key] : {std::pair(route.from, ".from"), std::pair(route.to, ".to")}) {
      if (spec_.spaces.contains(end)) continue;
      refuse(where + key, "the route leads nowhere: no such memory space");
      return;
    }
    const std::string pair = pair_text(spec_, route.from, route.to);
    for (std::size_t i = 0; i < route.via.size(); ++i) {
      if (spec_.resources.contains(route.via[i].resource)) continue;
      refuse(where + "." + at("via", i), pair + ": no such resource");
    }
    for (std::size_t i = 0; i < route.engines.size(); ++i) {
      if (spec_.engines.contains(route.engines[i])) continue;
      refuse(where + "." + at("engines", i), pair + ": no such copy engine");
    }
  }

  void check_relays() {
    for (std::size_t i = 0; i < spec_.relays.size(); ++i) {
      const MachineSpec::Relay& relay = spec_.relays[i];
      const std::string where = relay_place(spec_, i);
      std::vector<SpaceId> stops{relay.from};
      stops.insert(stops.end(), relay.through.begin(), relay.through.end());
      stops.push_back(relay.to);
      if (relay.through.empty()) refuse(where, "a relay goes through at least one space");
      const auto is_known = [&](SpaceId stop) { return spec_.spaces.contains(stop); };
      if (!std::ranges::all_of(stops, is_known)) {
        refuse(where, "no such memory space");
        continue;
      }
      std::set<SpaceId> seen;
      for (const SpaceId stop : stops) {
        if (!seen.insert(stop).second) {
          refuse(where, pair_text(spec_, relay.from, relay.to) + ": " +
                            quoted(spec_.spaces[stop].name) + " is on the way more than once");
        }
      }
    }
  }

  void check_use() {
    std::vector<bool> is_resource_used(spec_.resources.size());
    std::vector<bool> is_engine_used(spec_.engines.size());
    const auto use = [&](const std::vector<Via>& list) {
      for (const Via& via : list) {
        if (spec_.resources.contains(via.resource)) is_resource_used[via.resource.index()] = true;
      }
    };
    const auto use_engines = [&](const std::vector<CopyEngineId>& list) {
      for (const CopyEngineId engine : list) {
        if (spec_.engines.contains(engine)) is_engine_used[engine.index()] = true;
      }
    };
    for (const Route& route : spec_.routes) {
      use(route.via);
      use_engines(route.engines);
    }
    for (const Fabric& fabric : spec_.fabrics) {
      use(fabric.via);
      for (const Fabric::Level& level : fabric.levels) {
        for (const Fabric::Group& group : level.groups) use({{group.up}, {group.down}});
      }
      for (const Fabric::Member& member : fabric.members) {
        use(member.out);
        use(member.in);
        use_engines(member.engines_out);
        use_engines(member.engines_in);
      }
    }
    for (std::size_t i = 0; i < spec_.resources.size(); ++i) {
      if (is_resource_used[i]) continue;
      refuse(at("resources", i), "no route uses " + quoted(spec_.resources[ResourceId(i)].name));
    }
    for (std::size_t i = 0; i < spec_.engines.size(); ++i) {
      if (is_engine_used[i]) continue;
      refuse(at("engines", i), "no route uses " + quoted(spec_.engines[CopyEngineId(i)].name));
    }
  }

  const MachineSpec& spec_;
};

}  // namespace

Faults link_values(const MachineSpec& spec) { return LinkChecker(spec).values(); }

Faults link_references(const MachineSpec& spec) { return LinkChecker(spec).references(); }

}  // namespace parley::core
