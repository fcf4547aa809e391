#include "cli/plan/journal_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cli/json_problem.h"
#include "cli/plan/plan_values.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

/// Of a copy's parts; those with faults are left out.
std::vector<core::Box> boxes_of(const Json& parts, std::span<const std::int64_t> shape,
                                const std::string& where, PlanNames& names) {
  std::vector<core::Box> boxes;
  for (const Json& part : parts) {
    const auto box = plan_box(part.at("box"), shape, where + ": box", names);
    if (box) boxes.push_back(*box);
  }
  return boxes;
}

class JournalPlan {
 public:
  explicit JournalPlan(PlanNames& names) : names_(names) { plan_.has_copies = true; }

  /// The next step is at that time.
  void advance(std::int64_t now, const std::string& where) {
    if (now < now_) {
      names_.refuse(where, "time goes back, from " + std::to_string(now_) + " ns to " +
                               std::to_string(now) + " ns: is the journal in order?");
    }
    now_ = now;
  }

  /// Throws Json::exception on what is no command.
  void add(const Json& command, const std::string& where) {
    check_number(command, where);
    if (command.contains("copy")) add_copy(command, where);
    if (command.contains("launch")) add_launch(command, where);
    if (command.contains("drop")) add_drop(command, where);
    if (command.contains("finish")) is_finished_ = true;
  }
  /// Whether the run had nothing more to do.
  [[nodiscard]] bool is_finished() const { return is_finished_; }

  core::Plan take() {
    // Copied early, and gone before the task was launched: by what the task accesses alone.
    for (const auto& [task, copies] : open_) {
      for (const OpenCopy& copy : copies) settle(core::TaskId(task), copy, {});
    }
    for (const core::PlannedPrefetch& prefetch : prefetches_) {
      // One request may make several copies, from several sources.
      const bool is_known = !plan_.prefetches.empty() && plan_.prefetches.back() == prefetch;
      if (!is_known && !prefetch.region.is_none()) plan_.prefetches.push_back(prefetch);
    }
    return std::move(plan_);
  }

 private:
  /// A copy whose region is known when its task is launched.
  struct OpenCopy {
    std::size_t copy = 0;                 // in plan_.copies
    std::optional<std::size_t> prefetch;  // in prefetches_
    core::ArrayId array;
    std::int64_t replica = 0;
  };

  /// Copies and launches are numbered in their order, so that one that is not there shows.
  void check_number(const Json& command, const std::string& where) {
    for (const char* kind : {"copy", "launch"}) {
      if (!command.contains(kind)) continue;
      const auto number = command.at(kind).get<std::uint64_t>();
      if (number != next_number_ && !lacks_commands_) {
        lacks_commands_ = true;
        names_.refuse(where, "found command " + command.at(kind).dump() + ", expected " +
                                 std::to_string(next_number_) + ": is all of the journal here?");
      }
      next_number_ = number + 1;
    }
  }

  [[nodiscard]] std::uint32_t position() const {
    return static_cast<std::uint32_t>(plan_.tasks.size());
  }

  void add_copy(const Json& command, const std::string& where) {
    core::PlannedCopy copy;
    copy.position = position();
    const core::ArrayId array = names_.array(command.at("array").get<std::string>(), where);
    if (array.is_none()) return;
    copy.from = names_.space(command.at("from").get<std::string>(), where);
    copy.to = names_.space(command.at("to").get<std::string>(), where);
    copy.boxes =
        boxes_of(command.at("parts"), names_.program().array(array).spec.shape, where, names_);
    copy.region = names_.program().array(array).whole;
    const std::string reason = command.at("reason").get<std::string>();
    const bool is_prefetch = reason == "prefetch";
    if (is_prefetch || reason == "fetch") {
      const core::TaskId task = names_.task(command.at("task").get<std::string>(), where);
      if (task.is_none() || copy.boxes.empty()) return;
      OpenCopy open{
          plan_.copies.size(), {}, array, command.at("target_replica").get<std::int64_t>()};
      if (is_prefetch) {
        open.prefetch = prefetches_.size();
        prefetches_.push_back({copy.position, core::RegionId::none(), copy.to, task});
      }
      open_[static_cast<std::uint32_t>(task.index())].push_back(open);
    }
    plan_.copies.push_back(std::move(copy));
  }

