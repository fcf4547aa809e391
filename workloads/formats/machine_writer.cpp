// MachineSpec to JSON: the long form, one part a line, so that two machines can be compared with
// ordinary tools.
#include <string>
#include <string_view>
#include <utility>

#include "workloads/formats/json_document.h"
#include "workloads/formats/machine_json.h"

namespace parley::workloads {
namespace {

using core::MachineSpec;
using core::Route;

/// Commas between the members or elements of one object or list.
class Separator {
 public:
  explicit Separator(std::string_view text) : text_(text) {}
  std::string_view next() {
    const std::string_view now = is_first_ ? std::string_view() : text_;
    is_first_ = false;
    return now;
  }

 private:
  std::string_view text_;
  bool is_first_ = true;
};

/// One object on one line: {"key": value, ...}.
class Line {
 public:
  Line(std::string& out, std::string_view indent) : out_(out) {
    out_ += indent;
    out_ += '{';
  }
  void close() { out_ += '}'; }
  void text(std::string_view key, std::string_view value) {
    start(key);
    append_quoted(out_, value);
  }
  void integer(std::string_view key, std::int64_t value) {
    start(key);
    out_ += std::to_string(value);
  }
  void number(std::string_view key, double value) {
    start(key);
    append_float(out_, value);
  }
  /// The key, for a value that the caller appends.
  void start(std::string_view key) {
    out_ += separator_.next();
    append_quoted(out_, key);
    out_ += ": ";
  }

 private:
  std::string& out_;
  Separator separator_{", "};
};

class MachineWriter {
 public:
  explicit MachineWriter(const MachineSpec& spec) : spec_(spec) {}

  std::string write() {
    out_ = "{\n  \"format\": \"parley-machine\",\n  \"version\": 1,\n  \"name\": ";
    append_quoted(out_, spec_.name);
    out_ += ",\n  \"source\": ";
    append_quoted(out_, spec_.source);
    write_list("spaces", spec_.spaces, [this](const auto& space) { write_space(space); });
    write_list("devices", spec_.devices, [this](const auto& device) { write_device(device); });
    write_list("resources", spec_.resources, [this](const core::Resource& resource) {
      Line line(out_, "    ");
      line.text("name", resource.name);
      line.number("bytes_per_s", resource.capacity.bytes_per_s());
      line.close();
    });
    write_list("engines", spec_.engines, [this](const core::CopyEngine& engine) {
      Line line(out_, "    ");
      line.text("name", engine.name);
      line.integer("slots", engine.slots);
      line.close();
    });
    write_routes();
    if (!spec_.fabrics.empty()) {
      write_list("fabrics", spec_.fabrics, [this](const auto& fabric) { write_fabric(fabric); });
    }
    write_host();
    write_kernels();
    out_ += "\n}\n";
    return std::move(out_);
  }

 private:
  template <class List, class Write>
  void write_list(std::string_view key, const List& list, const Write& write) {
    start_list(key);
    Separator separator(",\n");
    for (const auto& item : list) {
      out_ += separator.next();
      write(item);
    }
    out_ += "]";
  }

  void start_list(std::string_view key) {
    out_ += ",\n  ";
    append_quoted(out_, key);
    out_ += ": [\n";
  }

  [[nodiscard]] const std::string& name(core::SpaceId space) const {
    return spec_.spaces[space].name;
  }

  void write_space(const core::MemorySpace& space) {
    Line line(out_, "    ");
    line.text("name", space.name);
    line.integer("bytes", space.capacity.count());
    if (!space.node.empty()) line.text("node", space.node);
    if (space.is_host != (space.name == "host")) {
      line.start("host");
      out_ += space.is_host ? "true" : "false";
    }
    line.close();
  }

