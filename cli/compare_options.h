// What a comparison runs: every workload on every machine under every set of policies, a number of
// times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/run_options.h"
#include "core/base/result.h"
#include "core/engine/engine.h"

namespace parley::cli {

/// Policies that go together, as given: "mapper=parla:load=10,evict=lru", and their options.
struct PolicySet {
  std::string text;
  core::EngineOptions options;
};

/// Reads one set: assignments of mapper, order, prefetch, evict, source, window, write_back,
/// separated by commas; what follows a comma and starts with none of these belongs to the policy
/// before. What is not given comes from `base`. Faults name the option and the nearest match.
core::Result<PolicySet> parse_policy_set(const std::string& text, const core::EngineOptions& base);

/// The policies of `base`, its window and write-back.
core::Result<core::EngineOptions> engine_of(const RunOptions& base);

/// All sets of a command line, on the options of `base`; faults of all of them.
core::Result<std::vector<PolicySet>> parse_policy_sets(const std::vector<std::string>& texts,
                                                       const core::EngineOptions& base);

/// One set per shipped mapper, the rest from `base`.
std::vector<PolicySet> every_mapper(const core::EngineOptions& base);

}  // namespace parley::cli
