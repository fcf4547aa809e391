#include "workloads/formats/user_kernel_reader.h"

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

namespace parley::workloads {
namespace {

constexpr KeySet kUserKernelKeys = {Key::kSource,    Key::kLibrary,    Key::kFunction,
                                    Key::kArguments, Key::kParameters, Key::kBlock};

std::string path_from(JsonReader& reader, JsonValue value, const std::string& source) {
  const auto text = reader.name(value);
  if (!text) return "?";  // noted; stands for a body, so that nothing is noted twice
  const std::filesystem::path folder = std::filesystem::path(source).parent_path();
  return std::filesystem::absolute(folder / std::string(*text)).lexically_normal().string();
}

// False, and noted, when one cannot be read.
bool read_arguments(JsonReader& reader, JsonValue list, core::KernelSignature& signature) {
  constexpr std::array<core::ArgumentMode, 3> kModes = {
      core::ArgumentMode::kRead, core::ArgumentMode::kReadWrite, core::ArgumentMode::kWrite};
  if (!reader.expect_list(list, "a list of modes: \"in\", \"inout\", \"out\"")) return false;
  bool is_good = true;
  for (const JsonValue value : list) {
    const auto mode = reader.choice(value, {"in", "inout", "out"});
    is_good = is_good && mode.has_value();
    if (mode) signature.arguments.push_back(kModes[*mode]);
  }
  return is_good;
}

void read_parameters(JsonReader& reader, JsonValue object, core::KernelSignature& signature) {
  if (!object.is_object()) {
    reader.wrong_type(object, "an object of parameters with their defaults, null for none");
    return;
  }
  for (const JsonValue member : object) {
    core::KernelParameter parameter;
    parameter.name = member.key_text();
    parameter.meaning = "as the kernel says";
    if (parameter.name == "name" || parameter.name == "args" || parameter.name == "meta") {
      reader.fault(member, "a parameter cannot be called \"" + parameter.name +
                               "\": a call has that key already");
    } else if (member.is_number()) {
      parameter.is_required = false;
      parameter.default_value = member.number();
    } else if (member.kind() != JsonKind::kNull) {
      reader.wrong_type(member, "a number, or null for a parameter without default");
    }
    signature.parameters.push_back(std::move(parameter));
  }
}

void read_user_kernel(JsonReader& reader, JsonValue value, const std::string& source,
                      core::Program& program) {
  const auto fields = reader.fields(value, kUserKernelKeys, "a kernel's definition");
  if (!fields) return;
  core::UserKernel kernel;
  kernel.signature.name = value.key_text();
  kernel.signature.meaning = "a kernel of the workload";
  kernel.function = kernel.signature.name;
  bool is_good = true;
  if (const auto path = (*fields)[Key::kSource]) kernel.source = path_from(reader, *path, source);
  if (const auto path = (*fields)[Key::kLibrary]) kernel.library = path_from(reader, *path, source);
  if (const auto name = (*fields)[Key::kFunction]) {
    const auto text = reader.name(*name);
    is_good = text.has_value();
    kernel.function = text.value_or("");
  }
  if (const auto list = (*fields)[Key::kArguments]) {
    is_good = read_arguments(reader, *list, kernel.signature) && is_good;
  } else {
    reader.fault(value, "missing key \"arguments\"");
    is_good = false;
  }
  if (const auto object = (*fields)[Key::kParameters]) {
    read_parameters(reader, *object, kernel.signature);
  }
  if (const auto block = (*fields)[Key::kBlock]) {
    const auto threads = reader.integer(*block, 1, 1024);
    kernel.block = static_cast<std::uint32_t>(threads.value_or(kernel.block));
  }
  if (!is_good) return;
  const core::Result<bool> added = program.add_kernel(std::move(kernel));
  for (const core::Fault& fault : added.faults()) {
    reader.fault(value, fault.what, fault.where.empty() ? "" : "." + fault.where);
  }
}

}  // namespace

void read_user_kernels(JsonReader& reader, JsonValue value, const std::string& source,
                       core::Program& program) {
  if (!value.is_object()) {
    reader.wrong_type(value, "an object of kernels by name");
    return;
  }
  for (const JsonValue member : value) {
    if (member.key() == static_cast<JsonKey>(Key::kMeta)) continue;
    read_user_kernel(reader, member, source, program);
  }
}

}  // namespace parley::workloads
