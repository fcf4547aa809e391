// The link type "pcie": a tree between a host's memory and each of several spaces. From the root:
// the host's memory, root complexes, switches, the links of the spaces themselves. Whatever of
// these the file gives a figure for becomes a resource; a copy engine each way for every space.
#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/formats/link_reader.h"

namespace parley::workloads {
namespace {

using core::Route;
using core::SpaceId;
using core::Via;

enum class Way { kDown, kUp };  // from the host, to the host

/// A capacity that both directions share; what one byte takes of it, by direction.
struct JointLimit {
  double bytes_per_s = 0.0;
  double down_weight = 1.0, up_weight = 1.0;
  [[nodiscard]] double weight(Way way) const { return way == Way::kDown ? down_weight : up_weight; }
};

/// A root complex or the host's memory: limits of what leaves it, what enters it, and both.
struct Limits {
  std::optional<double> out, in;
  std::optional<JointLimit> both;
  [[nodiscard]] bool empty() const { return !out && !in && !both; }
};

const std::vector<std::string> kKeys = {"spaces",
                                        "host",
                                        "to_device",
                                        "from_device",
                                        "peer",
                                        "peer_across",
                                        "link_bytes_per_s",
                                        "switch",
                                        "per_switch",
                                        "switch_bytes_per_s",
                                        "root",
                                        "per_root",
                                        "root_out_bytes_per_s",
                                        "root_in_bytes_per_s",
                                        "root_both_bytes_per_s",
                                        "host_out_bytes_per_s",
                                        "host_in_bytes_per_s",
                                        "host_both_bytes_per_s"};

class PcieLink {
 public:
  PcieLink(LinkReader& link, const FieldList& fields)
      : link_(link),
        fields_(fields),
        down_(link.pace_of(fields, "to_device")),
        up_(link.pace_of(fields, "from_device")),
        peer_(link.pace_of(fields, "peer")),
        peer_across_(link.pace_of(fields, "peer_across")),
        lanes_(joint("link_bytes_per_s")),
        switch_rate_(link.rate(fields, "switch_bytes_per_s")),
        root_limits_(limits("root_")),
        host_limits_(limits("host_")),
        spaces_(link.spaces(fields)) {
    if (const auto host = fields["host"]) host_ = link.space(*host);
    FieldReader& reader = link.reader();
    switches_ = groups("switch", "per_switch");
    roots_ = groups("root", "per_root");
    if (has_any({"switch", "per_switch"}) != has_any({"switch_bytes_per_s"})) {
      reader.fault(fields.object(),
                   "\"switch\" (or \"per_switch\") and \"switch_bytes_per_s\" go together");
    }
    if (has_any({"root", "per_root"}) !=
        has_any({"root_out_bytes_per_s", "root_in_bytes_per_s", "root_both_bytes_per_s"})) {
      reader.fault(fields.object(),
                   "\"root\" (or \"per_root\") goes together with \"root_out_bytes_per_s\", "
                   "\"root_in_bytes_per_s\" or \"root_both_bytes_per_s\"");
    }
    refuse_divided_switches();
    if (peer_across_ && !has_any({"switch", "per_switch"})) {
      reader.fault(*fields["peer_across"], "copies across switches, and there are none");
    }
  }

  void add() {
    if (!down_ || !up_) return;  // noted already
    for (std::size_t i = 0; i < spaces_.size(); ++i) add_host_routes(i);
    // Peers that are joined otherwise (by NVLink, by a relay) do not use PCIe.
    std::set<std::pair<SpaceId, SpaceId>> joined;
    for (const Route& route : link_.routes()) joined.emplace(route.from, route.to);
    for (const auto& relay : link_.relays()) joined.emplace(relay.from, relay.to);
    for (std::size_t from = 0; from < spaces_.size(); ++from) {
      for (std::size_t to = 0; to < spaces_.size(); ++to) {
        if (!link_.are_neighbours(spaces_[from], spaces_[to])) continue;
        if (!joined.contains({spaces_[from], spaces_[to]})) add_peer(from, to);
      }
    }
  }

