#include "cli/report/trace.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/report/json_writer.h"
#include "cli/report/names.h"
#include "cli/report/trace_lanes.h"

namespace parley::cli {
namespace {

/// Groups of tracks, in the order in which they are shown. Numbers of tracks start above, so that
/// no viewer takes a track for the main thread of its group.
enum Group : std::int64_t { kDevices = 1, kEngines, kLinks, kMemory, kResources };
constexpr std::int64_t kFirstTrack = 16;

class TraceWriter {
 public:
  TraceWriter(const core::Program& program, const core::Machine& machine,
              const core::RunRecord& run, std::ostream& stream)
      : program_(program), machine_(machine), run_(run), stream_(stream), json_(stream) {}

  void write() {
    json_.begin_object().member("displayTimeUnit", "ns");
    json_.key("otherData").begin_object().member("workload", program_.name());
    json_.member("machine", machine_.name()).end_object();
    json_.key("traceEvents").begin_array();
    write_groups();
    write_tasks();
    write_copies();
    write_residency();
    write_sharing();
    json_.end_array().end_object();
    stream_ << '\n';
  }

 private:
  void write_groups();
  void write_tasks();
  void write_copies();
  void write_residency();
  void write_sharing();
  void meta(std::string_view what, Group group, std::int64_t track, std::string_view name);
  void order(std::string_view what, Group group, std::int64_t track, std::int64_t position);
  std::int64_t track(Group group, std::size_t index, std::size_t lane, const std::string& name);
  JsonWriter& begin_event(std::string_view phase, Group group, std::int64_t track, core::Time at);
  void copy_slice(const core::CopyRecord& copy, Group group, std::int64_t track);
  void arrow(const core::CopyRecord& copy, Group group, std::int64_t track);
  void counter(Group group, std::string_view name, core::Time at, std::string_view unit,
               std::int64_t value);

  const core::Program& program_;
  const core::Machine& machine_;
  const core::RunRecord& run_;
  std::ostream& stream_;
  JsonWriter json_;
  std::map<std::pair<std::int64_t, std::pair<std::size_t, std::size_t>>, std::int64_t> tracks_;
  /// Where and when each task's (first) slice starts: the heads of arrows.
  core::IdVector<core::TaskId, std::pair<std::int64_t, core::Time>> task_slices_;
};

JsonWriter& TraceWriter::begin_event(std::string_view phase, Group group, std::int64_t track,
                                     core::Time at) {
  json_.line_break().begin_object().member("ph", phase);
  json_.member("pid", static_cast<std::int64_t>(group)).member("tid", track);
  return json_.key("ts").raw(microseconds(at.ns()));
}

void TraceWriter::meta(std::string_view what, Group group, std::int64_t track,
                       std::string_view name) {
  json_.line_break().begin_object().member("ph", "M").member("name", what);
  json_.member("pid", static_cast<std::int64_t>(group)).member("tid", track);
  json_.key("args").begin_object().member("name", name).end_object().end_object();
}

void TraceWriter::order(std::string_view what, Group group, std::int64_t track,
                        std::int64_t position) {
  json_.line_break().begin_object().member("ph", "M").member("name", what);
  json_.member("pid", static_cast<std::int64_t>(group)).member("tid", track);
  json_.key("args").begin_object().member("sort_index", position).end_object().end_object();
}

void TraceWriter::write_groups() {
  const std::pair<Group, std::string_view> groups[] = {{kDevices, "devices"},
                                                       {kEngines, "copy engines"},
                                                       {kLinks, "links"},
                                                       {kMemory, "resident bytes"},
                                                       {kResources, "copies at a time"}};
  for (const auto& [group, name] : groups) {
    meta("process_name", group, 0, name);
    order("process_sort_index", group, 0, group);
  }
}

/// The track's number; names it when it is new.
std::int64_t TraceWriter::track(Group group, std::size_t index, std::size_t lane,
                                const std::string& name) {
  const auto number = kFirstTrack + static_cast<std::int64_t>(tracks_.size());
  const auto [found, is_new] = tracks_.try_emplace({group, {index, lane}}, number);
  if (is_new) {
    meta("thread_name", group, number,
         lane == 0 ? name : name + " (" + std::to_string(lane + 1) + ")");
    // Lanes of one track stay together and in order, whenever they first appeared.
    order("thread_sort_index", group, number,
          static_cast<std::int64_t>(index * 4096 + std::min<std::size_t>(lane, 4095)));
  }
  return found->second;
}

void TraceWriter::write_tasks() {
  std::vector<const core::TaskRecord*> tasks;
  for (const core::TaskRecord& task : run_.tasks) tasks.push_back(&task);
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const auto* a, const auto* b) { return a->start < b->start; });
  core::IdVector<core::DeviceId, TraceLanes> lanes(machine_.device_count());
  task_slices_.resize(program_.task_count());
  for (const core::TaskRecord* task : tasks) {
    for (const core::DeviceId device : task->devices) {
      const std::size_t lane = lanes[device].place(task->start, task->end);
      const std::int64_t number =
          track(kDevices, device.index(), lane, machine_.device(device).name);
      if (device == task->devices.front()) task_slices_[task->task] = {number, task->start};
      begin_event("X", kDevices, number, task->start);
      json_.key("dur").raw(microseconds((task->end - task->start).count()));
      json_.member("name", program_.task_name(task->task)).member("cat", "task").end_object();
    }
  }
}

