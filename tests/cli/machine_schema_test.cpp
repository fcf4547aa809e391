#include <doctest/doctest.h>

#include <string>

#include "tests/cli/command_line.h"
#include "tests/cli/schema_check.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

TEST_CASE("shipped machines are as the machine schema says, as shipped and as written") {
  for (const std::string& name : workloads::shipped_machines()) {
    CAPTURE(name);
    const std::string path = std::string(PARLEY_SOURCE_DIR) + "/workloads/machines/" + name;
    CHECK(schema_fault("machine.schema.json", contents(path + ".json")) == "");
    const auto machine = workloads::load_machine(name);
    REQUIRE(machine.has_value());
    CHECK(schema_fault("machine.schema.json", workloads::format_machine(machine->spec())) == "");
  }
}

TEST_CASE("the machine schema finds an unknown key and a wrong link") {
  const std::string head = R"({"format": "parley-machine", "version": 1, "name": "m")";
  CHECK(schema_fault("machine.schema.json", head + "}") == "");
  CHECK(schema_fault("machine.schema.json", head + R"(, "spces": []})") ==
        "$.spces: not described");
  CHECK(schema_fault("machine.schema.json", head + R"(, "links": [{"type": "pci"}]})") != "");
}

}  // namespace
}  // namespace parley::cli