  void write_device(const core::Device& device) {
    Line line(out_, "    ");
    line.text("name", device.name);
    line.text("class", device.device_class);
    line.text("space", name(device.space));
    line.integer("slots", device.slots);
    if (device.streams > 0) line.integer("streams", device.streams);
    if (device.saturation > 0.0) line.number("saturation", device.saturation);
    if (!device.flops_per_s.empty()) {
      line.start("flops_per_s");
      Line rates(out_, "");
      for (const auto& [dtype, rate] : device.flops_per_s) rates.number(dtype, rate);
      rates.close();
    }
    if (device.bytes_per_s > 0.0) line.number("bytes_per_s", device.bytes_per_s);
    line.integer("launch_ns", device.launch.count());
    if (device.interference.slowdown > 1.0) {
      line.start("interference");
      Line interference(out_, "");
      interference.number("bytes_per_s", device.interference.bytes_per_s);
      interference.number("slowdown", device.interference.slowdown);
      interference.close();
    }
    if (device.power.sustained < 1.0) {
      line.start("power");
      Line power(out_, "");
      power.integer("burst_ns", device.power.burst.count());
      power.number("sustained", device.power.sustained);
      power.close();
    }
    line.close();
  }

  void write_routes() {
    start_list("routes");
    Separator separator(",\n");
    for (const Route& route : spec_.routes) {
      out_ += separator.next();
      write_route(route);
    }
    for (const MachineSpec::Relay& relay : spec_.relays) {
      out_ += separator.next();
      Line line(out_, "    ");
      line.text("from", name(relay.from));
      line.text("to", name(relay.to));
      line.start("relay");
      Separator comma(", ");
      out_ += '[';
      for (const core::SpaceId stop : relay.through) {
        out_ += comma.next();
        append_quoted(out_, name(stop));
      }
      out_ += ']';
      line.close();
    }
    out_ += "]";
  }

  void write_route(const Route& route) {
    Line line(out_, "    ");
    line.text("from", name(route.from));
    line.text("to", name(route.to));
    write_via(line, "via", route.via);
    write_engines(line, "engines", route.engines);
    write_pace(line, route);
    if (route.share == core::ShareMode::kPair) line.text("share", "pair");
    if (route.gives_way > 0.0) line.number("gives_way", route.gives_way);
    if (route.issue > core::Duration(0)) line.integer("issue_ns", route.issue.count());
    if (!route.kind.empty()) line.text("kind", route.kind);
    line.close();
  }

  void write_via(Line& line, std::string_view key, const std::vector<core::Via>& list) {
    line.start(key);
    out_ += '[';
    Separator comma(", ");
    for (const core::Via& via : list) {
      out_ += comma.next();
      Line object(out_, "");
      object.text("resource", spec_.resources[via.resource].name);
      object.number("weight", via.weight);
      object.close();
    }
    out_ += ']';
  }

  void write_engines(Line& line, std::string_view key,
                     const std::vector<core::CopyEngineId>& list) {
    line.start(key);
    out_ += '[';
    Separator comma(", ");
    for (const core::CopyEngineId engine : list) {
      out_ += comma.next();
      append_quoted(out_, spec_.engines[engine].name);
    }
    out_ += ']';
  }

  void write_fabric(const core::Fabric& fabric) {
    Line line(out_, "    ");
    line.text("name", fabric.name);
    if (!fabric.kind.empty()) line.text("kind", fabric.kind);
    line.integer("latency_ns", fabric.latency.count());
    if (!fabric.rate_cap.is_unlimited()) {
      line.number("bytes_per_s", fabric.rate_cap.bytes_per_s());
    }
    write_via(line, "via", fabric.via);
    line.start("levels");
    out_ += '[';
    Separator level_comma(", ");
    for (const core::Fabric::Level& level : fabric.levels) {
      out_ += level_comma.next();
      write_level(level);
    }
    out_ += ']';
    line.start("members");
    out_ += "[\n";
    Separator member_comma(",\n");
    for (const core::Fabric::Member& member : fabric.members) {
      out_ += member_comma.next();
      write_member(member);
    }
    out_ += ']';
    line.close();
  }

  void write_level(const core::Fabric::Level& level) {
    Line line(out_, "");
    line.integer("latency_ns", level.latency.count());
    line.start("groups");
    out_ += '[';
    Separator comma(", ");
    for (const core::Fabric::Group& group : level.groups) {
      out_ += comma.next();
      out_ += '[';
      append_quoted(out_, spec_.resources[group.up].name);
      out_ += ", ";
      append_quoted(out_, spec_.resources[group.down].name);
      out_ += ']';
    }
    out_ += ']';
    line.close();
  }