void TraceWriter::copy_slice(const core::CopyRecord& copy, Group group, std::int64_t track) {
  begin_event("X", group, track, copy.start);
  json_.key("dur").raw(microseconds((copy.end - copy.start).count()));
  json_.member("name", boxes_text(program_, copy.array, copy.boxes));
  json_.member("cat", name_of(copy.reason)).key("args").begin_object();
  json_.member("route", route_text(machine_, copy.from, copy.to));
  json_.member("bytes", copy.bytes.count()).member("reason", name_of(copy.reason));
  if (!copy.task.is_none()) json_.member("for", program_.task_name(copy.task));
  json_.member("waited_ns", (copy.start - copy.issued).count()).end_object().end_object();
}

/// An arrow from the copy's slice to the start of the task that it was made for.
void TraceWriter::arrow(const core::CopyRecord& copy, Group group, std::int64_t track) {
  if (copy.task.is_none() || task_slices_[copy.task].first == 0) return;
  const auto [head_track, head_start] = task_slices_[copy.task];
  if (head_start < copy.end) return;  // a prefetch that its task did not wait for
  begin_event("s", group, track, copy.start);
  json_.member("name", "data").member("cat", "data").member("id", copy.command.index());
  json_.end_object();
  begin_event("f", kDevices, head_track, head_start);
  json_.member("name", "data").member("cat", "data").member("id", copy.command.index());
  json_.member("bp", "e").end_object();
}

void TraceWriter::write_copies() {
  std::vector<const core::CopyRecord*> copies;
  for (const core::CopyRecord& copy : run_.copies) copies.push_back(&copy);
  std::stable_sort(copies.begin(), copies.end(),
                   [](const auto* a, const auto* b) { return a->start < b->start; });
  core::IdVector<core::CopyEngineId, TraceLanes> engine_lanes(machine_.spec().engines.size());
  std::map<std::size_t, TraceLanes> link_lanes;
  for (const core::CopyRecord* copy : copies) {
    const std::size_t pair = copy->from.index() * machine_.space_count() + copy->to.index();
    const std::size_t link_lane = link_lanes[pair].place(copy->start, copy->end);
    const std::int64_t link =
        track(kLinks, pair, link_lane, route_text(machine_, copy->from, copy->to));
    copy_slice(*copy, kLinks, link);
    arrow(*copy, kLinks, link);
    if (copy->route.is_none()) continue;
    for (const core::CopyEngineId engine : machine_.route(copy->route).engines) {
      const std::size_t lane = engine_lanes[engine].place(copy->start, copy->end);
      copy_slice(*copy, kEngines,
                 track(kEngines, engine.index(), lane, machine_.spec().engines[engine].name));
    }
  }
}

void TraceWriter::counter(Group group, std::string_view name, core::Time at, std::string_view unit,
                          std::int64_t value) {
  begin_event("C", group, 0, at).member("name", name);
  json_.key("args").begin_object().member(unit, value).end_object().end_object();
}

void TraceWriter::write_residency() {
  for (const core::ResidencySample& sample : run_.residency) {
    counter(kMemory, machine_.space(sample.space).name, sample.at, "bytes", sample.bytes.count());
  }
}

/// How many copies each resource carries at a time: where links are shared.
void TraceWriter::write_sharing() {
  std::map<std::pair<core::ResourceId, core::Time>, std::int64_t> changes;
  for (const core::CopyRecord& copy : run_.copies) {
    if (copy.route.is_none() || copy.start == copy.end) continue;
    for (const core::Via& via : machine_.route(copy.route).via) {
      ++changes[{via.resource, copy.start}];
      --changes[{via.resource, copy.end}];
    }
  }
  core::ResourceId current;
  std::int64_t copies = 0;
  for (const auto& [key, change] : changes) {
    if (key.first != current) copies = 0;
    current = key.first;
    if (change == 0) continue;
    copies += change;
    counter(kResources, machine_.spec().resources[current].name, key.second, "copies", copies);
  }
}

}  // namespace

void write_trace(const core::Program& program, const core::Machine& machine,
                 const core::RunRecord& run, std::ostream& stream) {
  TraceWriter(program, machine, run, stream).write();
}

}  // namespace parley::cli
