// The link type "network": cards of nodes and a tree of switches between them. Which spaces send
// and receive by themselves is up to "gpus"; with it, or with a tree, the link becomes a fabric,
// whose routes need not be stated pair by pair.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/formats/link_reader.h"

namespace parley::workloads {
namespace {

using core::Fabric;
using core::Route;
using core::SpaceId;
using core::Via;

class NetworkLink {
 public:
  NetworkLink(LinkReader& link, const FieldList& fields)
      : link_(link), fields_(fields), pace_(link.pace(fields)), spaces_(link.spaces(fields)) {
    fabric_.name = link.unused_fabric_name("network");
    fabric_.kind = pace_.kind;
    fabric_.latency = pace_.latency;
    fabric_.rate_cap = pace_.rate_cap;
    port_ = link.rate(fields, "port_bytes_per_s").value_or(asymptotic_rate(pace_));
    gpu_port_ = link.rate(fields, "gpu_port_bytes_per_s");
    read_gpus();
    for (const std::string key : {"curve", "share", "gives_way", "issue_ns"}) {
      if (!fields[key]) continue;
      link.reader().fault(*fields[key],
                          "a network with \"gpus\" or a \"tree\" has latency_ns and bytes_per_s");
    }
  }

  void add() {
    if (asymptotic_rate(pace_) <= 0.0) return;  // noted already
    read_tree();
    for (std::size_t i = 0; i < link_.routes().size(); ++i) {
      const Route& route = link_.routes()[i];
      stated_.emplace(std::pair(route.from, route.to), i);
    }
    if (spaces_.size() < 2) return;  // one node: nothing to join
    for (const SpaceId space : spaces_) {
      if (link_.host_of(space) == space) continue;
      link_.reader().fault(*fields_["spaces"], "\"" + link_.name_of(space) +
                                                   "\" is no host: the network joins nodes by "
                                                   "their hosts, \"gpus\" says how GPUs use it");
      return;
    }
    std::uint32_t node = 0;
    for (const SpaceId host : spaces_) add_node(host, node++);
    link_.add_fabric(std::move(fabric_));
  }

 private:
  enum class Gpus { kNone, kDirect, kThroughHost };
  struct Tier {
    std::int64_t nodes = 1;
    double bytes_per_s = 0.0;
  };

  // ---- reading ----

  void read_gpus() {
    FieldReader& reader = link_.reader();
    const auto value = fields_["gpus"];
    const auto word = value ? reader.text(*value) : std::nullopt;
    if (word && *word == "direct") {
      gpus_ = Gpus::kDirect;
    } else if (word && *word == "through_host") {
      gpus_ = Gpus::kThroughHost;
    } else if (word) {
      reader.unknown(*value, "word", *word, {"direct", "through_host"});
    }
    if (gpu_port_ && gpus_ != Gpus::kDirect) {
      reader.fault(*fields_["gpu_port_bytes_per_s"], "needs \"gpus\": \"direct\"");
    }
  }

  void read_tree() {
    FieldReader& reader = link_.reader();
    const auto tree = fields_["tree"];
    if (!tree) return;
    for (const JsonValue value : reader.list(*tree, "a list of levels, from the leaves")) {
      const auto fields =
          reader.fields(value, {"nodes", "bytes_per_s", "latency_ns"}, {"nodes", "bytes_per_s"});
      if (!fields) continue;
      Tier tier;
      const std::int64_t below = tiers_.empty() ? 1 : tiers_.back().nodes;
      if (const auto nodes = (*fields)["nodes"]) {
        tier.nodes = reader.integer(*nodes, below).value_or(below);
        if (tier.nodes % below != 0) {
          reader.wrong_type(*nodes, "a multiple of the nodes of the level below");
        }
      }
      tier.bytes_per_s = link_.rate(*fields, "bytes_per_s").value_or(1.0);
      fabric_.levels.emplace_back();
      if (const auto latency = (*fields)["latency_ns"]) {
        fabric_.levels.back().latency =
            core::Duration(reader.integer(*latency, 0, core::kLongestDuration.count()).value_or(0));
      }
      tiers_.push_back(tier);
    }
  }

  // ---- adding ----

  void add_node(SpaceId host, std::uint32_t node) {
    const std::string name = link_.name_of(host);
    Fabric::Member member;
    member.space = host;
    member.groups = groups_of(node);
    add_memory(member.out, host, true);
    add_memory(member.in, host, false);
    member.out.push_back({link_.resource(name + ".nic_out", port_)});
    member.in.push_back({link_.resource(name + ".nic_in", port_)});
    fabric_.members.push_back(member);
    if (gpus_ == Gpus::kNone) return;
    for (const SpaceId gpu : link_.devices_of(host)) {
      Fabric::Member of_gpu;
      of_gpu.space = gpu;
      of_gpu.groups = member.groups;
      if (gpus_ == Gpus::kDirect) {
        add_direct(of_gpu, name);
      } else {
        add_through_host(of_gpu, host, member);
      }
      fabric_.members.push_back(std::move(of_gpu));
    }
  }

  /// Its group of each level, and the resources of groups that are new.
  std::vector<std::uint32_t> groups_of(std::uint32_t node) {
    std::vector<std::uint32_t> groups;
    for (std::size_t level = 0; level < tiers_.size(); ++level) {
      const auto group = static_cast<std::uint32_t>(node / tiers_[level].nodes);
      groups.push_back(group);
      std::vector<Fabric::Group>& known = fabric_.levels[level].groups;
      while (known.size() <= group) {
        const std::string name =
            fabric_.name + ".level" + std::to_string(level) + "." + std::to_string(known.size());
        known.push_back({link_.resource(name + ".up", tiers_[level].bytes_per_s),
                         link_.resource(name + ".down", tiers_[level].bytes_per_s)});
      }
    }
    return groups;
  }

