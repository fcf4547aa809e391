#include "cli/report/prediction.h"

#include <cmath>
#include <limits>
#include <utility>

#include "cli/report/execution.h"
#include "cli/report/names.h"
#include "cli/report/quantities.h"
#include "cli/report/run_rows.h"
#include "cli/report/text_table.h"
#include "cli/report/varied_simulation.h"

namespace parley::cli {
namespace {

using core::Duration;

std::string class_of(const core::Program& program, core::TaskId task, std::uint16_t alternative) {
  const core::Placement& placement = program.placement(program.task(task).placement);
  const bool has_own = alternative < placement.size() && placement[alternative].kernel;
  const core::Kernel& kernel =
      has_own ? *placement[alternative].kernel : program.kernel(program.task(task).kernel);
  if (!kernel.empty()) return kernel_text(program, task, alternative);
  const std::string_view name = program.task_name(task);
  return std::string(name.substr(0, name.find_first_of("[0123456789")));
}

std::string error_text(std::int64_t measured, std::int64_t predicted) {
  const double error = prediction_error(measured, predicted);
  if (!std::isfinite(error)) return "-";
  return (error < 0.0 ? "" : "+") + text_of_share(error);
}

core::IdVector<core::TaskId, const core::TaskRecord*> by_task(const core::Program& program,
                                                              const core::RunRecord& run) {
  core::IdVector<core::TaskId, const core::TaskRecord*> records(program.task_count());
  for (const core::TaskRecord& record : run.tasks) records[record.task] = &record;
  return records;
}

void write_error(std::int64_t measured, std::int64_t predicted, JsonWriter& json) {
  json.member("error", prediction_error(measured, predicted));  // null when infinite
}

void print_classes(const Prediction& prediction, std::ostream& stream) {
  TextTable table;
  table.add_column("tasks of");
  for (const char* title : {"tasks", "measured", "predicted", "error"}) {
    table.add_column(title, Align::kRight);
  }
  for (const auto& [name, sums] : prediction.classes) {
    table.add_row({name, text_of_count(sums.tasks), text_of(sums.measured), text_of(sums.predicted),
                   error_text(sums.measured.count(), sums.predicted.count())});
  }
  if (table.has_rows()) table.print(stream, 2);
}

void print_bytes(const Prediction& prediction, std::ostream& stream) {
  TextTable table;
  table.add_column("from -> to");
  for (const char* title : {"measured", "predicted", "error"}) {
    table.add_column(title, Align::kRight);
  }
  for (const auto& [route, sums] : prediction.bytes) {
    table.add_row({route, text_of(sums.measured), text_of(sums.predicted),
                   error_text(sums.measured.count(), sums.predicted.count())});
  }
  if (table.has_rows()) table.print(stream, 2);
}

}  // namespace

double prediction_error(std::int64_t measured, std::int64_t predicted) {
  if (measured == predicted) return 0.0;
  if (measured == 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(predicted - measured) / static_cast<double>(measured);
}

core::IdVector<core::TaskId, Duration> measured_durations(const core::Program& program,
                                                          const core::RunRecord& run) {
  core::IdVector<core::TaskId, Duration> durations(program.task_count(), Duration(-1));
  for (const core::TaskRecord& task : run.tasks) durations[task.task] = task.end - task.start;
  return durations;
}

Prediction compare_runs(const core::Program& program, const core::Machine& machine,
                        const core::RunRecord& measured, core::RunRecord predicted,
                        core::Time retimed) {
  Prediction prediction;
  prediction.measured = measured.makespan;
  prediction.predicted = predicted.makespan;
  prediction.retimed = retimed;
  const auto records = by_task(program, predicted);
  for (const core::TaskRecord& task : measured.tasks) {
    const core::TaskRecord* other = records[task.task];
    if (other == nullptr) continue;
    ClassPrediction& sums = prediction.classes[class_of(program, task.task, task.alternative)];
    ++sums.tasks;
    sums.measured += task.end - task.start;
    sums.predicted += other->end - other->start;
    ++prediction.tasks;
    if (task.devices == other->devices) ++prediction.same_device;
  }
  for (const core::CopyRecord& copy : measured.copies) {
    prediction.bytes[route_text(machine, copy.from, copy.to)].measured += copy.bytes;
  }
  for (const core::CopyRecord& copy : predicted.copies) {
    prediction.bytes[route_text(machine, copy.from, copy.to)].predicted += copy.bytes;
  }
  prediction.simulated = std::move(predicted);
  return prediction;
}

void print_prediction(const Prediction& prediction, std::ostream& stream) {
  const std::int64_t measured = prediction.measured.ns();
  stream << "\nPredicted " << text_of(prediction.predicted) << ", "
         << error_text(measured, prediction.predicted.ns()) << "; with measured durations "
         << text_of(prediction.retimed) << ", " << error_text(measured, prediction.retimed.ns())
         << "; " << text_of_count(prediction.same_device) << " of "
         << text_of_count(prediction.tasks) << " tasks on the same device\n";
  if (prediction.host_slowdown != 1.0) {
    stream << "The host's threads took " << text_of_factor(prediction.host_slowdown)
           << " the time that the machine states; simulated so\n";
  }
  print_classes(prediction, stream);
  print_bytes(prediction, stream);
}

void write_prediction(const core::Program& program, const core::Machine& machine,
                      const Prediction& prediction, bool with_run, JsonWriter& json) {
  const std::int64_t measured = prediction.measured.ns();
  json.line_break().key("prediction").begin_object();
  json.member("makespan_ns", prediction.predicted.ns());
  write_error(measured, prediction.predicted.ns(), json);
  json.member("host_slowdown", prediction.host_slowdown);
  json.member("noise", variation_text()).member("noise_seed", prediction.noise_seed);
  json.member("retimed_makespan_ns", prediction.retimed.ns());
  json.member("retimed_error", prediction_error(measured, prediction.retimed.ns()));
  json.member("tasks", prediction.tasks).member("tasks_on_same_device", prediction.same_device);
  json.line_break().key("classes").begin_object();
  for (const auto& [name, sums] : prediction.classes) {
    json.line_break().key(name).begin_object().member("tasks", sums.tasks);
    json.member("measured_ns", sums.measured.count());
    json.member("predicted_ns", sums.predicted.count());
    write_error(sums.measured.count(), sums.predicted.count(), json);
    json.end_object();
  }
  json.end_object().line_break().key("bytes").begin_object();
  for (const auto& [route, sums] : prediction.bytes) {
    json.line_break().key(route).begin_object().member("measured", sums.measured.count());
    json.member("predicted", sums.predicted.count());
    write_error(sums.measured.count(), sums.predicted.count(), json);
    json.end_object();
  }
  json.end_object();
  if (with_run) {
    json.line_break().key("simulated").begin_object();
    json.member("makespan_ns", prediction.predicted.ns());
    write_busy(machine, prediction.simulated, json);
    write_rows(program, machine, prediction.simulated, json);
    json.end_object();
  }
  json.end_object();
}

}  // namespace parley::cli
