#include "cli/compare_options.h"

#include <algorithm>

#include "cli/run_options.h"
#include "cli/terminal.h"
#include "core/policy/registry.h"

namespace parley::cli {
namespace {

const std::vector<std::string> kKeys = {"mapper", "order",  "prefetch",  "evict",
                                        "source", "window", "write_back"};

struct Assignment {
  std::string key, value;
};

/// The part of `item` before "=" when it starts an assignment; "" when it continues the one before.
std::string key_of(const std::string& item) {
  const std::string name = item.substr(0, item.find('='));
  return std::find(kKeys.begin(), kKeys.end(), name) == kKeys.end() ? "" : name;
}

core::Result<std::vector<Assignment>> split(const std::string& text) {
  std::vector<Assignment> assignments;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string item = text.substr(start, end - start);
    const std::string key = key_of(item);
    // "parla:generation=2,load=10": the second item is the policy's, for the first has parameters.
    const bool continues = key.empty() && !assignments.empty() &&
                           assignments.back().value.find(':') != std::string::npos;
    if (continues) {
      assignments.back().value += "," + item;
    } else if (key.empty() || item.size() == key.size()) {
      const std::string name = item.substr(0, item.find('='));
      return core::Fault{"--policy \"" + text + "\"",
                         "found \"" + item +
                             "\"; allowed: mapper=..., order=..., prefetch=..., evict=..., "
                             "source=..., window=..., write_back=evict|early, separated by commas" +
                             core::did_you_mean(name, kKeys)};
    } else {
      assignments.push_back({key, item.substr(key.size() + 1)});
    }
    start = end + 1;
  }
  return assignments;
}

}  // namespace

core::Result<PolicySet> parse_policy_set(const std::string& text, const core::EngineOptions& base) {
  const std::string where = "--policy \"" + text + "\"";
  const core::Result<std::vector<Assignment>> assignments = split(text);
  if (!assignments) return assignments.faults();
  PolicySet set{text, base};
  core::Faults faults;
  std::vector<std::string> seen;
  for (const auto& [key, value] : *assignments) {
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      faults.push_back({where, key + " is given twice"});
    }
    seen.push_back(key);
    if (key == "mapper") set.options.mapper = value;
    if (key == "order") set.options.order = value;
    if (key == "prefetch") set.options.prefetch = value;
    if (key == "evict") set.options.evict = value;
    if (key == "source") set.options.source = value;
    if (key == "write_back") {
      set.options.writes_back_early = value == "early";
      if (value != "early" && value != "evict") {
        faults.push_back({where, "write_back: found \"" + value + "\"; allowed: evict, early"});
      }
    }
    if (key != "window") continue;
    const core::Result<std::uint32_t> window = parse_window(value);
    if (window) set.options.window = *window;
    for (const core::Fault& fault : window.faults())
      faults.push_back({where, "window: " + fault.what});
  }
  for (const core::Fault& fault : check_policies(set.options)) {
    faults.push_back({where, fault.where.substr(2) + ": " + fault.what});
  }
  if (!faults.empty()) return faults;
  return set;
}

core::Result<core::EngineOptions> engine_of(const RunOptions& base) {
  core::EngineOptions engine = base.engine;
  engine.writes_back_early = base.write_back == "early";
  const core::Result<std::uint32_t> window = parse_window(base.window);
  core::Faults faults = check_policies(engine);
  append(faults, window.faults());
  if (!faults.empty()) return faults;
  engine.window = *window;
  return engine;
}

core::Result<std::vector<PolicySet>> parse_policy_sets(const std::vector<std::string>& texts,
                                                       const core::EngineOptions& base) {
  core::Faults faults;
  std::vector<PolicySet> sets;
  for (const std::string& text : texts) {
    core::Result<PolicySet> set = parse_policy_set(text, base);
    append(faults, set.faults());
    if (set) sets.push_back(std::move(*set));
  }
  if (!faults.empty()) return faults;
  return sets;
}

std::vector<PolicySet> every_mapper(const core::EngineOptions& base) {
  std::vector<PolicySet> sets;
  const core::PolicyRegistry registry;
  for (const std::string& name : registry.names(core::PolicyKind::kMapper)) {
    if (registry.info(core::PolicyKind::kMapper, name)->plan_use != core::PlanUse::kNone) continue;
    PolicySet set{"mapper=" + name, base};
    set.options.mapper = name;
    sets.push_back(std::move(set));
  }
  return sets;
}

}  // namespace parley::cli
