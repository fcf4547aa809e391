#include "tests/golden/case_file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "workloads/formats/region_text.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::test {
namespace {

using nlohmann::json;

std::string text_of(const core::Faults& faults) {
  std::string text;
  for (const core::Fault& fault : faults) text += "\n  " + fault.where + ": " + fault.what;
  return text;
}

using Names = std::vector<std::string>;

/// Each device is one of those allowed for its place, and no device comes twice.
void check_members(const Names& devices, const std::vector<Names>& allowed) {
  REQUIRE(devices.size() == allowed.size());
  CHECK(std::set<std::string>(devices.begin(), devices.end()).size() == devices.size());
  for (std::size_t i = 0; i < devices.size(); ++i) {
    CAPTURE(devices[i]);
    CHECK(std::count(allowed[i].begin(), allowed[i].end(), devices[i]) == 1);
  }
}

bool overlaps(const core::PieceOverview& piece, const core::Box& box) {
  return std::any_of(piece.boxes.begin(), piece.boxes.end(), [&](const core::Box& part) {
    return core::intersection(part, box).has_value();
  });
}

}  // namespace

std::vector<std::filesystem::path> workload_files(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  const auto root = std::filesystem::path(PARLEY_SOURCE_DIR) / "workloads" / folder;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

core::Program load_or_fail(const std::filesystem::path& file) {
  auto program = workloads::load_workload(file.string());
  REQUIRE_MESSAGE(program.has_value(), file.string() << text_of(program.faults()));
  return std::move(program).value();
}

core::Machine machine_or_fail(const std::string& name, const std::vector<std::string>& limits) {
  auto machine = workloads::load_machine(name, limits);
  REQUIRE_MESSAGE(machine.has_value(), name << text_of(machine.faults()));
  return std::move(machine).value();
}

namespace {

json meta_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return json::parse(stream).at("meta");
}

}  // namespace

CaseFile::CaseFile(const std::filesystem::path& file)
    : meta_(meta_of(file)),
      program_(load_or_fail(file)),
      machine_(
          machine_or_fail(meta_.at("machine"), meta_.value("limits", std::vector<std::string>()))) {
  // A misspelt expectation would hold always.
  const std::set<std::string> known = {
      "states",       "copies",           "placements", "groups", "group_members", "alternatives",
      "most_at_once", "tasks_per_device", "tasks",      "after",  "lazy"};
  for (const auto& item : expected().items()) {
    CHECK_MESSAGE(known.contains(item.key()), item.key());
  }
}

std::vector<std::string> CaseFile::rows() const { return meta_.at("rows"); }

std::vector<std::string> CaseFile::mappers() const {
  return meta_.value("mappers", std::vector<std::string>{""});
}

template <class T>
std::map<std::string, T> CaseFile::table(const char* key) const {
  return expected().value(key, std::map<std::string, T>());
}

std::uint16_t CaseFile::alternative_of(core::TaskId task) const {
  const auto alternatives = table<std::uint16_t>("alternatives");
  const auto found = alternatives.find(std::string(program_.task_name(task)));
  return found == alternatives.end() ? std::uint16_t{0} : found->second;
}

void CaseFile::check(const Observation& seen) {
  check_program();
  check_states(seen);
  check_copies(seen);
  check_placements(seen);
}

// ---- states ----

void CaseFile::check_states(const Observation& seen) {
  for (const json& state : expected().value("states", json::array())) check_state(state, seen);
}

void CaseFile::check_state(const json& state, const Observation& seen) {
  CAPTURE(state.dump());
  const auto task = program_.find_task(state.at("after").get<std::string>());
  const auto view = workloads::parse_region(program_, state.at("region").get<std::string>());
  REQUIRE(task.has_value());
  REQUIRE(view.has_value());
  const core::Region region = program_.region(view->region);
  const auto overview = std::find_if(
      seen.overviews.begin(), seen.overviews.end(),
      [&](const core::Overview& o) { return o.after == *task && o.array == region.array; });
  REQUIRE(overview != seen.overviews.end());
  std::size_t pieces = 0;
  for (const core::PieceOverview& piece : overview->pieces) {
    if (!overlaps(piece, region.box)) continue;
    ++pieces;
    for (std::size_t s = 0; s < machine_.space_count(); ++s) {
      const std::string& space = machine_.space(core::SpaceId(s)).name;
      CAPTURE(space);
      CHECK(core::name_of(piece.states[s]) == state.value(space, "INVALID"));
    }
    if (!state.contains("owner")) continue;
    REQUIRE_FALSE(piece.owner.is_none());
    CHECK(machine_.space(piece.owner).name == state.at("owner").get<std::string>());
  }
  CHECK(pieces > 0);
}

