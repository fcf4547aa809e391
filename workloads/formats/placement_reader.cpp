#include "workloads/formats/placement_reader.h"

#include <algorithm>
#include <cmath>

#include "workloads/formats/cost_reader.h"

namespace parley::workloads {
namespace {

constexpr KeySet kAlternativeKeys = {Key::kOn,     Key::kGroup,        Key::kCount,
                                     Key::kVcus,   Key::kScratchBytes, Key::kScratch,
                                     Key::kKernel, Key::kCost,         Key::kExpectedCost};
constexpr std::int64_t kLargestGroup = 256;

}  // namespace

AlternativeFields AlternativeFields::of(const Fields& fields) {
  return {fields[Key::kVcus], fields[Key::kScratchBytes], fields[Key::kScratch]};
}

void PlacementReader::read_needs(const AlternativeFields& fields, core::Alternative& alternative) {
  if (fields.vcus) {
    constexpr double kMost = 1e6;
    const double vcus = reader_.amount(*fields.vcus).value_or(1.0);
    const double thousandths = std::round(vcus * 1000.0);  // a third is 0.333
    if (vcus > kMost) {
      reader_.wrong_type(*fields.vcus, "at most 1000000 vcus");
    } else if (vcus > 0.0 && thousandths < 1.0) {
      reader_.wrong_type(*fields.vcus, "0 or at least 0.001 vcus");
    } else {
      alternative.milli_vcus = static_cast<std::int32_t>(thousandths);
    }
  }
  if (fields.scratch_bytes) {
    alternative.scratch_bytes = core::Bytes(
        reader_.integer(*fields.scratch_bytes, 0, core::kMostBytes.count()).value_or(0));
  }
  if (fields.scratch) kernels_.read_scratch(*fields.scratch, alternative.scratch);
}

core::Placement PlacementReader::read(JsonValue value, const core::Alternative& task,
                                      std::span<const core::Access> accesses) {
  core::Placement placement;
  if (!value.is_list()) {
    if (auto only = read_alternative(value, task, accesses)) placement.push_back(std::move(*only));
    return placement;
  }
  if (value.size() == 0) reader_.fault(value, "expected at least one alternative");
  for (const JsonValue item : value) {
    if (auto one = read_alternative(item, task, accesses)) placement.push_back(std::move(*one));
  }
  return placement;
}

std::optional<core::Alternative> PlacementReader::read_alternative(
    JsonValue value, const core::Alternative& task, std::span<const core::Access> accesses) {
  core::Alternative alternative = task;
  if (value.is_string()) {
    read_device(value, true, alternative);
    if (alternative.members.empty()) return std::nullopt;
    return alternative;
  }
  const auto fields = reader_.fields(
      value, kAlternativeKeys, "a device, a device class, or an object with \"on\" or \"group\"");
  if (!fields) return std::nullopt;
  read_members(*fields, alternative);
  read_needs(AlternativeFields::of(*fields), alternative);
  if (const auto kernel = (*fields)[Key::kKernel]) {
    alternative.kernel = kernels_.read(*kernel, {accesses, alternative.scratch});
  }
  if (const auto cost = (*fields)[Key::kCost]) alternative.cost = read_cost(reader_, *cost);
  if (const auto cost = (*fields)[Key::kExpectedCost]) {
    alternative.expected_cost = read_cost(reader_, *cost);
  }
  if (alternative.members.empty()) return std::nullopt;
  return alternative;
}

void PlacementReader::read_members(const Fields& fields, core::Alternative& alternative) {
  const auto on = fields[Key::kOn];
  const auto group = fields[Key::kGroup];
  const auto count = fields[Key::kCount];
  if (on && group) {
    reader_.fault(*group, "an alternative has either \"on\" or \"group\"");
  } else if (on) {
    read_device(*on, true, alternative);
  } else if (group) {
    read_group(*group, count, alternative);
    return;
  } else {
    reader_.fault(fields.object(), "missing key \"on\" (or \"group\" for several devices)");
  }
  if (count) reader_.fault(*count, "\"count\" belongs to a \"group\" of a device class");
}

void PlacementReader::read_group(JsonValue group, std::optional<JsonValue> count,
                                 core::Alternative& alternative) {
  alternative.is_group = true;
  if (group.is_string()) {
    if (!count) {
      reader_.fault(group, "a group of a device class needs \"count\", how many of it");
      return;
    }
    const auto number = reader_.integer(*count, 1, kLargestGroup);
    read_device(group, true, alternative);
    if (!number || alternative.members.empty()) return;
    if (alternative.members.front().find(':') != std::string::npos && *number > 1) {
      reader_.fault(*count, "expected 1: " + describe(group) + " is a single device");
    }
    const std::string name = alternative.members.front();
    alternative.members.assign(static_cast<std::size_t>(*number), name);
    return;
  }
  if (count) reader_.fault(*count, "\"count\" goes with a device class, not with a list");
  if (!reader_.expect_list(group, "a list of devices, or a device class and \"count\"")) return;
  if (group.size() == 0 || group.size() > static_cast<std::size_t>(kLargestGroup)) {
    reader_.fault(group, "expected 1 to 256 devices, found " + std::to_string(group.size()));
    return;
  }
  for (const JsonValue item : group) {
    const std::size_t before = alternative.members.size();
    read_device(item, true, alternative);
    if (alternative.members.size() == before) continue;
    const std::string& name = alternative.members.back();
    const auto last = alternative.members.end() - 1;
    const bool is_single = name.find(':') != std::string::npos;
    if (is_single && std::find(alternative.members.begin(), last, name) != last) {
      reader_.fault(item, "device \"" + name + "\" is named twice; a group has distinct devices");
    }
  }
}

void PlacementReader::read_device(JsonValue value, bool is_any_allowed,
                                  core::Alternative& alternative) {
  const auto name = reader_.text(value);
  if (!name) return;
  const std::string fault = device_name_fault(*name, is_any_allowed);
  if (fault.empty()) {
    alternative.members.emplace_back(*name);
  } else {
    reader_.fault(value, fault);
  }
}

}  // namespace parley::workloads