  /// The limits of the host's memory, if links to its devices have them: cards read and write it.
  void add_memory(std::vector<Via>& via, SpaceId host, bool is_out) {
    for (const SpaceId device : link_.devices_of(host)) {
      const Route* route = is_out ? stated(host, device) : stated(device, host);
      if (route == nullptr) continue;
      for (const Via& part : route->via) {
        if (is_limit_of(part, host)) merge(via, part);
      }
      return;
    }
  }

  /// By the GPU's own link and a card, past the host's memory (GPUDirect RDMA).
  void add_direct(Fabric::Member& member, const std::string& host) {
    const std::string name = link_.name_of(member.space);
    const SpaceId memory = link_.host_of(member.space);
    add_own_link(member.out, member.space, memory, member.space, memory);
    add_own_link(member.in, memory, member.space, member.space, memory);
    const std::string& card = gpu_port_ ? name : host;
    const double rate = gpu_port_.value_or(port_);
    member.out.push_back({link_.resource(card + ".nic_out", rate)});
    member.in.push_back({link_.resource(card + ".nic_in", rate)});
  }

  /// What the way between a GPU and its host's memory crosses of the GPU's own link: of PCIe its
  /// lanes alone, as cards are below the same switches; of any other link all but the memory's
  /// limits.
  void add_own_link(std::vector<Via>& via, SpaceId from, SpaceId to, SpaceId gpu, SpaceId host) {
    const Route* route = stated(from, to);
    if (route == nullptr) return;
    const auto is_lane = [&](const Via& part) {
      return link_.name_of(part.resource).starts_with(link_.name_of(gpu) + ".pcie");
    };
    const bool has_lanes = std::ranges::any_of(route->via, is_lane);
    for (const Via& part : route->via) {
      if (has_lanes ? is_lane(part) : !is_limit_of(part, host)) via.push_back(part);
    }
  }

  [[nodiscard]] bool is_limit_of(const Via& part, SpaceId host) const {
    const std::string& name = link_.name_of(part.resource);
    const std::string& of = link_.name_of(host);
    return name == of + ".out" || name == of + ".in" || name == of + ".both";
  }

  /// Through the host's memory, as one pipelined copy: its engine, its links, twice the memory.
  void add_through_host(Fabric::Member& member, SpaceId host, const Fabric::Member& of_host) {
    const Route* up = stated(member.space, host);
    const Route* down = stated(host, member.space);
    if (up == nullptr || down == nullptr) return;  // Machine::create says that there is no way
    member.latency_out = core::Duration(std::llround(core::uncontended_ns(*up, 0.0)));
    member.latency_in = core::Duration(std::llround(core::uncontended_ns(*down, 0.0)));
    member.rate_out = core::Bandwidth(asymptotic_rate(*up));
    member.rate_in = core::Bandwidth(asymptotic_rate(*down));
    member.engines_out = up->engines;
    member.engines_in = down->engines;
    for (const Via& part : up->via) merge(member.out, part);
    for (const Via& part : of_host.out) merge(member.out, part);
    for (const Via& part : of_host.in) merge(member.in, part);
    for (const Via& part : down->via) merge(member.in, part);
  }

  static void merge(std::vector<Via>& via, const Via& part) {
    const auto same = std::find_if(
        via.begin(), via.end(), [&](const Via& other) { return other.resource == part.resource; });
    if (same == via.end()) {
      via.push_back(part);
    } else {
      same->weight += part.weight;
    }
  }

  [[nodiscard]] const Route* stated(SpaceId from, SpaceId to) const {
    const auto found = stated_.find(std::pair(from, to));
    return found == stated_.end() ? nullptr : &link_.routes()[found->second];
  }

  LinkReader& link_;
  const FieldList& fields_;
  Route pace_;
  std::vector<SpaceId> spaces_;  // of hosts
  Fabric fabric_;
  double port_ = 0.0;
  std::optional<double> gpu_port_;
  Gpus gpus_ = Gpus::kNone;
  std::vector<Tier> tiers_;
  std::map<std::pair<SpaceId, SpaceId>, std::size_t> stated_;
};

}  // namespace

void read_network(LinkReader& link) {
  const auto fields = link.fields(
      with_pace_keys({"spaces", "port_bytes_per_s", "gpus", "gpu_port_bytes_per_s", "tree"}),
      {"spaces"});
  if (!fields) return;
  if (fields->has("gpus") || fields->has("tree")) return NetworkLink(link, *fields).add();
  // A card each, full duplex, which transfers share.
  const std::vector<SpaceId> all = link.spaces(*fields);
  const Route route = link.pace(*fields);
  const double rate = link.rate(*fields, "port_bytes_per_s").value_or(asymptotic_rate(route));
  if (fields->has("gpu_port_bytes_per_s")) {
    link.reader().fault(*(*fields)["gpu_port_bytes_per_s"], "needs \"gpus\": \"direct\"");
  }
  if (rate <= 0.0) return;  // noted already
  for (const SpaceId from : all) {
    for (const SpaceId to : all) {
      if (from == to) continue;
      link.add_route(route, from, to,
                     {{link.resource(link.name_of(from) + ".nic_out", rate)},
                      {link.resource(link.name_of(to) + ".nic_in", rate)}},
                     {});
    }
  }
}

}  // namespace parley::workloads
