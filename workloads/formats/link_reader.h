// What the types of links of a machine file have in common: reading spaces and paces, adding routes
// and the resources and copy engines that they share by name.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/formats/field_reader.h"
#include "workloads/formats/machine_draft.h"

namespace parley::workloads {

class LinkReader {
 public:
  /// `type` of the link; the kind of its routes unless the link states one.
  LinkReader(FieldReader& reader, MachineDraft& draft, JsonValue link, std::string type)
      : reader_(reader), draft_(draft), link_(link), kind_(std::move(type)) {}

  [[nodiscard]] FieldReader& reader() { return reader_; }

  // ---- reading ----

  /// The members of the link, "type" and "kind" among them.
  std::optional<FieldList> fields(std::vector<std::string> keys,
                                  std::initializer_list<std::string_view> required);
  /// Of one space named in the file, or none after a fault.
  core::SpaceId space(JsonValue value);
  /// What "spaces" lists: "gpus", "hosts" (one a node), or names.
  std::vector<core::SpaceId> spaces(const FieldList& fields);
  std::optional<double> rate(const FieldList& fields, std::string_view key);
  /// A route's pace, which must have a rate.
  core::Route pace(const FieldList& fields);
  /// The pace under `key`; nothing when it is not there.
  std::optional<core::Route> pace_of(const FieldList& fields, std::string_view key);

  // ---- adding ----

  [[nodiscard]] const std::string& name_of(core::SpaceId space) const {
    return draft_.name_of(space);
  }
  [[nodiscard]] bool are_neighbours(core::SpaceId a, core::SpaceId b) const {
    return a != b && draft_.spec.spaces[a].node == draft_.spec.spaces[b].node;
  }
  /// The host space of that space's node; none when the file has none.
  [[nodiscard]] core::SpaceId host_of(core::SpaceId space) const;
  /// The other spaces of that host's node.
  [[nodiscard]] std::vector<core::SpaceId> devices_of(core::SpaceId host) const;
  [[nodiscard]] const std::string& name_of(core::ResourceId resource) const {
    return draft_.spec.resources[resource].name;
  }
  [[nodiscard]] const std::vector<core::Route>& routes() const { return draft_.spec.routes; }
  [[nodiscard]] const std::vector<core::MachineSpec::Relay>& relays() const {
    return draft_.spec.relays;
  }
  /// Whether a network lets GPUs send and receive by themselves, over their own links.
  [[nodiscard]] bool has_direct_network() const { return draft_.has_direct_network; }
  /// Where the file states the routes added since the last call; else the link as a whole does.
  void note_routes(JsonValue at) { draft_.note_routes(reader_.path(at)); }
  void add_fabric(core::Fabric fabric) { draft_.spec.fabrics.push_back(std::move(fabric)); }
  /// `name`, with a number when there is a fabric of that name.
  [[nodiscard]] std::string unused_fabric_name(const std::string& name) const;
  /// The one of that name, made if there is none yet. A fault when it has another figure; told once
  /// a link.
  core::ResourceId resource(const std::string& name, double bytes_per_s);
  [[nodiscard]] bool has_resource(const std::string& name) const;
  core::CopyEngineId engine(const std::string& name);
  /// Whether a route joins them already, which is a fault that is noted once all links are read.
  [[nodiscard]] bool is_overlap(core::SpaceId from, core::SpaceId to) const;
  void add_route(core::Route pace, core::SpaceId from, core::SpaceId to, std::vector<core::Via> via,
                 std::vector<core::CopyEngineId> engines);

 private:
  FieldReader& reader_;
  MachineDraft& draft_;
  JsonValue link_;
  std::string kind_;
  bool has_told_of_figures_ = false;
};

/// The rate that a route approaches: its cap, or the last slope of its curve. 0 when neither is.
double asymptotic_rate(const core::Route& route);

/// latency_ns and bytes_per_s, or curve; share. What is missing or wrong is left as it is.
void read_pace(FieldReader& reader, const FieldList& fields, core::Route& route);

/// Keys of read_pace.
std::vector<std::string> with_pace_keys(std::vector<std::string> keys);

/// The link types "pcie" and "network".
void read_pcie(LinkReader& link);
void read_network(LinkReader& link);

}  // namespace parley::workloads
