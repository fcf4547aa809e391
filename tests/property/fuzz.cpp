#include "tests/property/fuzz.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <optional>

#include "core/base/check.h"
#include "tests/property/draft_plan.h"
#include "tests/support/chooser.h"
#include "tests/support/command_checker.h"
#include "tests/support/threaded_driver.h"

namespace parley::test {

// "refused" comes from make_engine. Only a machine made too small on purpose may refuse.
void excuse_refusal(const ProblemDraft& draft, Outcome& outcome) {
  if (!outcome.result.fault.starts_with("refused")) return;
  const bool is_skimped = std::any_of(draft.gpus.begin(), draft.gpus.end(),
                                      [](const GpuDraft& gpu) { return gpu.slack < 0; });
  if (!is_skimped) return;
  outcome.refusal = outcome.result.fault;
  outcome.result.fault.clear();
}

Outcome play(const ProblemDraft& draft, std::uint64_t play_seed) {
  Outcome outcome;
  try {
    const std::unique_ptr<Problem> problem = build(draft, outcome.refusal);
    if (!problem) return outcome;
    RandomChooser chooser(play_seed);
    outcome.result = run_adversarial(problem->program(), problem->machine(),
                                     planned_options(draft, *problem), problem->plan(), chooser);
  } catch (const std::exception& broken) {
    outcome.result.fault = broken.what();
  }
  excuse_refusal(draft, outcome);
  return outcome;
}

Outcome play_threaded(const ProblemDraft& draft) {
  Outcome outcome;
  try {
    const std::unique_ptr<Problem> problem = build(draft, outcome.refusal);
    if (!problem) return outcome;
    ThreadedOptions options;
    options.engine = planned_options(draft, *problem);
    (void)run_threaded(problem->program(), problem->machine(), options);
  } catch (const std::exception& broken) {
    outcome.result.fault = broken.what();
  }
  excuse_refusal(draft, outcome);
  return outcome;
}

Player any_of_orders(std::uint64_t first, std::size_t orders) {
  return [first, orders](const ProblemDraft& draft) {
    Outcome outcome;
    for (std::size_t i = 0; i < orders; ++i) {
      outcome = play(draft, first + i);
      if (outcome.has_fault() || !outcome.refusal.empty()) break;
    }
    return outcome;
  };
}

namespace {

/// The rule that a fault names: shrinking must not drift to another one.
std::string rule_of(const std::string& fault) { return fault.substr(0, fault.find(':')); }

/// Tries changes one at a time and keeps those under which the fault stays.
class Shrinker {
 public:
  Shrinker(ProblemDraft draft, const Player& player, std::size_t most_plays)
      : best_(std::move(draft)),
        player_(player),
        rule_(rule_of(player(best_).result.fault)),
        plays_left_(most_plays) {}

  ProblemDraft run() {
    do {
      has_shrunk_ = false;
      drop_each(&ProblemDraft::tasks);
      for (std::size_t t = 0; t < best_.tasks.size(); ++t) shrink_task(t);
      drop_arrays();
      for (std::size_t a = 0; a < best_.arrays.size(); ++a) shrink_array(a);
      shrink_machine();
      shrink_options();
    } while (has_shrunk_ && plays_left_ > 0);
    return best_;
  }

 private:
  template <class Change>
  bool attempt(Change&& change) {
    if (plays_left_ == 0) return false;
    ProblemDraft smaller = best_;
    change(smaller);
    --plays_left_;
    const Outcome outcome = player_(smaller);
    if (!outcome.has_fault() || rule_of(outcome.result.fault) != rule_) return false;
    best_ = std::move(smaller);
    has_shrunk_ = true;
    return true;
  }

  template <class T>
  void set(T ProblemDraft::*member, const T& value) {
    if (!(best_.*member == value)) attempt([&](ProblemDraft& d) { d.*member = value; });
  }
  template <class T>
  void set_option(T core::EngineOptions::*member, const T& value) {
    if (!(best_.options.*member == value)) {
      attempt([&](ProblemDraft& d) { d.options.*member = value; });
    }
  }

  // From the last to the first, so that what remains keeps its meaning.
  template <class T>
  void drop_each(std::vector<T> ProblemDraft::*member) {
    for (std::size_t i = (best_.*member).size(); i-- > 0;) {
      attempt([&](ProblemDraft& d) {
        (d.*member).erase((d.*member).begin() + static_cast<std::ptrdiff_t>(i));
      });
    }
  }

  void drop_arrays() {
    for (std::size_t a = best_.arrays.size(); a-- > 0;) {
      if (best_.arrays.size() == 1) return;
      attempt([&](ProblemDraft& d) {
        d.arrays.erase(d.arrays.begin() + static_cast<std::ptrdiff_t>(a));
        for (TaskDraft& task : d.tasks) {
          std::erase_if(task.accesses, [&](const AccessDraft& x) { return x.array == a; });
          for (AccessDraft& access : task.accesses) access.array -= access.array > a ? 1 : 0;
        }
      });
    }
  }