  void write_member(const core::Fabric::Member& member) {
    Line line(out_, "      ");
    line.text("space", name(member.space));
    line.start("groups");
    out_ += '[';
    Separator comma(", ");
    for (const std::uint32_t group : member.groups) {
      out_ += comma.next();
      out_ += std::to_string(group);
    }
    out_ += ']';
    write_via(line, "out", member.out);
    write_via(line, "in", member.in);
    write_engines(line, "engines_out", member.engines_out);
    write_engines(line, "engines_in", member.engines_in);
    line.integer("latency_out_ns", member.latency_out.count());
    line.integer("latency_in_ns", member.latency_in.count());
    if (!member.rate_out.is_unlimited()) {
      line.number("out_bytes_per_s", member.rate_out.bytes_per_s());
    }
    if (!member.rate_in.is_unlimited()) {
      line.number("in_bytes_per_s", member.rate_in.bytes_per_s());
    }
    line.close();
  }

  void write_pace(Line& line, const Route& route) {
    if (route.curve.empty()) {
      line.integer("latency_ns", route.latency.count());
      if (!route.rate_cap.is_unlimited()) {
        line.number("bytes_per_s", route.rate_cap.bytes_per_s());
      }
      return;
    }
    line.start("curve");
    write_points(route.curve);
  }

  void append(std::int64_t value) { out_ += std::to_string(value); }
  void append(core::Duration value) { out_ += std::to_string(value.count()); }
  void append(const core::KernelShare& share) {
    append_float(out_, share.of_all);
    if (share.of_two <= share.of_all) return;
    out_ += ", ";
    append_float(out_, share.of_two);
  }

  template <class Points>
  void write_points(const Points& points) {
    out_ += '[';
    Separator comma(", ");
    for (const auto& [size, value] : points) {
      out_ += comma.next();
      out_ += '[' + std::to_string(size) + ", ";
      append(value);
      out_ += ']';
    }
    out_ += ']';
  }

  void write_host() {
    out_ += ",\n";
    Line line(out_, "  \"host\": ");
    line.integer("issue_copy_ns", spec_.host.issue_copy.count());
    line.integer("issue_launch_ns", spec_.host.issue_launch.count());
    line.integer("round_trip_ns", spec_.host.round_trip.count());
    line.integer("decide_ns", spec_.host.decide.count());
    line.integer("pin_ns_per_mib", spec_.host.pin_ns_per_mib);
    if (spec_.host.submitters == core::Submitters::kPerGpu) line.text("submitters", "per_gpu");
    const std::pair<const char*, core::Duration> rarer[] = {
        {"issue_part_ns", spec_.host.issue_part},
        {"issue_joined_ns", spec_.host.issue_joined},
        {"decide_command_ns", spec_.host.decide_command},
        {"poll_ns", spec_.host.poll},
        {"turn_ns", spec_.host.turn},
        {"event_ns", spec_.host.event},
        {"handoff_ns", spec_.host.handoff}};
    for (const auto& [key, cost] : rarer) {
      if (cost > core::Duration(0)) line.integer(key, cost.count());
    }
    if (spec_.host.crowding > 0.0) line.number("crowding", spec_.host.crowding);
    if (spec_.host.copy_streams > 0) line.integer("copy_streams", spec_.host.copy_streams);
    if (spec_.host.inline_copy > core::Bytes(0)) {
      line.integer("inline_copy_bytes", spec_.host.inline_copy.count());
    }
    line.close();
  }

  void write_kernels() {
    write_tables("kernels", spec_.kernels);
    if (!spec_.shares.empty()) write_tables("shares", spec_.shares);
    if (!spec_.issue.empty()) write_tables("issue", spec_.issue);
  }

  /// By kernel, device or class, and dtype.
  template <class Tables>
  void write_tables(const char* key, const Tables& tables) {
    out_ += std::string(",\n  \"") + key + "\": ";
    Line kernels(out_, "");
    for (const auto& [kernel, by_device] : tables) {
      kernels.start(kernel);
      Line devices(out_, "");
      for (const auto& [device, by_dtype] : by_device) {
        devices.start(device);
        Line dtypes(out_, "");
        for (const auto& [dtype, points] : by_dtype) {
          dtypes.start(dtype);
          write_points(points);
        }
        dtypes.close();
      }
      devices.close();
    }
    kernels.close();
  }

  const MachineSpec& spec_;
  std::string out_;
};

}  // namespace

std::string write_machine(const MachineSpec& spec) { return MachineWriter(spec).write(); }

}  // namespace parley::workloads
