#include "cli/plan/plan_file.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <queue>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/plan/journal_plan.h"
#include "cli/plan/plan_names.h"
#include "cli/plan/plan_values.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

const std::vector<std::string> kPlanKeys = {"format", "version",   "tasks", "prefetches",
                                            "copies", "evictions", "meta"};

std::string row_path(const char* list, std::size_t row) {
  return std::string(list) + "[" + std::to_string(row) + "]";
}

/// Calls `read(row, where)` for each row of a list; a row of another form is a fault.
template <class Read>
void read_rows(const Json& file, const char* list, const char* form, PlanNames& names,
               Read&& read) {
  const Json& rows = file.at(list);
  if (!rows.is_array()) return names.refuse(list, std::string("expected a list of ") + form);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = row_path(list, i);
    try {
      read(rows[i], where);
    } catch (const Json::exception&) {
      names.refuse(where, "found " + rows[i].dump() + "; expected " + form);
    }
  }
}

/// 0 after a fault.
std::uint32_t position_of(const Json& row, const std::string& where, PlanNames& names) {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(
      plan_integer(row.at(0), 0, kMost, where + "[0]", names).value_or(0));
}

void read_tasks(const Json& file, PlanNames& names, core::Plan& plan) {
  read_rows(file, "tasks", "[task, device] or [task, device, alternative]", names,
            [&](const Json& row, const std::string& where) {
              core::PlannedTask planned;
              planned.task = names.task(row.at(0).get<std::string>(), where);
              planned.devices = names.devices(row.at(1).get<std::string>(), where);
              if (row.size() > 2)
                planned.alternative = plan_alternative(row.at(2), where + "[2]", names);
              if (!planned.task.is_none()) plan.tasks.push_back(std::move(planned));
            });
}

void read_prefetches(const Json& file, PlanNames& names, core::Plan& plan) {
  read_rows(file, "prefetches", "[position, region, space, task]", names,
            [&](const Json& row, const std::string& where) {
              plan.prefetches.push_back({position_of(row, where, names),
                                         names.region(row.at(1).get<std::string>(), where),
                                         names.space(row.at(2).get<std::string>(), where),
                                         names.task(row.at(3).get<std::string>(), where)});
            });
}

/// Of a copy of a region; none after a fault.
std::vector<core::Box> boxes_of_row(const Json& list, core::RegionId region,
                                    const std::string& where, PlanNames& names) {
  std::vector<core::Box> boxes;
  if (!list.is_array() || list.empty()) {
    names.refuse(where, "found " + list.dump() + "; allowed: a list of at least one box");
    return boxes;
  }
  if (region.is_none()) return boxes;  // of an unknown shape
  const core::Program& program = names.program();
  const core::ArrayId array = program.region(region).array;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto box = plan_box(list[i], program.array(array).spec.shape,
                              where + "[" + std::to_string(i) + "]", names);
    if (box) boxes.push_back(*box);
  }
  return boxes;
}

void read_copies(const Json& file, PlanNames& names, core::Plan& plan) {
  read_rows(file, "copies", "[position, region, boxes of [start, step, count], from, to]", names,
            [&](const Json& row, const std::string& where) {
              core::PlannedCopy copy;
              copy.position = position_of(row, where, names);
              copy.region = names.region(row.at(1).get<std::string>(), where);
              copy.boxes = boxes_of_row(row.at(2), copy.region, where + "[2]", names);
              copy.from = names.space(row.at(3).get<std::string>(), where);
              copy.to = names.space(row.at(4).get<std::string>(), where);
              plan.copies.push_back(std::move(copy));
            });
}

void read_evictions(const Json& file, PlanNames& names, core::Plan& plan) {
  read_rows(file, "evictions", "[position, region, space]", names,
            [&](const Json& row, const std::string& where) {
              plan.evictions.push_back({position_of(row, where, names),
                                        names.region(row.at(1).get<std::string>(), where),
                                        names.space(row.at(2).get<std::string>(), where)});
            });
}

template <class Entry>
void check_positions(const std::vector<Entry>& entries, const char* list, PlanNames& names) {
  const bool is_sorted =
      std::is_sorted(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.position < b.position; });
  if (!is_sorted) names.refuse(list, "positions go back");
}

core::Plan plan_of_plan(const Json& file, PlanNames& names) {
  core::Plan plan;
  for (const auto& item : file.items()) {
    if (std::find(kPlanKeys.begin(), kPlanKeys.end(), item.key()) != kPlanKeys.end()) continue;
    names.refuse(item.key(), "unknown key" + core::did_you_mean(item.key(), kPlanKeys));
  }
  if (file.value("version", Json()) != 1) {
    names.refuse("version",
                 "found " + file.value("version", Json()).dump() + "; this build reads version 1");
  }
  if (!file.contains("tasks")) {
    names.refuse("tasks", "missing: a list of [task, device] in the order of issue");
    return plan;
  }
  read_tasks(file, names, plan);
  const bool has[] = {file.contains("prefetches"), file.contains("copies"),
                      file.contains("evictions")};
  if (!has[0] && !has[1] && !has[2]) return plan;
  if (!has[0] || !has[1] || !has[2]) {
    names.refuse("", "\"prefetches\", \"copies\" and \"evictions\" belong together: all or none");
    return plan;
  }
  plan.has_copies = true;
  read_prefetches(file, names, plan);
  read_copies(file, names, plan);
  read_evictions(file, names, plan);
  check_positions(plan.prefetches, "prefetches", names);
  check_positions(plan.copies, "copies", names);
  check_positions(plan.evictions, "evictions", names);
  return plan;
}

