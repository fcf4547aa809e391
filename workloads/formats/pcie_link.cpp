// The link type "pcie": between a host and each of several spaces, a copy engine a direction.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/formats/link_reader.h"

namespace parley::workloads {
namespace {

using core::ResourceId;
using core::Route;
using core::SpaceId;

class PcieLink {
 public:
  PcieLink(LinkReader& link, const FieldList& fields)
      : link_(link),
        to_device_(link.pace_of(fields, "to_device")),
        from_device_(link.pace_of(fields, "from_device")),
        peer_(link.pace_of(fields, "peer")),
        joint_(link.rate(fields, "link_bytes_per_s")),
        switch_rate_(link.rate(fields, "switch_bytes_per_s")),
        host_out_(link.rate(fields, "host_out_bytes_per_s")),
        host_in_(link.rate(fields, "host_in_bytes_per_s")),
        host_both_(link.rate(fields, "host_both_bytes_per_s")),
        spaces_(link.spaces(fields)) {
    if (const auto host = fields["host"]) host_ = link.space(*host);
    if (const auto name = fields["switch"]) switch_ = link.reader().name(*name).value_or("");
    if (switch_.empty() != !switch_rate_) {
      link.reader().fault(fields.object(), "\"switch\" and \"switch_bytes_per_s\" go together");
    }
  }

  void add() {
    if (!to_device_ || !from_device_) return;  // noted already
    for (const SpaceId device : spaces_) {
      const SpaceId host = host_.is_none() ? link_.host_of(device) : host_;
      if (!host.is_none()) add_host_routes(host, device);
    }
    if (!peer_) return;
    for (const SpaceId from : spaces_) {
      for (const SpaceId to : spaces_) {
        if (link_.are_neighbours(from, to)) add_peer(from, to);
      }
    }
  }

 private:
  void add_host_routes(SpaceId host, SpaceId device) {
    const std::string& name = link_.name_of(device);
    const std::string& host_name = link_.name_of(host);
    std::vector<ResourceId> in, out;
    if (peer_) {  // the lanes are not the host's alone
      in.push_back(lanes_in(device));
      out.push_back(lanes_out(device));
    }
    for (auto* via : {&in, &out}) add_limit(*via, name + ".pcie", joint_);
    if (!switch_.empty()) {
      add_limit(in, switch_ + ".down", switch_rate_);
      add_limit(out, switch_ + ".up", switch_rate_);
    }
    add_limit(in, host_name + ".out", host_out_);
    add_limit(out, host_name + ".in", host_in_);
    for (auto* via : {&in, &out}) add_limit(*via, host_name + ".both", host_both_);
    link_.add_route(*to_device_, host, device, in, {link_.engine(name + ".from_host")});
    link_.add_route(*from_device_, device, host, out, {link_.engine(name + ".to_host")});
  }

  /// Between two devices of the link, below the switch or the host bridge.
  void add_peer(SpaceId from, SpaceId to) {
    const std::string& sender = link_.name_of(from);
    std::vector<ResourceId> via = {lanes_out(from), lanes_in(to)};
    add_limit(via, sender + ".pcie", joint_);
    add_limit(via, link_.name_of(to) + ".pcie", joint_);
    link_.add_route(*peer_, from, to, via, {link_.engine(sender + ".peer_out")});
  }

  ResourceId lanes_in(SpaceId device) {
    return link_.resource(link_.name_of(device) + ".pcie_in", asymptotic_rate(*to_device_));
  }
  ResourceId lanes_out(SpaceId device) {
    return link_.resource(link_.name_of(device) + ".pcie_out", asymptotic_rate(*from_device_));
  }
  void add_limit(std::vector<ResourceId>& via, const std::string& name,
                 std::optional<double> bytes_per_s) {
    if (bytes_per_s) via.push_back(link_.resource(name, *bytes_per_s));
  }

  LinkReader& link_;
  std::optional<Route> to_device_, from_device_, peer_;
  std::optional<double> joint_, switch_rate_, host_out_, host_in_, host_both_;
  std::vector<SpaceId> spaces_;
  SpaceId host_;  // none: that of each space's node
  std::string switch_;
};

}  // namespace

void read_pcie(LinkReader& link) {
  const auto fields =
      link.fields({"spaces", "host", "to_device", "from_device", "peer", "link_bytes_per_s",
                   "switch", "switch_bytes_per_s", "host_out_bytes_per_s", "host_in_bytes_per_s",
                   "host_both_bytes_per_s"},
                  {"spaces", "to_device", "from_device"});
  if (fields) PcieLink(link, *fields).add();
}

}  // namespace parley::workloads