  void shrink_task(std::size_t t) {
    for (std::size_t i = best_.tasks[t].accesses.size(); i-- > 0;) {
      const auto at = static_cast<std::ptrdiff_t>(i);
      if (attempt([&](ProblemDraft& d) {
            d.tasks[t].accesses.erase(d.tasks[t].accesses.begin() + at);
          })) {
        continue;
      }
      if (!best_.tasks[t].accesses[i].slices.empty()) {
        attempt([&](ProblemDraft& d) { d.tasks[t].accesses[i].slices.clear(); });
      }
      if (best_.tasks[t].accesses[i].mode == core::AccessMode::kInout) {
        attempt([&](ProblemDraft& d) { d.tasks[t].accesses[i].mode = core::AccessMode::kIn; });
      }
    }
    const auto simplify = [&](auto TaskDraft::*member, const auto& value) {
      if (!(best_.tasks[t].*member == value)) {
        attempt([&](ProblemDraft& d) { d.tasks[t].*member = value; });
      }
    };
    simplify(&TaskDraft::after, std::vector<std::uint32_t>());
    simplify(&TaskDraft::kernel, std::string());
    simplify(&TaskDraft::priority, std::int32_t{0});
    simplify(&TaskDraft::is_held_back, false);
    simplify(&TaskDraft::is_lazy, false);
    simplify(&TaskDraft::is_shown, false);
    simplify(&TaskDraft::cost_ns, std::int64_t{0});
    if (best_.tasks[t].placement.size() > 1) {
      attempt([&](ProblemDraft& d) { d.tasks[t].placement.resize(1); });
    }
    for (std::size_t p = 0; p < best_.tasks[t].placement.size(); ++p) {
      if (best_.tasks[t].placement[p].scratch_bytes > 0) {
        attempt([&](ProblemDraft& d) { d.tasks[t].placement[p].scratch_bytes = 0; });
      }
    }
  }

  void shrink_array(std::size_t a) {
    for (std::size_t d = 0; d < best_.arrays[a].shape.size(); ++d) {
      for (const std::int64_t extent : {1, 2, 4}) {
        if (best_.arrays[a].shape[d] <= extent) break;
        if (attempt([&](ProblemDraft& x) { x.arrays[a].shape[d] = extent; })) break;
      }
    }
    const auto simplify = [&](auto ArrayDraft::*member, const auto& value) {
      if (!(best_.arrays[a].*member == value)) {
        attempt([&](ProblemDraft& d) { d.arrays[a].*member = value; });
      }
    };
    simplify(&ArrayDraft::is_opaque, false);
    simplify(&ArrayDraft::dtype, core::DType::kFloat64);
    simplify(&ArrayDraft::homes, std::vector<std::size_t>());
    simplify(&ArrayDraft::at_end, core::AtEnd::kAnywhere);
    simplify(&ArrayDraft::initial, core::Initial::Kind::kRandom);
  }

  void shrink_machine() {
    while (best_.gpus.size() > 1 && attempt([](ProblemDraft& d) { d.gpus.pop_back(); })) {
    }
    set(&ProblemDraft::nodes, std::size_t{1});
    drop_each(&ProblemDraft::peers);
    for (std::size_t g = 0; g < best_.gpus.size(); ++g) {
      if (best_.gpus[g].slack != 1 << 20) {
        attempt([&](ProblemDraft& d) { d.gpus[g].slack = 1 << 20; });
      }
    }
  }

  void shrink_options() {
    set(&ProblemDraft::has_failure, false);
    set(&ProblemDraft::is_growing, false);
    set(&ProblemDraft::portions, std::vector<std::size_t>());
    set(&ProblemDraft::is_permuted, false);
    set(&ProblemDraft::mode, core::DependencyMode::kInferred);
    set_option(&core::EngineOptions::order, std::string("fifo"));
    set_option(&core::EngineOptions::mapper, std::string());
    set_option(&core::EngineOptions::prefetch, std::string("none"));
    set_option(&core::EngineOptions::evict, std::string("lru"));
    set_option(&core::EngineOptions::source, std::string("nearest"));
    set_option(&core::EngineOptions::window, std::uint32_t{0});
    set_option(&core::EngineOptions::evict_idle_only, false);
    set_option(&core::EngineOptions::writes_back_early, false);
    set_option(&core::EngineOptions::record_states, false);
  }

  ProblemDraft best_;
  const Player& player_;
  std::string rule_;
  std::size_t plays_left_;
  bool has_shrunk_ = false;
};

std::optional<std::string> environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::string(text);
}

}  // namespace

ProblemDraft shrunk(ProblemDraft draft, const Player& player, std::size_t most_plays) {
  return Shrinker(std::move(draft), player, most_plays).run();
}

std::string report(std::uint64_t seed, const ProblemDraft& draft, const Outcome& outcome,
                   const Player& player) {
  const ProblemDraft small = shrunk(draft, player, 2000);
  const Outcome again = player(small);
  return "\nrun it again with PARLEY_FUZZ_SEED=" + std::to_string(seed) + "\n" +
         outcome.result.fault + "\n\nshrunk to\n" + text_of(small) + "\nwhich breaks\n" +
         again.result.fault + "\n\nlast steps\n" + again.result.history;
}

double fuzz_seconds(double otherwise) {
  const auto text = environment("PARLEY_FUZZ_SECONDS");
  return text ? std::stod(*text) : otherwise;
}

std::uint64_t fuzz_seed(std::uint64_t otherwise) {
  const auto text = environment("PARLEY_FUZZ_SEED");
  return text ? std::stoull(*text) : otherwise;
}

}  // namespace parley::test