// ---- copies ----

void CaseFile::check_copies(const Observation& seen) const {
  if (!expects("copies")) return;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> found;  // count, bytes
  for (const core::CopyRecord& copy : seen.copies) {
    auto& [count, bytes] =
        found[machine_.space(copy.from).name + "->" + machine_.space(copy.to).name];
    ++count;
    bytes += copy.bytes.count();
  }
  const std::map<std::string, std::pair<std::int64_t, std::int64_t>> wanted =
      expected().at("copies");
  for (const auto& entry : wanted) {
    const std::string& route = entry.first;
    const auto& amount = entry.second;
    CAPTURE(route);
    CHECK(found[route].first == amount.first);
    CHECK(found[route].second == amount.second);
  }
  for (const auto& entry : found) {
    const std::string& route = entry.first;
    CAPTURE(route);
    CHECK(wanted.contains(route));
  }
}

// ---- placements ----

Names CaseFile::devices_of(const core::TaskRecord& task) const {
  Names names;
  for (const core::DeviceId device : task.devices) names.push_back(machine_.device(device).name);
  return names;
}

const core::TaskRecord& CaseFile::record_of(const std::string& task,
                                            const Observation& seen) const {
  const auto id = program_.find_task(task);
  REQUIRE_MESSAGE(id.has_value(), "no task " << task);
  const auto record =
      std::find_if(seen.tasks.begin(), seen.tasks.end(),
                   [&](const core::TaskRecord& candidate) { return candidate.task == *id; });
  REQUIRE_MESSAGE(record != seen.tasks.end(), task << " did not run");
  return *record;
}

void CaseFile::check_placements(const Observation& seen) const {
  for (const auto& entry : table<Names>("placements")) {
    const std::string& task = entry.first;
    CAPTURE(task);
    check_members(devices_of(record_of(task, seen)), {entry.second});
  }
  for (const auto& entry : table<std::vector<Names>>("group_members")) {
    const std::string& task = entry.first;
    CAPTURE(task);
    check_members(devices_of(record_of(task, seen)), entry.second);
  }
  for (const auto& entry : table<Names>("groups")) {
    const std::string& task = entry.first;
    CAPTURE(task);
    CHECK(devices_of(record_of(task, seen)) == entry.second);
  }
  for (const auto& entry : table<int>("alternatives")) {
    const std::string& task = entry.first;
    CAPTURE(task);
    CHECK(record_of(task, seen).alternative == entry.second);
  }
  std::map<std::string, int> counts;
  for (const core::TaskRecord& task : seen.tasks) {
    for (const std::string& device : devices_of(task)) ++counts[device];
  }
  for (const auto& entry : table<int>("tasks_per_device")) {
    const std::string& device = entry.first;
    CAPTURE(device);
    CHECK(counts[device] == entry.second);
  }
}

void CaseFile::check_concurrency(const Observation& seen, bool reaches_most) const {
  for (const auto& entry : table<int>("most_at_once")) {
    const std::string& device = entry.first;
    int greatest = 0;
    for (const core::TaskRecord& at : seen.tasks) {
      const auto runs_at_start = [&](const core::TaskRecord& other) {
        const Names devices = devices_of(other);
        return std::count(devices.begin(), devices.end(), device) > 0 && other.start <= at.start &&
               at.start < other.end;
      };
      const auto running = std::count_if(seen.tasks.begin(), seen.tasks.end(), runs_at_start);
      greatest = std::max(greatest, static_cast<int>(running));
    }
    CAPTURE(device);
    CHECK(greatest <= entry.second);
    if (reaches_most) CHECK(greatest == entry.second);
  }
}

// ---- the program itself ----

void CaseFile::check_program() const {
  if (expects("tasks")) CHECK(program_.task_count() == expected().at("tasks").get<std::size_t>());
  for (const auto& entry : table<Names>("after")) {
    const std::string& task = entry.first;
    CAPTURE(task);
    const auto id = program_.find_task(task);
    REQUIRE(id.has_value());
    Names found;
    for (const core::TaskId on : program_.timed_dependencies(*id)) {
      found.emplace_back(program_.task_name(on));
    }
    CHECK(found == entry.second);
  }
  for (const std::string& name : expected().value("lazy", Names())) {
    CAPTURE(name);
    const auto id = program_.find_task(name);
    REQUIRE(id.has_value());
    CHECK(program_.task(*id).is_lazy);
  }
}

}  // namespace parley::test
