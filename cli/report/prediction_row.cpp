#include "cli/report/prediction_row.h"

#include <algorithm>
#include <cmath>

#include "cli/report/prediction.h"
#include "cli/report/quantities.h"
#include "cli/report/text_table.h"

namespace parley::cli {
namespace {

double error_of(core::Duration measured, core::Duration predicted) {
  return prediction_error(measured.count(), predicted.count());
}

std::string signed_share(double error) {
  if (!std::isfinite(error)) return "-";
  return (error < 0.0 ? "" : "+") + text_of_share(error);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c == '\n' ? ' ' : c);
  return out + "\"";
}

bool is_apart(core::Duration a, core::Duration b) {
  const auto low = static_cast<double>(std::min(a, b).count());
  return static_cast<double>(std::max(a, b).count()) > (1.0 + kClearlyApart) * low;
}

}  // namespace

void write_csv(const std::vector<PredictionRow>& rows, std::ostream& stream) {
  stream << "workload,devices,policies,tasks,measured_ns,fastest_ns,slowest_ns,predicted_ns,"
            "timed_ns,planned_ns,retimed_ns,task_time_ns,predicted_task_time_ns,bytes,"
            "predicted_bytes,planned_bytes,same_device,host_slowdown,timed_host_slowdown,fault\n";
  for (const PredictionRow& row : rows) {
    stream << quoted(row.workload) << ',' << row.devices << ',' << quoted(row.policies) << ','
           << row.tasks;
    for (const core::Duration time :
         {row.measured, row.fastest, row.slowest, row.predicted, row.timed, row.planned,
          row.retimed, row.task_time, row.predicted_task_time}) {
      stream << ',' << time.count();
    }
    for (const core::Bytes bytes : {row.bytes, row.predicted_bytes, row.planned_bytes}) {
      stream << ',' << bytes.count();
    }
    stream << ',' << row.same_device << ',' << row.host_slowdown << ',' << row.timed_host_slowdown
           << ',' << quoted(row.fault) << '\n';
  }
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0.0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

PredictionSummary summary_of(const std::vector<PredictionRow>& rows) {
  PredictionSummary summary;
  std::vector<double> errors, planned, retimed;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const PredictionRow& row = rows[i];
    if (!row.fault.empty()) continue;
    ++summary.rows;
    errors.push_back(std::abs(error_of(row.measured, row.predicted)));
    planned.push_back(std::abs(error_of(row.timed, row.planned)));
    retimed.push_back(std::abs(error_of(row.timed, row.retimed)));
    if (row.measured >= kLongRun) {
      ++summary.long_rows;
      summary.worst_error = std::max(summary.worst_error, errors.back());
    }
    if (row.planned_bytes == row.bytes) ++summary.exact_bytes;
    for (std::size_t j = 0; j < i; ++j) {
      const PredictionRow& other = rows[j];
      const bool is_alternative =
          other.fault.empty() && other.workload == row.workload && other.devices == row.devices;
      if (!is_alternative || !is_apart(row.measured, other.measured)) continue;
      ++summary.pairs;
      if ((row.measured < other.measured) == (row.predicted < other.predicted)) ++summary.kept;
    }
  }
  summary.median_error = median_of(std::move(errors));
  summary.median_planned = median_of(std::move(planned));
  summary.median_retimed = median_of(std::move(retimed));
  return summary;
}

void print(const std::vector<PredictionRow>& rows, std::ostream& stream) {
  TextTable table;
  table.add_column("workload");
  table.add_column("GPUs", Align::kRight);
  table.add_column("policies");
  for (const char* title : {"measured", "spread", "host", "predicted", "error", "same decisions",
                            "and durations", "bytes"}) {
    table.add_column(title, Align::kRight);
  }
  for (const PredictionRow& row : rows) {
    if (!row.fault.empty()) {
      table.add_row({row.workload, std::to_string(row.devices), row.policies, "-", "-", "-", "-",
                     "-", "-", "-", row.fault});
      continue;
    }
    const double spread =
        row.fastest.count() > 0 ? prediction_error(row.fastest.count(), row.slowest.count()) : 0.0;
    table.add_row(
        {row.workload, std::to_string(row.devices), row.policies, text_of(row.measured),
         text_of_share(spread), row.host_slowdown == 1.0 ? "-" : text_of_factor(row.host_slowdown),
         text_of(row.predicted), signed_share(error_of(row.measured, row.predicted)),
         signed_share(error_of(row.timed, row.planned)),
         signed_share(error_of(row.timed, row.retimed)),
         row.planned_bytes == row.bytes
             ? "exact"
             : signed_share(prediction_error(row.bytes.count(), row.planned_bytes.count()))});
  }
  table.print(stream);
  const PredictionSummary all = summary_of(rows);
  if (all.rows == 0) {
    stream << "\nNo run was completed: nothing is predicted\n";
    return;
  }
  stream << "\nMedian error " << text_of_share(all.median_error) << ", with the same decisions "
         << text_of_share(all.median_planned) << ", and the same durations "
         << text_of_share(all.median_retimed) << "; the worst of " << all.long_rows
         << " runs of at least " << text_of(kLongRun) << " "
         << (all.long_rows > 0 ? text_of_share(all.worst_error) : "-") << "; bytes exact in "
         << all.exact_bytes << " of " << all.rows << "; order kept in " << all.kept << " of "
         << all.pairs << " pairs of policies more than " << text_of_share(kClearlyApart)
         << " apart\n";
}

}  // namespace parley::cli
