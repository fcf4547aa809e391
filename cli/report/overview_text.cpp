#include "cli/report/overview_text.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "cli/report/names.h"

namespace parley::cli {
namespace {

std::string owner_text(const core::Machine& machine, core::SpaceId owner) {
  return owner.is_none() ? "None" : space_label(machine, owner);
}

/// Whether all pieces have one owner (or none of them has any).
bool has_one_owner(const core::Overview& overview) {
  return std::all_of(
      overview.pieces.begin(), overview.pieces.end(),
      [&](const core::PieceOverview& p) { return p.owner == overview.pieces.front().owner; });
}

std::string piece_text(const core::Program& program, core::ArrayId array,
                       const core::PieceOverview& piece) {
  if (!piece.text_region.is_none()) return program.region_text(piece.text_region);
  std::string text;
  for (const core::Box& box : piece.boxes) {
    if (!text.empty()) text += " + ";
    text += program.box_text(array, box);
  }
  return text;
}

std::int64_t bytes_of(const core::Program& program, core::ArrayId array,
                      const core::PieceOverview& piece) {
  std::int64_t elements = 0;
  for (const core::Box& box : piece.boxes) elements += box.size();
  return elements * program.array(array).element_bytes;
}

/// Whether one word says all about the array in a space.
bool is_uniform(const core::Overview& overview, core::SpaceId space) {
  return std::all_of(
      overview.pieces.begin(), overview.pieces.end(), [&](const core::PieceOverview& p) {
        return p.states[space.index()] == overview.pieces.front().states[space.index()];
      });
}

void append_pieces(const core::Program& program, const core::Machine& machine,
                   const core::Overview& overview, core::SpaceId space, std::string& text) {
  for (const core::PieceOverview& piece : overview.pieces) {
    const core::MsiState state = piece.states[space.index()];
    if (state == core::MsiState::kInvalid) continue;
    text += "\t" + piece_text(program, overview.array, piece) + " - state: ";
    text += name_of(state);
    text += ", bytes: " + std::to_string(bytes_of(program, overview.array, piece));
    text += ", owner: " + owner_text(machine, piece.owner) + "\n";
  }
}

}  // namespace

std::string overview_text(const core::Program& program, const core::Machine& machine,
                          const core::Overview& overview) {
  const core::Array& array = program.array(overview.array);
  const bool is_split = !has_one_owner(overview);
  std::string text =
      "---Overview of PArray\nID: " + std::to_string(overview.array.index()) +
      ", Name: " + array.spec.name +
      ", Parent_ID: None, Slice: None, Bytes: " + std::to_string(array.bytes.count()) +
      ", Owner: " + (is_split ? "by piece" : owner_text(machine, overview.owner())) + "\n";
  for (const core::SpaceId space : spaces_hosts_last(machine)) {
    text += "At " + space_label(machine, space) + ": state: ";
    text += name_of(overview.state(space));
    // A space without any valid byte needs no list, whatever the pieces elsewhere.
    const bool in_pieces = !is_uniform(overview, space) ||
                           (is_split && overview.state(space) != core::MsiState::kInvalid);
    text += in_pieces ? ", in pieces:\n" : "\n";
    if (in_pieces) append_pieces(program, machine, overview, space, text);
  }
  return text + "---End of Overview\n";
}

namespace {

/// What a space that holds part of an array shows of a piece: its region, or its values.
std::string held_text(const core::Program& program, core::ArrayId array,
                      const core::PieceOverview& piece, const ArrayValues* values) {
  if (values == nullptr) return piece_text(program, array, piece);
  std::string text;
  for (const core::Box& box : piece.boxes) {
    std::vector<std::int64_t> shape;
    for (const core::Range& range : box.ranges()) shape.push_back(range.count);
    const std::vector<std::byte> elements = elements_in(*values, box.ranges());
    text += (text.empty() ? "" : ", ") + array_text({values->dtype, shape, elements});
  }
  return text;
}

}  // namespace

std::string print_text(const core::Program& program, const core::Machine& machine,
                       const core::Overview& overview, const ArrayValues* values) {
  const std::string whole = values == nullptr ? "valid" : array_text(*values);
  std::string text = "{";
  std::int64_t gpu = 0;
  std::int64_t host = -1;
  for (const core::SpaceId space : spaces_hosts_last(machine)) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(machine.space(space).is_host ? host-- : gpu++) + ": ";
    if (overview.state(space) == core::MsiState::kInvalid) {
      text += "None";
    } else if (overview.is_complete(space)) {
      text += whole;
    } else {
      std::string held;
      for (const core::PieceOverview& piece : overview.pieces) {
        if (piece.states[space.index()] == core::MsiState::kInvalid) continue;
        if (!held.empty()) held += ", ";
        held += held_text(program, overview.array, piece, values);
      }
      text += "[" + held + "]";
    }
  }
  return text + "}\n";
}

std::string shown_text(const core::Program& program, const core::Machine& machine,
                       const core::Overview& overview, const ArrayValues* values) {
  if (overview.is_print) return print_text(program, machine, overview, values);
  std::string text = overview_text(program, machine, overview);
  if (values != nullptr) text += str_text(*values) + "\n";
  return text;
}

namespace {

/// "T[1,2]" -> "T_1_2", as Parla writes names of tasks.
std::string parla_name(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '[' || c == ',') {
      text += '_';
    } else if (c != ']' && c != ' ') {
      text += c;
    }
  }
  return text;
}

std::string environment_text(const core::Device& device) {
  std::string name = device.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.find(':') == std::string::npos) name += ":0";
  std::string kind = device.device_class;
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return kind + "Environment(" + name + ")";
}

}  // namespace

std::string running_text(const core::Program& program, const core::Machine& machine,
                         const core::TaskRecord& task) {
  std::string environments;
  for (const core::DeviceId device : task.devices) {
    if (!environments.empty()) environments += ", ";
    environments += environment_text(machine.device(device));
  }
  return "Task(" + parla_name(program.task_name(task.task)) + ")  running on  " + environments;
}

std::string eviction_text(const core::Program& program, core::TaskId task) {
  std::string regions;
  for (const core::Access& access : program.accesses(task)) {
    if (!regions.empty()) regions += ", ";
    regions += program.region_text(access.region, access.view);
  }
  return "Task(" + parla_name(program.task_name(task)) + ")  evicts " + regions + " from " +
         program.extras(task).evict_space;
}

}  // namespace parley::cli
