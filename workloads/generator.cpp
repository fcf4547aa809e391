#include "workloads/generator.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "workloads/machine_file.h"

namespace parley::workloads {

void register_generators(GeneratorRegistry& registry);  // generated from the files of generators/

namespace {

using core::Fault;
using core::Faults;

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> names_of(const std::vector<Generator>& generators) {
  std::vector<std::string> names;
  for (const Generator& generator : generators) names.push_back(generator.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<GeneratorParameter>& parameters) {
  std::vector<std::string> names;
  for (const GeneratorParameter& parameter : parameters) names.push_back(parameter.name);
  return names;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Sizes may carry a unit ("4MiB"); every other number is a plain integer.
std::optional<std::int64_t> parse_number(const GeneratorParameter& parameter,
                                         std::string_view text) {
  const std::optional<std::int64_t> plain = parse_integer(text);
  if (plain || parameter.unit != "bytes") return plain;
  const core::Result<core::Bytes> bytes = parse_bytes(text);
  if (!bytes) return std::nullopt;
  return bytes->count();
}

/// The value of `parameter` spelled by `text`, or a fault that states what is allowed.
core::Result<std::int64_t> parse_value(const std::string& where,
                                       const GeneratorParameter& parameter, std::string_view text) {
  if (!parameter.choices.empty()) {
    const auto choice = std::find(parameter.choices.begin(), parameter.choices.end(), text);
    if (choice != parameter.choices.end()) return choice - parameter.choices.begin();
    return Fault{where, in_quotes(text) + " is none of " + list_of(parameter.choices) +
                            core::did_you_mean(std::string(text), parameter.choices)};
  }
  const std::string range = std::to_string(parameter.lowest) + " to " +
                            std::to_string(parameter.highest) +
                            (parameter.unit.empty() ? "" : " " + parameter.unit);
  const std::optional<std::int64_t> value = parse_number(parameter, text);
  if (!value) return Fault{where, in_quotes(text) + " is not a whole number (" + range + ")"};
  if (*value < parameter.lowest || *value > parameter.highest) {
    return Fault{where, std::string(text) + " is out of range: " + range};
  }
  return *value;
}

/// Reads one "name=value" into `values`.
void parse_assignment(const Generator& generator, std::string_view text, GeneratorValues& values,
                      Faults& faults) {
  const std::size_t equals = text.find('=');
  const std::string name(text.substr(0, equals));
  const std::string where = generator.name + ": " + name;
  const auto parameter =
      std::find_if(generator.parameters.begin(), generator.parameters.end(),
                   [&](const GeneratorParameter& candidate) { return candidate.name == name; });
  if (parameter == generator.parameters.end()) {
    const std::vector<std::string> names = names_of(generator.parameters);
    faults.push_back({generator.name, "unknown parameter " + in_quotes(name) + "; known are " +
                                          list_of(names) + core::did_you_mean(name, names)});
  } else if (equals == std::string_view::npos) {
    faults.push_back(
        {where, "has no value: write " + name + "=" +
                    (parameter->choices.empty() ? std::to_string(parameter->default_value)
                                                : parameter->choices.front())});
  } else if (values.contains(name)) {
    faults.push_back({where, "is given twice"});
  } else {
    const auto value = parse_value(where, *parameter, text.substr(equals + 1));
    if (value) {
      values.emplace(name, *value);
    } else {
      faults.insert(faults.end(), value.faults().begin(), value.faults().end());
      values.emplace(name, parameter->default_value);  // so that a second one is "given twice"
    }
  }
}

constexpr double kMostTasks = 2e7, kMostAccesses = 1e8;

std::optional<Fault> size_fault(const Generator& generator, const GeneratorValues& values) {
  const GeneratorSize size = generator.size(values);
  const auto excess = [&](double count, double most, const std::string& what) {
    return Fault{generator.name, "would have " + std::to_string(std::llround(count / 1e6)) +
                                     " million " + what + "; at most " +
                                     std::to_string(std::llround(most / 1e6)) + " million"};
  };
  if (size.tasks > kMostTasks) return excess(size.tasks, kMostTasks, "tasks");
  if (size.accesses > kMostAccesses) return excess(size.accesses, kMostAccesses, "accesses");
  return std::nullopt;
}

}  // namespace

GeneratorRegistry::GeneratorRegistry() {
  register_generators(*this);
  std::sort(generators_.begin(), generators_.end(),
            [](const Generator& a, const Generator& b) { return a.name < b.name; });
}

void GeneratorRegistry::add(Generator generator) { generators_.push_back(std::move(generator)); }

const Generator* GeneratorRegistry::find(std::string_view name) const {
  const auto found =
      std::find_if(generators_.begin(), generators_.end(),
                   [&](const Generator& generator) { return generator.name == name; });
  return found == generators_.end() ? nullptr : &*found;
}

core::Result<core::Program> GeneratorRegistry::make(std::string_view spec) const {
  const std::size_t colon = spec.find(':');
  const std::string name(spec.substr(0, colon));
  const Generator* generator = find(name);
  if (generator == nullptr) {
    const std::vector<std::string> names = names_of(generators_);
    return Fault{std::string(spec), "unknown generator " + in_quotes(name) + "; known are " +
                                        list_of(names) + core::did_you_mean(name, names)};
  }
  GeneratorValues values;
  Faults faults;
  std::string_view rest = colon == std::string_view::npos ? "" : spec.substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    parse_assignment(*generator, rest.substr(0, comma), values, faults);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  if (!faults.empty()) return faults;
  for (const GeneratorParameter& parameter : generator->parameters) {
    values.emplace(parameter.name, parameter.default_value);
  }
  if (auto fault = size_fault(*generator, values)) return *std::move(fault);
  return generator->make(values);
}

}  // namespace parley::workloads
