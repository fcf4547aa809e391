#include "workloads/formats/cost_reader.h"

#include <algorithm>
#include <array>

namespace parley::workloads {
namespace {

constexpr KeySet kWorkKeys = {Key::kNs, Key::kFlops, Key::kBytes};

/// The members ns, flops and bytes of a cost object.
class WorkReader {
 public:
  WorkReader(JsonReader& reader, JsonValue object) : reader_(reader), object_(object) {}

  void read(Key key, JsonValue value) {
    has_any_ = true;
    if (key == Key::kNs) {
      if (const auto ns = reader_.integer(value, 0, core::kLongestDuration.count()))
        entry_.stated = core::Duration(*ns);
      has_ns_ = true;
    } else {
      const double amount = reader_.amount(value).value_or(0.0);
      (key == Key::kFlops ? entry_.flops : entry_.bytes) = amount;
      has_work_ = true;
    }
  }

  core::CostEntry finish(std::string on) {
    if (has_ns_ && has_work_) {
      reader_.fault(object_, "a cost is either \"ns\", or \"flops\" and \"bytes\"");
    }
    entry_.on = std::move(on);
    return entry_;
  }
  [[nodiscard]] bool has_any() const { return has_any_; }

 private:
  JsonReader& reader_;
  JsonValue object_;
  core::CostEntry entry_;
  bool has_any_ = false, has_ns_ = false, has_work_ = false;
};

bool is_work_key(JsonValue member) {
  return member.key() < kKeyNames.size() && kWorkKeys.contains(static_cast<Key>(member.key()));
}

void read_device_cost(JsonReader& reader, JsonValue value, core::Cost& cost) {
  const std::string_view device = value.key_text();
  if (!value.is_object()) {
    std::string what = "unknown key ";
    append_quoted(what, device);
    const std::string nearest = reader.nearest(device, {"ns", "flops", "bytes"});
    reader.fault(value,
                 what + (nearest.empty() ? "; a cost has ns, or flops and bytes, or an object "
                                           "of them for each device or device class"
                                         : nearest));
    return;
  }
  if (const std::string fault = device_name_fault(device, false); !fault.empty()) {
    reader.fault(value, fault);
    return;
  }
  WorkReader work(reader, value);
  if (const auto fields = reader.fields(value, kWorkKeys, "a cost object")) {
    for (const Key key : {Key::kNs, Key::kFlops, Key::kBytes}) {
      if (const auto member = (*fields)[key]) work.read(key, *member);
    }
  }
  if (!work.has_any() && value.size() == 0) {
    reader.fault(value, "missing key \"ns\" (or \"flops\" and \"bytes\")");
  }
  cost.push_back(work.finish(std::string(device)));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// What a near miss of a known class was probably meant to be, or "". `index`: ":1" or "".
std::string meant_device(std::string_view device_class, std::string_view index) {
  std::string small(device_class);
  std::transform(small.begin(), small.end(), small.begin(), lower);
  for (const std::string known : {"gpu", "cpu", "any"}) {
    if (small == known) return known + std::string(index);
    const bool is_numbered = small.starts_with(known) && index.empty() && known != "any" &&
                             is_digits(std::string_view(small).substr(known.size()));
    if (is_numbered) return known + ":" + small.substr(known.size());  // "gpu0" is a space's name
  }
  for (const std::string known : {"gpu", "cpu", "any"}) {
    // Other letters in front make other classes of accelerator: "tpu", "npu".
    const bool is_other_class = small.size() == known.size() && small[0] != known[0];
    const bool is_near =
        !core::did_you_mean(small, {known}).empty() ||
        std::is_permutation(small.begin(), small.end(), known.begin(), known.end());
    if (!is_other_class && is_near) {
      return known + std::string(index);
    }
  }
  return "";
}

}  // namespace

core::Cost read_cost(JsonReader& reader, JsonValue value) {
  core::Cost cost;
  if (!value.is_object()) {
    reader.wrong_type(value, "a cost object such as {\"ns\": 20000}");
    return cost;
  }
  // The members for every device stand together, where the first of them does.
  WorkReader work(reader, value);
  std::size_t place = 0;
  for (const JsonValue member : value) {
    if (is_work_key(member)) {
      if (!work.has_any()) {
        place = cost.size();
        cost.emplace_back();
      }
      work.read(static_cast<Key>(member.key()), member);
    } else if (member.key() != static_cast<JsonKey>(Key::kMeta)) {
      read_device_cost(reader, member, cost);
    }
  }
  if (work.has_any()) cost[place] = work.finish("");
  return cost;
}

std::string device_name_fault(std::string_view name, bool is_any_allowed) {
  const std::size_t colon = name.find(':');
  const std::string_view device_class = name.substr(0, colon);
  const bool has_index = colon != std::string_view::npos;
  std::string quoted = "device ";
  append_quoted(quoted, name);
  if (device_class.empty() || name.find_first_of(" \t[](){}") != std::string_view::npos ||
      (has_index && !is_digits(name.substr(colon + 1)))) {
    return quoted + " is neither a class (\"gpu\") nor a device (\"gpu:1\")";
  }
  if (device_class == "any") {
    return is_any_allowed && !has_index ? "" : quoted + ": \"any\" cannot stand here";
  }
  if (device_class == "cpu" || device_class == "gpu") return "";
  const std::string meant = meant_device(device_class, name.substr(device_class.size()));
  if (!meant.empty()) return "unknown " + quoted + "; did you mean \"" + meant + "\"?";
  return "";
}

}  // namespace parley::workloads
