#include "cli/recorded_durations.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "cli/json_problem.h"
#include "cli/report/quantities.h"

namespace parley::cli {
namespace {

using core::DeviceId;
using core::Duration;
using core::TaskId;
using Json = nlohmann::json;

constexpr std::size_t kMostBadTimes = 100;

/// A time so far from the ends of its type that differences of two do not overflow.
std::optional<std::int64_t> time_in(const Json& json) {
  constexpr std::int64_t kMost = std::int64_t{1} << 61;
  if (!json.is_number_integer()) return std::nullopt;
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(kMost)) {
    return std::nullopt;
  }
  const auto ns = json.get<std::int64_t>();
  if (ns < -kMost) return std::nullopt;
  return ns;
}

/// Nothing unless it is a duration that a task may have.
std::optional<Duration> between(const Json& start, const Json& end) {
  const std::optional<std::int64_t> from = time_in(start);
  const std::optional<std::int64_t> to = time_in(end);
  if (!from || !to || *to < *from) return std::nullopt;
  const Duration duration(*to - *from);
  if (duration > core::kLongestDuration) return std::nullopt;
  return duration;
}

/// Collects what a file tells of tasks; classes of devices are those of the machine that it ran on.
class Collector {
 public:
  Collector(const core::Program& program, const core::Machine& machine) : program_(program) {
    for (std::size_t i = machine.device_count(); i-- > 0;) {
      device_of_class_[machine.device(DeviceId(i)).device_class] = DeviceId(i);
    }
    recorded_.durations = core::IdVector<TaskId, Duration>(program.task_count(), Duration(-1));
    recorded_.devices = core::IdVector<TaskId, DeviceId>(program.task_count());
  }

  /// "gpu:0" is of class "gpu".
  void add_device(const Json& device) {
    class_of_[device.at("name").get<std::string>()] = device.at("class").get<std::string>();
  }

  /// `devices`: of a group joined by "+"; the first counts. `where`: the place of the two times.
  void add_task(const std::string& name, const std::string& devices, const Json& start,
                const Json& end, const std::string& where) {
    ++tasks_;
    const std::optional<Duration> duration = between(start, end);
    if (!duration) return refuse(where, name, start, end);
    is_timed_ = is_timed_ || *duration > Duration(0);
    const std::optional<TaskId> task = program_.find_task(name);
    if (!task) return;
    recorded_.durations[*task] = *duration;
    const auto device_class = class_of_.find(devices.substr(0, devices.find('+')));
    if (device_class == class_of_.end()) return;
    const auto device = device_of_class_.find(device_class->second);
    if (device != device_of_class_.end()) recorded_.devices[*task] = device->second;
  }

  core::Result<RecordedDurations> take(const std::string& path) {
    if (!faults_.empty()) {
      for (core::Fault& fault : faults_) fault.where = path + ": " + fault.where;
      return std::move(faults_);
    }
    if (tasks_ == 0) return core::Fault{path, "tells of no task that has ended"};
    if (!is_timed_) {
      return core::Fault{path, "every task took 0 ns: the run was not timed (--untimed)"};
    }
    for (std::size_t i = 0; i < program_.task_count(); ++i) {
      const TaskId task(i);
      if (program_.task(task).kind != core::TaskKind::kCompute) continue;
      if (recorded_.durations[task] < Duration(0)) {
        if (recorded_.missing++ == 0) recorded_.first_missing = task;
      } else if (recorded_.devices[task].is_none()) {
        if (recorded_.elsewhere++ == 0) recorded_.first_elsewhere = task;
      }
    }
    return std::move(recorded_);
  }

 private:
  void refuse(const std::string& where, const std::string& name, const Json& start,
              const Json& end) {
    if (faults_.size() >= kMostBadTimes) return;
    faults_.push_back({where, "task \"" + name + "\": found start " + start.dump() + ", end " +
                                  end.dump() + "; allowed: integers, the end 0 to " +
                                  std::to_string(core::kLongestDuration.count()) +
                                  " ns after the start"});
  }

