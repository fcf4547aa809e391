#include "cli/report/run_report.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "cli/report/execution.h"
#include "cli/report/names.h"
#include "cli/report/overview_text.h"
#include "cli/report/prediction.h"
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

void print_setting(const RunResult& result, std::ostream& stream) {
  const core::Program& program = result.program;
  stream << "Workload  " << program.name() << ": " << counted(program.task_count(), "task") << ", "
         << counted(program.array_count(), "array") << " of " << text_of(bytes_of_arrays(program))
         << '\n';
  stream << "Machine   " << result.machine.name() << ": "
         << counted(result.machine.device_count(), "device");
  if (result.execution != nullptr) stream << ", backend " << result.execution->backend;
  stream << '\n';
  stream << "Policies  ";
  for (const auto& [kind, text] : policy_choice(result.options))
    stream << kind << ' ' << text << ", ";
  stream << "window "
         << (result.options.window == 0 ? "unlimited" : std::to_string(result.options.window))
         << ", seed " << result.options.seed << '\n';
  const char* separator = "Model     ";
  for (const auto& [name, text] : result.model) {
    stream << separator << name << ' ' << text;
    separator = ", ";
  }
  stream << (result.model.empty() ? "\n" : "\n\n");
}

void print_makespan(const RunResult& result, std::ostream& stream) {
  stream << "Makespan  " << text_of(result.run.makespan);
  if (!result.bounds) {
    stream << '\n';
    return;
  }
  const sim::Bounds& bounds = *result.bounds;
  const char* best = name_of_best(bounds);
  if (best[0] != '\0') {
    const double above = above_bound(result.run.makespan, bounds);
    stream << ", " << text_of_share(std::abs(above)) << (above < 0.0 ? " below" : " above")
           << " the lower bound of " << text_of(bounds.best()) << " (" << best << ")";
  }
  stream << "\nBounds    critical path " << text_of(bounds.critical_path) << ", work "
         << text_of(bounds.work) << ", transfer " << text_of(bounds.transfer) << '\n';
}

/// How much of the time the thread that decides was busy; nothing where deciding takes none.
void print_deciding(const core::RunRecord& run, std::ostream& stream) {
  if (run.deciding <= core::Duration(0) || run.commands == 0) return;
  const auto taken = static_cast<double>(run.deciding.count());
  const auto makespan = static_cast<double>(std::max<std::int64_t>(run.makespan.ns(), 1));
  stream << "Host      decides for " << text_of(run.deciding) << " ("
         << text_of_share(taken / makespan) << " of the makespan), "
         << text_of(core::Duration(std::llround(taken / static_cast<double>(run.commands))))
         << " a command\n";
}

void print_traffic(const RunResult& result, std::ostream& stream) {
  const core::EngineStatistics& statistics = result.statistics;
  stream << "Copies    " << text_of_count(statistics.copies) << " of "
         << text_of(statistics.bytes_copied) << ", " << text_of_count(statistics.prefetches)
         << " of them prefetched; " << counted(statistics.evictions, "eviction") << ", "
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

std::string peak_text(const core::RunRecord& run, core::SpaceId space) {
  return run.peak_bytes.contains(space) ? text_of(run.peak_bytes[space]) : "";
}

void print_devices(const RunResult& result, std::ostream& stream) {
  core::IdVector<core::DeviceId, std::uint64_t> tasks(result.machine.device_count());
  for (const core::TaskRecord& task : result.run.tasks) {
    for (const core::DeviceId device : task.devices) ++tasks[device];
  }
  const bool is_listed = lists_commands(result);
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
    table.add_row({device.name, is_listed ? text_of_count(tasks[id]) : "",
                   is_listed ? text_of_share(busy_share(result.run, id)) : "", space.name,
                   peak_text(result.run, device.space), text_of(space.capacity)});
  }
  table.print(stream, 2);
}

/// Tasks and what they show, both in order of issue. Evictions on request show things, too, but
/// have no command of their own: they come as soon as all that they depend on has come.
class OverviewPrinter {
 public:
  OverviewPrinter(const RunResult& result, std::ostream& stream)
      : result_(result), stream_(stream), is_printed_(result.program.task_count()) {}

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
    for (; next_ < result_.overviews.size() && result_.overviews[next_].after == task; ++next_) {
      stream_ << shown_text(result_, next_);
    }
  }

  void print_evictions() {
    while (next_ < result_.overviews.size() && is_due(result_.overviews[next_].after)) {
      const core::TaskId eviction = result_.overviews[next_].after;
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
  std::size_t next_ = 0;  // overview
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
  if (result.execution != nullptr) print_execution(result, stream);
  print_deciding(result.run, stream);
  print_traffic(result, stream);
  print_devices(result, stream);
  if (result.execution != nullptr && result.execution->prediction != nullptr) {
    print_prediction(*result.execution->prediction, stream);
  }
}

const exec::ShownValues* shown_values(const RunResult& result, std::size_t overview) {
  if (result.execution == nullptr) return nullptr;
  const auto& values = result.execution->values;
  return overview < values.size() ? values[overview] : nullptr;
}

std::string shown_text(const RunResult& result, std::size_t overview) {
  const exec::ShownValues* shown = shown_values(result, overview);
  if (shown == nullptr) {
    return shown_text(result.program, result.machine, result.overviews[overview]);
  }
  const ArrayValues values = array_values(result.program, shown->array, shown->bytes);
  return shown_text(result.program, result.machine, result.overviews[overview], &values);
}

void print_overviews(const RunResult& result, std::ostream& stream) {
  OverviewPrinter(result, stream).print();
}

}  // namespace parley::cli
