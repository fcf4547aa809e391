// The example of core/policies/README.md: compiled here, it registers, and is what the page shows.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/policy/registry.h"
#include "tests/core/policy/decisions.h"

namespace parley::core {

void register_policy_fewest_bytes(PolicyRegistry& registry);  // fewest_bytes.cpp

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(PARLEY_SOURCE_DIR) + "/" + path);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("the page on writing a policy shows the example that is compiled") {
  const std::string code = text_of("tests/core/policy/fewest_bytes.cpp");
  CHECK(text_of("core/policies/README.md").find("```cpp\n" + code + "```") != std::string::npos);
}

TEST_CASE("the example registers with one line, parameters included") {
  PolicyRegistry registry;
  const std::vector<std::string> names = registry.names(PolicyKind::kMapper);
  const bool is_tried_out = std::count(names.begin(), names.end(), "fewest_bytes") > 0;
  if (!is_tried_out) register_policy_fewest_bytes(registry);  // else it is in core/policies already
  CHECK(registry.mapper("fewest_bytes", 1).has_value());
  CHECK(registry.mapper("fewest_bytes:most=8", 1).has_value());
  const auto wrong = registry.mapper("fewest_bytes:mots=8,most=0.5", 1);
  REQUIRE(wrong.faults().size() == 2);
  CHECK(wrong.faults()[1].what == "most=0.5 is not a whole number; allowed: 1 to 1e+06 tasks");
}

}  // namespace
}  // namespace parley::core