  void add_launch(const Json& command, const std::string& where) {
    core::PlannedTask planned;
    planned.task = names_.task(command.at("task").get<std::string>(), where);
    planned.alternative =
        plan_alternative(command.at("alternative"), where + ": alternative", names_);
    std::string devices;
    for (const Json& device : command.at("devices")) {
      devices += (devices.empty() ? "" : "+") + device.get<std::string>();
    }
    planned.devices = names_.devices(devices, where);
    if (planned.task.is_none()) return;
    settle_copies(planned.task, command.at("operands"));
    plan_.tasks.push_back(std::move(planned));
  }

  /// The replicas that were copied into are now bound to accesses, which tell their regions.
  void settle_copies(core::TaskId task, const Json& operands) {
    const auto open = open_.find(static_cast<std::uint32_t>(task.index()));
    if (open == open_.end()) return;
    const auto accesses = names_.program().accesses(task);
    for (const OpenCopy& copy : open->second) {
      Target target;
      for (std::size_t i = 0; i < std::min(accesses.size(), operands.size()); ++i) {
        if (operands[i].at("replica") != copy.replica || !holds(accesses[i].region, copy)) continue;
        if (target.asked.is_none()) {
          target = {accesses[i].region, operands[i].at("home_view").get<bool>()};
        }
      }
      settle(task, copy, target);
    }
    open_.erase(open);
  }

  /// What a copy was for: a region, in its home slot or in a replica of its own.
  struct Target {
    core::RegionId asked;
    bool is_home = false;
  };

  /// Whether the copy may have been for the region.
  [[nodiscard]] bool holds(core::RegionId id, const OpenCopy& open) const {
    const core::Region& region = names_.program().region(id);
    return region.array == open.array &&
           core::intersection(region.box, plan_.copies[open.copy].boxes.front()).has_value();
  }

  void settle(core::TaskId task, const OpenCopy& open, Target target) {
    for (const core::Access& access : names_.program().accesses(task)) {
      if (target.asked.is_none() && holds(access.region, open)) target.asked = access.region;
    }
    if (open.prefetch) prefetches_[*open.prefetch].region = target.asked;
    if (!target.is_home) plan_.copies[open.copy].region = target.asked;
  }

  void add_drop(const Json& command, const std::string& where) {
    if (command.at("reason") != "evicted") return;
    core::PlannedEviction eviction;
    eviction.position = position();
    eviction.region = names_.region(command.at("region").get<std::string>(), where);
    eviction.space = names_.space(command.at("space").get<std::string>(), where);
    if (eviction.region.is_none() || eviction.space.is_none()) return;
    plan_.evictions.push_back(eviction);
  }

  PlanNames& names_;
  core::Plan plan_;
  bool is_finished_ = false;
  bool lacks_commands_ = false;
  std::int64_t now_ = 0;
  std::uint64_t next_number_ = 0;
  std::unordered_map<std::uint32_t, std::vector<OpenCopy>> open_;  // by task not launched yet
  std::vector<core::PlannedPrefetch> prefetches_;                  // one a copy
};

}  // namespace

core::Plan plan_of_journal(std::istream& journal, PlanNames& names) {
  JournalPlan plan(names);
  std::string line;
  std::size_t number = 1;
  for (; number < 3 && std::getline(journal, line); ++number) {
  }
  const auto line_text = [&] { return "line " + std::to_string(number); };
  while (std::getline(journal, line)) {
    ++number;
    const Json step = Json::parse(line, nullptr, false);
    if (step.is_discarded() && journal.eof()) break;  // within this line
    if (step.is_discarded()) {
      names.refuse(line_text(), "is not JSON");
      break;
    }
    try {
      plan.advance(step.at("now").get<std::int64_t>(), line_text());
      if (step.contains("stopped")) {
        names.refuse(line_text(), "the run ended here, too early to be a plan: " +
                                      step.at("stopped").get<std::string>());
        break;
      }
      for (const Json& command : step.at("commands")) plan.add(command, line_text());
    } catch (const Json::exception& problem) {
      names.refuse(line_text(), "is no step of a journal: " + json_problem(problem));
      break;
    }
  }
  if (!names.has_faults() && !plan.is_finished()) {
    names.refuse(line_text(), "the journal is cut off here");
  }
  return plan.take();
}

}  // namespace parley::cli