/// The tasks in the order of the list, but each after all that it depends on, also through what is
/// not listed (evictions).
std::vector<core::PlannedTask> after_dependencies(std::vector<core::PlannedTask> tasks,
                                                  const core::Program& program) {
  constexpr std::size_t kUnlisted = static_cast<std::size_t>(-1);
  core::IdVector<core::TaskId, std::size_t> place(program.task_count(), kUnlisted);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (place[tasks[i].task] != kUnlisted) return tasks;  // listed twice: the engine says so
    place[tasks[i].task] = i;
  }
  core::IdVector<core::TaskId, std::vector<core::TaskId>> successors(program.task_count());
  core::IdVector<core::TaskId, std::size_t> pending(program.task_count(), 0);
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  std::vector<core::TaskId> passed;  // unlisted, with nothing left to wait for
  const auto make_ready = [&](core::TaskId task) {
    if (place[task] == kUnlisted) {
      passed.push_back(task);
    } else {
      ready.push(place[task]);
    }
  };
  for (std::size_t t = 0; t < program.task_count(); ++t) {
    const core::TaskId task(t);
    for (const core::TaskId on : program.dependencies(task)) {
      successors[on].push_back(task);
      ++pending[task];
    }
    if (pending[task] == 0) make_ready(task);
  }
  std::vector<core::PlannedTask> sorted;
  sorted.reserve(tasks.size());
  while (!passed.empty() || !ready.empty()) {
    core::TaskId done;
    if (!passed.empty()) {
      done = passed.back();
      passed.pop_back();
    } else {
      done = tasks[ready.top()].task;
      sorted.push_back(std::move(tasks[ready.top()]));
      ready.pop();
    }
    for (const core::TaskId task : successors[done]) {
      if (--pending[task] == 0) make_ready(task);
    }
  }
  return sorted;
}

core::Plan plan_of_summary(const Json& file, PlanNames& names) {
  core::Plan plan;
  if (!file.contains("tasks")) {
    names.refuse("tasks", "missing: a summary written with --summary-brief tells of no tasks");
    return plan;
  }
  struct Row {
    std::int64_t start = 0;
    core::PlannedTask planned;
  };
  std::vector<Row> rows;
  read_rows(file, "tasks", "[task, device, start, end]", names,
            [&](const Json& row, const std::string& where) {
              Row read;
              read.planned.task = names.task(row.at(0).get<std::string>(), where);
              read.planned.devices = names.devices(row.at(1).get<std::string>(), where);
              read.start = row.at(2).get<std::int64_t>();
              if (!read.planned.task.is_none()) rows.push_back(std::move(read));
            });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.start < b.start; });
  for (Row& row : rows) plan.tasks.push_back(std::move(row.planned));
  plan.tasks = after_dependencies(std::move(plan.tasks), names.program());
  return plan;
}

/// The header of a journal, if the text begins with one. The rest is on lines of its own.
std::optional<Json> journal_header(const std::string& first_line) {
  Json header = Json::parse(first_line, nullptr, false);
  if (!header.is_object() || header.value("format", Json()) != "parley-journal") {
    return std::nullopt;
  }
  return header;
}

bool writes_back_early(const Json& journal_header) {
  const Json options = journal_header.value("options", Json());
  return options.is_object() && options.value("writes_back_early", Json()) == true;
}

/// From a journal's header or a summary.
void note_origin(const Json& run, PlanNames& names) {
  const Json workload = run.value("workload", Json());
  if (workload.is_string()) names.note_origin(workload.get<std::string>());
}

core::Plan plan_of_json(const std::string& text, PlanNames& names) {
  const Json file = Json::parse(text, nullptr, false);
  const Json format = file.is_object() ? file.value("format", Json()) : Json();
  if (format == "parley-plan") return plan_of_plan(file, names);
  if (format == "parley-summary") {
    note_origin(file, names);
    return plan_of_summary(file, names);
  }
  names.refuse("", file.is_discarded() ? "is not JSON"
                                       : "found format " + format.dump() +
                                             "; allowed: parley-plan, parley-summary, "
                                             "parley-journal");
  return {};
}

core::Result<core::Plan> checked(core::Plan plan, const PlanNames& names) {
  if (names.has_faults()) return names.faults();
  plan.workload = names.origin();
  return plan;
}

}  // namespace

core::Result<core::Plan> parse_plan(const std::string& text, const std::string& where,
                                    const core::Program& program, const core::Machine& machine) {
  PlanNames names(program, machine, where);
  core::Plan plan = plan_of_json(text, names);
  return checked(std::move(plan), names);
}

core::Result<core::Plan> load_plan(const std::string& path, const core::Program& program,
                                   const core::Machine& machine) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return core::Fault{path, "is a directory"};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return core::Fault{path, "cannot be read: " + std::generic_category().message(errno)};
  }
  std::string first_line;
  std::getline(file, first_line);
  PlanNames names(program, machine, path);
  if (const std::optional<Json> header = journal_header(first_line)) {
    note_origin(*header, names);
    core::Plan plan = plan_of_journal(file, names);
    plan.writes_back_early = writes_back_early(*header);
    return checked(std::move(plan), names);
  }
  const std::string rest((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  core::Plan plan = plan_of_json(first_line + "\n" + rest, names);
  return checked(std::move(plan), names);
}

}  // namespace parley::cli
