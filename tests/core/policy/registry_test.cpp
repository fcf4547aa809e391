#include "core/policy/registry.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace parley::core {
namespace {

std::string faults_of(const Faults& faults) {
  std::string text;
  for (const Fault& fault : faults) {
    text += (text.empty() ? "" : "\n") + fault.where + ": " + fault.what;
  }
  return text;
}

TEST_CASE("every kind has a default, and it is a policy of that kind") {
  const PolicyRegistry registry;
  for (const PolicyKind kind : {PolicyKind::kMapper, PolicyKind::kOrder, PolicyKind::kPrefetcher,
                                PolicyKind::kEvictor, PolicyKind::kSource}) {
    CAPTURE(name_of(kind));
    const std::vector<std::string> names = registry.names(kind);
    const std::string wanted(PolicyRegistry::default_name(kind));
    CHECK(std::set<std::string>(names.begin(), names.end()).contains(wanted));
  }
  CHECK(registry.mapper("", 1).has_value());
  CHECK(registry.order("", 1).has_value());
  CHECK(registry.prefetcher("", 1).has_value());
  CHECK(registry.evictor("", 1).has_value());
  CHECK(registry.source("", 1).has_value());
}

TEST_CASE("policies are listed by kind, then name, each with its sentence and source") {
  const PolicyRegistry registry;
  std::pair<PolicyKind, std::string> previous{PolicyKind::kMapper, ""};
  for (const PolicyEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    const std::pair<PolicyKind, std::string> key{entry.kind, entry.name};
    CHECK(previous < key);
    CHECK(entry.info.sentence.ends_with("."));
    CHECK_FALSE(entry.info.source.empty());
    for (const PolicyParameter& parameter : entry.info.parameters) {
      CHECK_FALSE(parameter.meaning.empty());
    }
    previous = key;
  }
}

TEST_CASE("the policies promised are there") {
  const PolicyRegistry registry;
  const std::vector<std::pair<PolicyKind, std::vector<std::string>>> promised = {
      {PolicyKind::kMapper,
       {"dmda", "eager", "earliest_finish", "fixed", "lws", "parla", "round_robin"}},
      {PolicyKind::kOrder, {"bottom_level", "fewest_missing", "fifo", "priority", "strict"}},
      {PolicyKind::kPrefetcher, {"none", "on_map", "on_produce", "planned"}},
      {PolicyKind::kEvictor,
       {"belady", "cheapest", "fifo", "largest_first", "lfu", "lru", "next_use", "planned"}},
      {PolicyKind::kSource, {"nearest", "owner", "planned"}},
  };
  for (const auto& [kind, names] : promised) {
    const std::vector<std::string> known = registry.names(kind);
    const std::set<std::string> found(known.begin(), known.end());
    for (const std::string& name : names) CHECK_MESSAGE(found.contains(name), name);
  }
}

// ---- parsing, on a registry with one mapper of our own ----

class Noted final : public Mapper {
 public:
  explicit Noted(const PolicyParameters& parameters)
      : text_(std::to_string(parameters["weight"]) + " " + std::to_string(parameters["count"]) +
              " " + std::to_string(parameters.seed())) {}
  MapChoice choose(const View&, TaskId) override { return {}; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

PolicyEntry noted(std::string name) {
  return make_policy_entry<Mapper, Noted>(
      std::move(name), {"Notes.",
                        "nowhere",
                        {{"weight", "", 0.5, 10, 2, "a number"},
                         {"count", "tasks", 1, 1000, 3, "a whole number", true}}});
}

/// The mappers there are; more may be added at any time.
std::string all_mappers() {
  PolicyRegistry registry;
  registry.add(noted("noted"));
  std::string text;
  for (const std::string& name : registry.names(PolicyKind::kMapper)) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::string parsed(const std::string& text) {
  PolicyRegistry registry;
  registry.add(noted("noted"));
  const auto mapper = registry.mapper(text, 7);
  return mapper ? dynamic_cast<const Noted&>(**mapper).text() : faults_of(mapper.faults());
}

TEST_CASE("parameters that are not given have their defaults") {
  CHECK(parsed("noted") == "2.000000 3.000000 7");
  CHECK(parsed("noted:weight=10") == "10.000000 3.000000 7");
  CHECK(parsed("noted:count=1e3,weight=0.5") == "0.500000 1000.000000 7");
}

TEST_CASE("wrong text says what was found, what is allowed and what was probably meant") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"notd",
       "mapper: unknown policy \"notd\"; allowed: " + all_mappers() + "; did you mean \"noted\"?"},
      {"least_recent", "mapper: unknown policy \"least_recent\"; allowed: " + all_mappers()},
      {":weight=1", "mapper: unknown policy \"\"; allowed: " + all_mappers()},
      {"noted:wieght=1",
       "mapper noted: unknown parameter \"wieght\"; allowed: weight, count; did you mean "
       "\"weight\"?"},
      {"noted:", "mapper noted: an empty parameter; write NAME=VALUE"},
      {"noted:weight=1,", "mapper noted: an empty parameter; write NAME=VALUE"},
      {"noted:weight", "mapper noted: parameter \"weight\" has no value; write weight=2"},
      {"noted:weight=", "mapper noted: weight= is not a number; allowed: 0.5 to 10"},
      {"noted:weight=1x", "mapper noted: weight=1x is not a number; allowed: 0.5 to 10"},
      {"noted:weight=nan", "mapper noted: weight=nan is not a number; allowed: 0.5 to 10"},
      {"noted:weight=inf", "mapper noted: weight=inf is not a number; allowed: 0.5 to 10"},
      {"noted:weight=11", "mapper noted: weight=11 is out of range; allowed: 0.5 to 10"},
      {"noted:count=0", "mapper noted: count=0 is out of range; allowed: 1 to 1000 tasks"},
      {"noted:count=1.5",
       "mapper noted: count=1.5 is not a whole number; allowed: 1 to 1000 tasks"},
      {"noted:weight=1,weight=2", "mapper noted: parameter \"weight\" is given twice"},
      {"noted:weight=1:2", "mapper noted: weight=1:2 is not a number; allowed: 0.5 to 10"},
      {"round_robin:x=1", "mapper round_robin: unknown parameter \"x\"; it has none"},
      {"noted:wight=1,count=x",
       "mapper noted: unknown parameter \"wight\"; allowed: weight, count; did you mean "
       "\"weight\"?\n"
       "mapper noted: count=x is not a whole number; allowed: 1 to 1000 tasks"},
  };
  for (const auto& [text, fault] : cases) {
    const auto& shown = text;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    CHECK(parsed(text) == fault);
  }
}

TEST_CASE("a name may be used once a kind, and a default must be in its range") {
  PolicyRegistry registry;
  CHECK_THROWS_AS(registry.add(noted("parla")), InvariantViolation);
  registry.add(noted("lru"));  // an evictor's name; the mapper is another
  CHECK(registry.mapper("lru", 1).has_value());
  CHECK(registry.evictor("lru", 1).has_value());
  PolicyEntry entry = noted("broken");
  entry.info.parameters[0].default_value = 11.0;
  CHECK_THROWS_AS(registry.add(entry), InvariantViolation);
}

}  // namespace
}  // namespace parley::core
