#include "core/graph/kernel.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/base/check.h"
#include "core/base/result.h"

namespace parley::core {
namespace {

const KernelParameter* find_parameter(const KernelSignature& signature, std::string_view name) {
  for (const KernelParameter& parameter : signature.parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace

const KernelSignature* find_kernel(std::string_view name) {
  const std::span<const KernelSignature> all = kernel_signatures();
  const auto found =
      std::lower_bound(all.begin(), all.end(), name,
                       [](const KernelSignature& s, std::string_view key) { return s.name < key; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

bool is_of_panel(const KernelCall& call) {
  const KernelSignature* signature = find_kernel(call.name);
  if (signature == nullptr) return false;
  return signature->shapes == ShapeRule::kSquare || signature->shapes == ShapeRule::kTrsm ||
         call.name == "trtri";
}

const KernelSignature* signature_of(const KernelCall& call) {
  return call.own != nullptr ? call.own : find_kernel(call.name);
}

std::optional<double> parameter_of(const KernelCall& call, std::string_view name) {
  for (const auto& [key, value] : call.parameters) {
    if (key == name) return value;
  }
  const KernelSignature* signature = signature_of(call);
  const KernelParameter* parameter = signature ? find_parameter(*signature, name) : nullptr;
  if (parameter == nullptr || std::isnan(parameter->default_value)) return std::nullopt;
  return parameter->default_value;
}

ArgumentMode argument_mode(const KernelCall& call, std::size_t position) {
  const KernelSignature* signature = signature_of(call);
  PARLEY_CHECK(signature != nullptr, "unknown kernel " + call.name);
  const std::size_t last = signature->arguments.size() - 1;
  const ArgumentMode mode = signature->arguments[std::min(position, last)];
  const bool is_target_left_out =
      signature->optional_arguments > 0 && call.arguments.size() < signature->arguments.size();
  if (mode == ArgumentMode::kRead && is_target_left_out && position + 1 == call.arguments.size()) {
    return ArgumentMode::kReadWrite;
  }
  if (position == last && !signature->target_scale.empty() &&
      std::fpclassify(*parameter_of(call, signature->target_scale)) == FP_ZERO) {
    return ArgumentMode::kWrite;
  }
  return mode;
}

namespace {

std::string count_text(const KernelSignature& signature) {
  const std::size_t most = signature.arguments.size();
  const std::size_t least = most - signature.optional_arguments;
  if (signature.last_argument_repeats) return "at least " + std::to_string(least);
  if (least == most) return std::to_string(most);
  return std::to_string(least) + " or " + std::to_string(most);
}

std::string shortest_text(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::optional<std::string> value_fault(const KernelParameter& parameter, double value) {
  const bool is_whole = std::isfinite(value) && std::floor(value) >= value;
  if (std::isnan(value) || value < parameter.lowest || value > parameter.highest ||
      (parameter.is_integer && !is_whole)) {
    std::string allowed = parameter.is_integer ? "an integer" : "a number";
    if (std::isfinite(parameter.lowest)) {
      allowed += " from " + std::to_string(static_cast<std::int64_t>(parameter.lowest)) + " to " +
                 std::to_string(static_cast<std::int64_t>(parameter.highest));
    }
    return "parameter \"" + parameter.name + "\" is " + shortest_text(value) + "; it must be " +
           allowed;
  }
  return std::nullopt;
}

std::optional<std::string> parameter_fault(const KernelSignature& signature,
                                           const KernelCall& call) {
  std::vector<std::string> known;
  for (const KernelParameter& parameter : signature.parameters) {
    known.push_back(parameter.name);
    const auto count = std::count_if(call.parameters.begin(), call.parameters.end(),
                                     [&](const auto& p) { return p.first == parameter.name; });
    if (count > 1) return "parameter \"" + parameter.name + "\" is given twice";
    if (count == 0 && parameter.is_required) {
      return "parameter \"" + parameter.name + "\" (" + parameter.meaning + ") is missing";
    }
  }
  for (const auto& [name, value] : call.parameters) {
    const KernelParameter* parameter = find_parameter(signature, name);
    if (parameter == nullptr) {
      return "unknown parameter \"" + name + "\"" + did_you_mean(name, known);
    }
    if (auto fault = value_fault(*parameter, value)) return fault;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> call_fault(const KernelCall& call) {
  const KernelSignature* signature = signature_of(call);
  if (signature == nullptr) {
    std::vector<std::string> known;
    for (const KernelSignature& s : kernel_signatures()) known.push_back(s.name);
    return "unknown kernel \"" + call.name + "\"" + did_you_mean(call.name, known);
  }
  const std::size_t given = call.arguments.size();
  const std::size_t most = signature->arguments.size();
  if (given + signature->optional_arguments < most ||
      (given > most && !signature->last_argument_repeats)) {
    return "kernel \"" + call.name + "\" takes " + count_text(*signature) + " operands, not " +
           std::to_string(given);
  }
  if (auto fault = parameter_fault(*signature, call)) {
    return "kernel \"" + call.name + "\": " + *fault;
  }
  return std::nullopt;
}

}  // namespace parley::core