 private:
  // ---- reading ----

  [[nodiscard]] bool has_any(std::initializer_list<std::string_view> keys) const {
    return std::ranges::any_of(keys, [&](std::string_view key) { return fields_.has(key); });
  }

  /// A number, or an object that says what a byte takes in either direction.
  std::optional<JointLimit> joint(std::string_view key) {
    const auto value = fields_[key];
    if (!value) return std::nullopt;
    FieldReader& reader = link_.reader();
    JointLimit limit;
    if (!value->is_object()) {
      limit.bytes_per_s = reader.positive(*value).value_or(1.0);
      return limit;
    }
    const auto parts =
        reader.fields(*value, {"bytes_per_s", "to_device", "from_device"}, {"bytes_per_s"});
    if (!parts) return std::nullopt;
    const auto number = [&](std::string_view name, double otherwise) {
      const auto part = (*parts)[name];
      return part ? reader.positive(*part).value_or(otherwise) : otherwise;
    };
    limit.bytes_per_s = number("bytes_per_s", 1.0);
    limit.down_weight = number("to_device", 1.0);
    limit.up_weight = number("from_device", 1.0);
    return limit;
  }

  Limits limits(const std::string& of) {
    return {link_.rate(fields_, of + "out_bytes_per_s"), link_.rate(fields_, of + "in_bytes_per_s"),
            joint(of + "both_bytes_per_s")};
  }

  /// By position in `spaces_`, the name of the switch or root above it: one of that name above all,
  /// or one above each so many of a node; empty when there is none.
  std::vector<std::string> groups(const std::string& kind, const std::string& per) {
    FieldReader& reader = link_.reader();
    const auto name = fields_[kind];
    const auto size = fields_[per];
    if (name && size) {
      reader.fault(fields_.object(), "\"" + kind + "\" and \"" + per + "\" exclude each other");
    }
    if (name) return {spaces_.size(), reader.name(*name).value_or(kind)};
    if (!size) return {};
    // A faulty size has been noted: one group.
    const std::int64_t each = reader.integer(*size, 1).value_or(INT64_MAX);
    std::vector<std::string> result;
    std::map<SpaceId, std::int64_t> before;    // by host: spaces of its node so far
    std::map<SpaceId, std::int64_t> first_of;  // by host: the number of its first group
    for (const SpaceId space : spaces_) {
      const SpaceId host = host_above(space);
      const std::string prefix = (host.is_none() ? "" : link_.name_of(host)) + "." + kind;
      const auto first = first_of.try_emplace(host, 0).first;
      if (before[host] == 0) first->second = first_unused(prefix);
      result.push_back(prefix + std::to_string(first->second + before[host]++ / each));
    }
    return result;
  }

  /// The first number that no other link has given to a group.
  [[nodiscard]] std::int64_t first_unused(const std::string& prefix) const {
    std::int64_t number = 0;
    const auto is_used = [&](const std::string& name) {
      return std::ranges::any_of(
          std::array{".up", ".down", ".out", ".in", ".both"},
          [&](const char* suffix) { return link_.has_resource(name + suffix); });
    };
    while (is_used(prefix + std::to_string(number))) ++number;
    return number;
  }

  /// A switch is below one root complex.
  void refuse_divided_switches() {
    if (switches_.empty() || roots_.empty()) return;
    std::map<std::string, std::string> root_of;
    for (std::size_t i = 0; i < spaces_.size(); ++i) {
      const std::string& root = root_of.emplace(switches_[i], roots_[i]).first->second;
      if (root == roots_[i]) continue;
      link_.reader().fault(fields_.object(), "switch \"" + switches_[i] +
                                                 "\" is below two root complexes, \"" + root +
                                                 "\" and \"" + roots_[i] + "\"; it may have one");
      return;
    }
  }

  [[nodiscard]] SpaceId host_above(SpaceId space) const {
    return host_.is_none() ? link_.host_of(space) : host_;
  }

  // ---- adding ----

