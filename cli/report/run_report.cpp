#include "cli/report/run_report.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "cli/report/names.h"
#include "cli/report/overview_text.h"
#include "cli/report/quantities.h"
#include "cli/report/text_table.h"

namespace parley::cli {
namespace {

core::Bytes bytes_of_arrays(const core::Program& program) {
  core::Bytes bytes;
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    bytes += program.array(core::ArrayId(i)).bytes;
  }
  return bytes;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return text_of_count(count) + " " + noun + (count == 1 ? "" : "s");
}

void print_setting(const RunResult& result, std::ostream& stream) {
  const core::Program& program = result.program;
  stream << "Workload  " << program.name() << ": " << counted(program.task_count(), "task") << ", "
         << counted(program.array_count(), "array") << " of " << text_of(bytes_of_arrays(program))
         << '\n';
  stream << "Machine   " << result.machine.name() << ": "
         << counted(result.machine.device_count(), "device") << '\n';
  stream << "Policies  ";
  for (const auto& [kind, text] : policy_choice(result.options))
    stream << kind << ' ' << text << ", ";
  stream << "window "
         << (result.options.window == 0 ? "unlimited" : std::to_string(result.options.window))
         << ", seed " << result.options.seed << "\n\n";
}

void print_makespan(const RunResult& result, std::ostream& stream) {
  stream << "Makespan  " << text_of(result.run.makespan);
  const char* best = name_of_best(result.bounds);
  if (best[0] != '\0') {
    stream << ", " << text_of_share(above_bound(result.run.makespan, result.bounds))
           << " above the lower bound of " << text_of(result.bounds.best()) << " (" << best << ")";
  }
  stream << "\nBounds    critical path " << text_of(result.bounds.critical_path) << ", work "
         << text_of(result.bounds.work) << ", transfer " << text_of(result.bounds.transfer) << '\n';
}

void print_traffic(const RunResult& result, std::ostream& stream) {
  core::Bytes bytes;
  for (const core::CopyRecord& copy : result.run.copies) bytes += copy.bytes;
  const core::EngineStatistics& statistics = result.statistics;
  stream << "Copies    " << text_of_count(statistics.copies) << " of " << text_of(bytes) << ", "
         << text_of_count(statistics.prefetches) << " of them prefetched; "
         << counted(statistics.evictions, "eviction") << ", "
         << text_of(statistics.written_back_bytes) << " written back\n\n";
  TextTable table;
  table.add_column("from -> to");
  table.add_column("link");
  table.add_column("bytes", Align::kRight);
  table.add_column("copies", Align::kRight);
  for (const auto& [pair, traffic] : traffic_by_route(result.machine, result.run)) {
    const core::RouteId route = result.machine.route_id(pair.first, pair.second);
    const std::string kind = route.is_none() ? "" : result.machine.route(route).kind;
    table.add_row({route_text(result.machine, pair.first, pair.second),
                   kind.empty() ? "link" : kind, text_of(traffic.bytes),
                   text_of_count(traffic.copies)});
  }
  if (!table.has_rows()) return;
  table.print(stream, 2);
  stream << '\n';
}

void print_devices(const RunResult& result, std::ostream& stream) {
  core::IdVector<core::DeviceId, std::uint64_t> tasks(result.machine.device_count());
  for (const core::TaskRecord& task : result.run.tasks) {
    for (const core::DeviceId device : task.devices) ++tasks[device];
  }
  TextTable table;
  table.add_column("device");
  table.add_column("tasks", Align::kRight);
  table.add_column("busy", Align::kRight);
  table.add_column("memory");
  table.add_column("peak", Align::kRight);
  table.add_column("of", Align::kRight);
  for (std::size_t i = 0; i < result.machine.device_count(); ++i) {
    const core::DeviceId id(i);
    const core::Device& device = result.machine.device(id);
    const core::MemorySpace& space = result.machine.space(device.space);
    table.add_row({device.name, text_of_count(tasks[id]), text_of_share(busy_share(result.run, id)),
                   space.name, text_of(result.run.peak_bytes[device.space]),
                   text_of(space.capacity)});
  }
  table.print(stream, 2);
}

/// Tasks and what they show, both in order of issue. Evictions on request show things, too, but
/// have no command of their own: they come as soon as all that they depend on has come.
class OverviewPrinter {
 public:
  OverviewPrinter(const RunResult& result, std::ostream& stream)
      : result_(result),
        stream_(stream),
        next_(result.overviews.begin()),
        is_printed_(result.program.task_count()) {}

  void print() {
    std::vector<const core::TaskRecord*> tasks;
    for (const core::TaskRecord& task : result_.run.tasks) tasks.push_back(&task);
    std::sort(tasks.begin(), tasks.end(),
              [](const auto* a, const auto* b) { return a->command < b->command; });
    for (const core::TaskRecord* task : tasks) {
      print_evictions();
      stream_ << running_text(result_.program, result_.machine, *task) << '\n';
      print_shown(task->task);
    }
    print_evictions();
  }

 private:
  void print_shown(core::TaskId task) {
    is_printed_[task] = 1;
    for (; next_ != result_.overviews.end() && next_->after == task; ++next_) {
      stream_ << shown_text(result_.program, result_.machine, *next_);
    }
  }

  void print_evictions() {
    while (next_ != result_.overviews.end() && is_due(next_->after)) {
      const core::TaskId eviction = next_->after;
      stream_ << eviction_text(result_.program, eviction) << '\n';
      print_shown(eviction);
    }
  }

  [[nodiscard]] bool is_due(core::TaskId task) const {
    if (result_.program.task(task).kind != core::TaskKind::kEvict) return false;
    const std::span<const core::TaskId> before = result_.program.dependencies(task);
    return std::all_of(before.begin(), before.end(), [&](core::TaskId other) {
      return is_printed_[other] != 0 || result_.program.task(other).kind == core::TaskKind::kEvict;
    });
  }

  const RunResult& result_;
  std::ostream& stream_;
  std::vector<core::Overview>::const_iterator next_;
  core::IdVector<core::TaskId, char> is_printed_;
};

}  // namespace

const char* name_of_best(const sim::Bounds& bounds) {
  const core::Duration best = bounds.best();
  if (best.count() <= 0) return "";
  if (best == bounds.critical_path) return "critical path";
  return best == bounds.work ? "work" : "transfer";
}

void print_report(const RunResult& result, std::ostream& stream) {
  print_setting(result, stream);
  print_makespan(result, stream);
  print_traffic(result, stream);
  print_devices(result, stream);
}

void print_overviews(const RunResult& result, std::ostream& stream) {
  OverviewPrinter(result, stream).print();
}

}  // namespace parley::cli
