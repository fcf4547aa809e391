#include "workloads/formats/machine_links.h"

#include <optional>
#include <utility>
#include <vector>

#include "workloads/formats/link_reader.h"

namespace parley::workloads {
namespace {

using core::Bandwidth;
using core::CopyEngineId;
using core::Route;
using core::SpaceId;

/// Every space of a node has a port of its own to a switch that is not a limit; copies out of a
/// space queue behind each other.
void read_nvswitch(LinkReader& link) {
  const auto fields = link.fields(
      with_pace_keys({"spaces", "port_bytes_per_s", "port_both_bytes_per_s"}), {"spaces"});
  if (!fields) return;
  const std::vector<SpaceId> all = link.spaces(*fields);
  const Route route = link.pace(*fields);
  const double rate = link.rate(*fields, "port_bytes_per_s").value_or(asymptotic_rate(route));
  const std::optional<double> both = link.rate(*fields, "port_both_bytes_per_s");
  if (rate <= 0.0) return;  // noted already
  for (const SpaceId from : all) {
    for (const SpaceId to : all) {
      if (!link.are_neighbours(from, to)) continue;
      const std::string& sender = link.name_of(from);
      const std::string& receiver = link.name_of(to);
      std::vector<core::Via> via = {{link.resource(sender + ".egress", rate)},
                                    {link.resource(receiver + ".ingress", rate)}};
      if (both) {
        via.push_back({link.resource(sender + ".ports", *both)});
        via.push_back({link.resource(receiver + ".ports", *both)});
      }
      link.add_route(route, from, to, std::move(via), {link.engine(sender + ".peer_out")});
    }
  }
}

void add_nvlink(LinkReader& link, Route route, SpaceId from, SpaceId to, double links) {
  const double bytes_per_s = asymptotic_rate(route) * links;
  if (bytes_per_s <= 0.0) return;  // noted already
  route.rate_cap = Bandwidth(bytes_per_s);
  const std::string& sender = link.name_of(from);
  std::vector<core::Via> via;
  if (!link.is_overlap(from, to)) {  // whose resource has its own figure
    via.push_back({link.resource(sender + "-" + link.name_of(to), bytes_per_s)});
  }
  link.add_route(std::move(route), from, to, std::move(via), {link.engine(sender + ".peer_out")});
}

/// Point-to-point links, full duplex: "pairs": [["gpu0", "gpu1", 2], ...] with so many links.
void read_nvlink(LinkReader& link) {
  const auto fields = link.fields({"pairs", "latency_ns", "bytes_per_s"}, {"pairs"});
  if (!fields) return;
  const Route lone = link.pace(*fields);
  FieldReader& reader = link.reader();
  constexpr std::string_view kPair = "[SPACE, SPACE] or [SPACE, SPACE, LINKS]";
  const auto pairs = (*fields)["pairs"];
  if (!pairs) return;
  for (const JsonValue pair : reader.list(*pairs, "a list of pairs")) {
    const std::vector<JsonValue> parts = reader.list(pair, kPair);
    if (parts.size() != 2 && parts.size() != 3) {
      if (pair.is_list()) reader.wrong_type(pair, kPair);
      continue;
    }
    const SpaceId a = link.space(parts[0]);
    const SpaceId b = link.space(parts[1]);
    const std::int64_t links = parts.size() == 3 ? reader.integer(parts[2], 1, 64).value_or(1) : 1;
    if (a.is_none() || b.is_none()) continue;
    if (a == b) {
      reader.fault(pair, "a link leads from one space to another");
      continue;
    }
    add_nvlink(link, lone, a, b, static_cast<double>(links));
    add_nvlink(link, lone, b, a, static_cast<double>(links));
    link.note_routes(pair);
  }
}

/// Between the memories of a host's sockets, each a node of its own: full duplex, every two joined.
void read_socket(LinkReader& link) {
  const auto fields = link.fields(with_pace_keys({"spaces"}), {"spaces"});
  if (!fields) return;
  const std::vector<SpaceId> all = link.spaces(*fields);
  const Route route = link.pace(*fields);
  const double rate = asymptotic_rate(route);
  if (rate <= 0.0) return;  // noted already
  for (const SpaceId from : all) {
    for (const SpaceId to : all) {
      if (from == to) continue;
      const std::string name = link.name_of(from) + "-" + link.name_of(to);
      link.add_route(route, from, to, {{link.resource(name, rate)}}, {});
    }
  }
}

/// One half-duplex bus between all the spaces.
void read_shared_bus(LinkReader& link) {
  const auto fields = link.fields(with_pace_keys({"name", "spaces"}), {"spaces"});
  if (!fields) return;
  const auto given = (*fields)["name"];
  const std::string name = given ? link.reader().name(*given).value_or("bus") : "bus";
  const std::vector<SpaceId> all = link.spaces(*fields);
  const Route route = link.pace(*fields);
  const double rate = asymptotic_rate(route);
  if (rate <= 0.0) return;  // noted already
  for (const SpaceId from : all) {
    for (const SpaceId to : all) {
      if (from != to) link.add_route(route, from, to, {{link.resource(name, rate)}}, {});
    }
  }
}

/// Copies within each space.
void read_local(LinkReader& link) {
  const auto fields = link.fields(with_pace_keys({"spaces"}), {"spaces"});
  if (!fields) return;
  const Route route = link.pace(*fields);
  for (const SpaceId space : link.spaces(*fields)) link.add_route(route, space, space, {}, {});
}

}  // namespace

void read_link(FieldReader& reader, MachineDraft& draft, JsonValue link) {
  using Read = void (*)(LinkReader&);
  static const std::vector<std::pair<std::string, Read>> kTypes = {
      {"local", read_local},       {"network", read_network}, {"nvlink", read_nvlink},
      {"nvswitch", read_nvswitch}, {"pcie", read_pcie},       {"shared_bus", read_shared_bus},
      {"socket", read_socket},
  };
  if (!link.is_object()) return reader.wrong_type(link, "an object");
  const std::optional<JsonValue> type = FieldList(link)["type"];
  if (!type) return reader.fault(link, "\"type\" is missing");
  const std::optional<std::string> name = reader.text(*type);
  if (!name) return;
  std::vector<std::string> names;
  for (const auto& [known, read] : kTypes) {
    names.push_back(known);
    if (known != *name) continue;
    LinkReader of_type(reader, draft, link, known);
    return read(of_type);
  }
  reader.unknown(*type, "link type", *name, names);
}

}  // namespace parley::workloads