  void add_host_routes(std::size_t i) {
    const SpaceId device = spaces_[i];
    const SpaceId host = host_above(device);
    if (host.is_none()) return;  // check_values notes it
    const std::string& name = link_.name_of(device);
    link_.add_route(*down_, host, device, to_memory(i, Way::kDown, link_.name_of(host)),
                    {link_.engine(name + ".from_host")});
    link_.add_route(*up_, device, host, to_memory(i, Way::kUp, link_.name_of(host)),
                    {link_.engine(name + ".to_host")});
  }

  /// All of the tree between a space and the host's memory.
  std::vector<Via> to_memory(std::size_t i, Way way, const std::string& host) {
    std::vector<Via> via;
    add_own_link(via, i, way);
    add_switch(via, i, way);
    if (!roots_.empty()) add_limits(via, roots_[i], root_limits_, way);
    add_limits(via, host, host_limits_, way);
    return via;
  }

  /// Between two spaces: below their switch, or up to the root complex and down again.
  void add_peer(std::size_t from, std::size_t to) {
    const bool is_across = !switches_.empty() && switches_[from] != switches_[to];
    const std::optional<Route>& pace = is_across ? peer_across_ : peer_;
    if (!pace) return;  // such pairs go through the home slot
    std::vector<Via> via;
    add_own_link(via, from, Way::kUp);
    if (is_across) {
      add_switch(via, from, Way::kUp);
      if (!roots_.empty() && roots_[from] != roots_[to]) {
        add_limits(via, roots_[from], root_limits_, Way::kUp);
        add_limits(via, roots_[to], root_limits_, Way::kDown);
      }
      add_switch(via, to, Way::kDown);
    }
    add_own_link(via, to, Way::kDown);
    link_.add_route(*pace, spaces_[from], spaces_[to], std::move(via),
                    {link_.engine(link_.name_of(spaces_[from]) + ".peer_out")});
  }

  /// The lanes of a space: where peers or a network use them too, they are a resource of their own
  /// each way.
  void add_own_link(std::vector<Via>& via, std::size_t i, Way way) {
    const std::string& name = link_.name_of(spaces_[i]);
    if (peer_ || peer_across_ || link_.has_direct_network()) {
      const bool is_down = way == Way::kDown;
      add_limit(via, name + (is_down ? ".pcie_in" : ".pcie_out"),
                asymptotic_rate(is_down ? *down_ : *up_));
    }
    if (lanes_) add_limit(via, name + ".pcie", lanes_->bytes_per_s, lanes_->weight(way));
  }

  void add_switch(std::vector<Via>& via, std::size_t i, Way way) {
    if (switches_.empty() || !switch_rate_) return;
    add_limit(via, switches_[i] + (way == Way::kDown ? ".down" : ".up"), *switch_rate_);
  }

  void add_limits(std::vector<Via>& via, const std::string& name, const Limits& limits, Way way) {
    const std::optional<double>& one_way = way == Way::kDown ? limits.out : limits.in;
    if (one_way) add_limit(via, name + (way == Way::kDown ? ".out" : ".in"), *one_way);
    if (limits.both) {
      add_limit(via, name + ".both", limits.both->bytes_per_s, limits.both->weight(way));
    }
  }

  void add_limit(std::vector<Via>& via, const std::string& name, double bytes_per_s,
                 double weight = 1.0) {
    via.push_back({link_.resource(name, bytes_per_s), weight});
  }

  LinkReader& link_;
  const FieldList& fields_;
  std::optional<Route> down_, up_, peer_, peer_across_;
  std::optional<JointLimit> lanes_;
  std::optional<double> switch_rate_;
  Limits root_limits_, host_limits_;
  std::vector<SpaceId> spaces_;
  std::vector<std::string> switches_, roots_;  // by position in spaces_; empty: none
  SpaceId host_;                               // none: that of each space's node
};

}  // namespace

void read_pcie(LinkReader& link) {
  const auto fields = link.fields(kKeys, {"spaces", "to_device", "from_device"});
  if (fields) PcieLink(link, *fields).add();
}

}  // namespace parley::workloads
