// Workload generators. Each file workloads/generators/NAME.cpp defines
//     void register_generator_NAME(GeneratorRegistry&)
// and the build lists the files itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"

namespace parley::workloads {

struct GeneratorParameter {
  std::string name;
  std::int64_t lowest = 0, highest = 0, default_value = 0;
  std::string meaning;
  std::vector<std::string> choices;  // not empty: the value is one of these words (stored by index)
  std::string unit;  // "bytes" (may be written "4MiB"), "ns", "elements"; "" = a count
};

using GeneratorValues = std::map<std::string, std::int64_t>;

/// How large a program will be.
struct GeneratorSize {
  double tasks = 0;     // exactly
  double accesses = 0;  // at most
};

struct Generator {
  std::string name;
  std::string sentence;
  std::vector<GeneratorParameter> parameters;
  std::function<GeneratorSize(const GeneratorValues&)> size;
  /// A closed program. Called only when its size is below the registry's limits.
  std::function<core::Result<core::Program>(const GeneratorValues&)> make;
};

class GeneratorRegistry {
 public:
  GeneratorRegistry();  // all generators of workloads/generators
  void add(Generator generator);
  [[nodiscard]] const std::vector<Generator>& generators() const { return generators_; }
  [[nodiscard]] const Generator* find(std::string_view name) const;
  /// "cholesky:tiles=32,tile=2048". Faults name the nearest generator or parameter and the range;
  /// so is a program of more than 20 million tasks or 100 million accesses (about 14 GB in an
  /// engine).
  [[nodiscard]] core::Result<core::Program> make(std::string_view spec) const;

 private:
  std::vector<Generator> generators_;
};

}  // namespace parley::workloads