  const core::Program& program_;
  std::map<std::string, DeviceId> device_of_class_;  // the first of each
  std::map<std::string, std::string> class_of_;
  RecordedDurations recorded_;
  core::Faults faults_;
  std::size_t tasks_ = 0;
  bool is_timed_ = false;
};

void read_summary(const Json& summary, Collector& collector) {
  for (const Json& device : summary.at("layout").at("devices")) collector.add_device(device);
  if (!summary.contains("tasks")) return;
  std::size_t number = 0;
  for (const Json& row : summary.at("tasks")) {
    collector.add_task(row.at(0).get<std::string>(), row.at(1).get<std::string>(), row.at(2),
                       row.at(3), "tasks[" + std::to_string(number++) + "]");
  }
}

/// Launches name their tasks; what ends names its launch.
class JournalTasks {
 public:
  explicit JournalTasks(Collector& collector) : collector_(collector) {}

  void read_step(const Json& step, std::size_t line) {
    for (const Json& event : step.at("events")) {
      if (!event.contains("task_done")) continue;
      const auto launch = launches_.find(event["task_done"].get<std::uint64_t>());
      if (launch == launches_.end()) continue;
      collector_.add_task(launch->second.task, launch->second.device, event.at("start"),
                          event.at("end"), "line " + std::to_string(line));
      launches_.erase(launch);
    }
    if (!step.contains("commands")) return;  // the run stopped in this step
    for (const Json& command : step["commands"]) {
      if (!command.contains("launch") || !command.at("task").is_string()) continue;
      launches_[command["launch"].get<std::uint64_t>()] = {
          command["task"].get<std::string>(), command.at("devices").at(0).get<std::string>()};
    }
  }

 private:
  struct Launch {
    std::string task, device;
  };
  Collector& collector_;
  std::unordered_map<std::uint64_t, Launch> launches_;  // not ended yet
};

/// From the second line on: the workload, the machine, the steps.
std::optional<core::Fault> read_journal(std::istream& file, const std::string& path,
                                        Collector& collector) {
  JournalTasks tasks(collector);
  std::string text;
  for (std::size_t line = 2; std::getline(file, text); ++line) {
    if (line == 2) continue;
    const core::Fault broken{
        path + ": line " + std::to_string(line),
        file.eof() ? "the journal is cut off here" : "is no line of a journal"};
    const Json json = Json::parse(text, nullptr, false);
    try {
      if (line == 3) {
        for (const Json& device : json.at("machine").at("devices")) collector.add_device(device);
      } else {
        tasks.read_step(json, line);
      }
    } catch (const Json::exception&) {
      return broken;
    }
  }
  return std::nullopt;
}

}  // namespace

core::Result<RecordedDurations> load_durations(const std::string& path,
                                               const core::Program& program,
                                               const core::Machine& machine) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string first;
  if (!file || !std::getline(file, first)) {
    if (file.eof()) return core::Fault{path, "is empty"};
    return core::Fault{path, "cannot be read: " + std::generic_category().message(errno)};
  }
  Collector collector(program, machine);
  const Json header = Json::parse(first, nullptr, false);
  if (header.is_object() && header.value("format", Json()) == "parley-journal") {
    if (const auto fault = read_journal(file, path, collector)) return *fault;
    return collector.take(path);
  }
  const std::string rest((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const Json summary = Json::parse(first + "\n" + rest, nullptr, false);
  if (!summary.is_object() || summary.value("format", Json()) != "parley-summary") {
    return core::Fault{path, "expected a journal or a run summary (--journal, --summary)"};
  }
  try {
    read_summary(summary, collector);
  } catch (const Json::exception& problem) {
    return core::Fault{path, "broken summary: " + json_problem(problem)};
  }
  core::Result<RecordedDurations> recorded = collector.take(path);
  if (!recorded && !summary.contains("tasks")) {
    return core::Fault{path, "lists no tasks: it was written with --summary-brief"};
  }
  return recorded;
}

std::string warning_of(const RecordedDurations& recorded, const std::string& path,
                       const core::Program& program) {
  std::string text;
  const auto add = [&](std::size_t count, TaskId first, const std::string& what) {
    if (count == 0) return;
    text += (text.empty() ? "" : "; ") + text_of_count(count) + " of " +
            text_of_count(program.task_count()) + " tasks " + what + " (the first is " +
            std::string(program.task_name(first)) + ")";
  };
  add(recorded.missing, recorded.first_missing, "are not in " + path);
  add(recorded.elsewhere, recorded.first_elsewhere,
      "ran there on a kind of device that this machine lacks");
  return text.empty() ? text : text + ": they take what the cost model says";
}

}  // namespace parley::cli
