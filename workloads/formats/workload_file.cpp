// Workloads by name: files and generators.
#include <filesystem>
#include <fstream>
#include <optional>

#include "workloads/formats/json_document.h"
#include "workloads/formats/workload_document.h"
#include "workloads/formats/workload_keys.h"
#include "workloads/generator.h"
#include "workloads/workload.h"

namespace parley::workloads {
namespace {

/// All bytes of a file or pipe, or why it cannot be read.
core::Result<std::string> read_file(const std::string& name) {
  std::error_code error;
  if (std::filesystem::is_directory(name, error)) return core::Fault{name, "is a directory"};
  std::ifstream file(name, std::ios::binary);
  if (!file) return core::Fault{name, "cannot be opened: no such file, or not readable"};
  std::string text;
  const auto size = std::filesystem::file_size(name, error);
  if (!error) text.reserve(static_cast<std::size_t>(size) + 1);
  constexpr std::size_t kChunk = std::size_t{1} << 20U;
  while (file) {
    const std::size_t end = text.size();
    text.resize(end + kChunk);
    file.read(text.data() + end, static_cast<std::streamsize>(kChunk));
    text.resize(end + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return core::Fault{name, "cannot be read to its end"};
  return text;
}

core::Result<core::Program> load_file(const std::string& name) {
  std::optional<JsonDocument> document;
  {
    const core::Result<std::string> text = read_file(name);
    if (!text) return text.faults();
    core::Result<JsonDocument> parsed = JsonDocument::parse(*text, kKeyNames);
    if (!parsed) {
      core::Faults faults = parsed.faults();
      for (core::Fault& fault : faults) fault.where = name + fault.where;
      return faults;
    }
    document = std::move(*parsed);
  }
  return read_workload(*document, name);
}

}  // namespace

core::Result<core::Program> load_workload(const std::string& text) {
  std::error_code error;
  if (text.ends_with(".json") || std::filesystem::exists(text, error)) return load_file(text);
  const GeneratorRegistry registry;
  const std::string name = text.substr(0, text.find(':'));
  if (text.find(':') == std::string::npos && registry.find(name) == nullptr) {
    std::vector<std::string> names;
    for (const Generator& generator : registry.generators()) names.push_back(generator.name);
    return core::Fault{text, "neither a file nor a generator" + core::did_you_mean(name, names)};
  }
  return registry.make(text);
}

}  // namespace parley::workloads
