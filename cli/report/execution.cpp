#include "cli/report/execution.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "cli/journal/digest.h"
#include "cli/report/names.h"
#include "cli/report/prediction.h"
#include "cli/report/quantities.h"
#include "cli/report/run_result.h"
#include "core/engine/engine_state.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMostFailures = 10;

std::string lost_text(const core::Program& program, const core::LostPiece& lost) {
  return box_text(program, lost.array, lost.box.ranges());
}

std::string kernel_of_failed(const RunResult& result, core::TaskId task) {
  const core::EngineState& state = result.execution->result.engine->state();
  return kernel_text(result.program, task, state.candidate_of(task).alternative);
}

/// "task \"gemm[3,2]\" (kernel gemm) on gpu:1", or the copy made for it.
std::string failed_text(const RunResult& result, const exec::CommandFailure& failure) {
  const std::string place = place_text(result.machine, result.execution->result, failure);
  if (failure.task.is_none()) return "the copy of final contents " + place;
  const std::string task = "task \"" + std::string(result.program.task_name(failure.task)) + "\"";
  if (failure.is_copy) return "a copy " + place + " for " + task;
  return task + " (kernel " + kernel_of_failed(result, failure.task) + ") on " + place;
}

void write_failures(const RunResult& result, JsonWriter& json) {
  const exec::ExecResult& executed = result.execution->result;
  json.line_break().key("failed").begin_array();
  for (const exec::CommandFailure& failure : executed.failures) {
    json.line_break().begin_object().member("command", failure.command.index());
    json.member("kind", failure.is_copy ? "copy" : "task");
    if (!failure.task.is_none()) {
      json.member("task", result.program.task_name(failure.task));
      if (!failure.is_copy) json.member("kernel", kernel_of_failed(result, failure.task));
    }
    json.member("place", place_text(result.machine, executed, failure));
    json.member("cause", failure.cause).end_object();
  }
  json.end_array().member("cancelled", executed.cancelled_commands);
  json.line_break().key("lost").begin_array();
  for (const core::LostPiece& lost : executed.lost) json.value(lost_text(result.program, lost));
  json.end_array();
}

std::string_view method_text(exec::ArrayVerdict::Method method) {
  using Method = exec::ArrayVerdict::Method;
  switch (method) {
    case Method::kBytes:
      return "bytes";
    case Method::kRounding:
      return "rounding";
    case Method::kResidual:
      return "residual";
    case Method::kProduct:
      return "product";
    case Method::kNone:
      return "none";
  }
  return "";
}

void write_verification(const core::Program& program, const exec::VerificationReport& report,
                        JsonWriter& json) {
  json.line_break().key("verification").begin_object();
  json.member("holds", report.holds).member("method", report.method);
  json.key("differences").begin_array();
  for (const std::string& difference : report.differences) json.value(difference);
  json.end_array();
  if (report.residual) {
    json.key("residual").begin_object().member("value", report.residual->value);
    json.member("most", exec::Residual::kMost).end_object();
  }
  json.key("arrays").begin_object();
  for (const exec::ArrayVerdict& verdict : report.arrays) {
    json.line_break().key(program.array(verdict.array).spec.name).begin_object();
    json.member("method", method_text(verdict.method)).member("holds", verdict.holds);
    if (verdict.method == exec::ArrayVerdict::Method::kRounding) {
      json.member("error", verdict.error).member("allowed", verdict.allowed);
    }
    json.end_object();
  }
  json.end_object().end_object();
}

bool has_lost(const exec::ExecResult& executed, core::ArrayId array) {
  return std::ranges::any_of(executed.lost,
                             [array](const core::LostPiece& lost) { return lost.array == array; });
}

void write_final(const RunResult& result, JsonWriter& json) {
  const auto& arrays = result.execution->result.arrays;
  json.line_break().key("final").begin_object();
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const core::ArrayId array(i);
    if (!arrays[array].is_complete || has_lost(result.execution->result, array)) continue;
    Digest digest;
    const std::vector<std::byte>& bytes = arrays[array].bytes;
    digest.add_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    json.line_break().key(result.program.array(array).spec.name).begin_object();
    json.member("digest", digest.text()).end_object();
  }
  json.end_object();
}

void write_runs(const Execution& execution, JsonWriter& json) {
  json.line_break().key("runs_ns").begin_array();
  for (const core::Time makespan : execution.makespans) json.value(makespan.ns());
  json.end_array();
}

/// The middle one, or the lower of the two in the middle.
core::Time median(std::vector<core::Time> times) {
  const std::size_t middle = (times.size() - 1) / 2;
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(middle), times.end());
  return times[middle];
}

}  // namespace

std::vector<const exec::ShownValues*> values_by_overview(const core::Program& program,
                                                         const exec::ExecResult& result) {
  using Values = core::Show::Values;
  std::map<core::TaskId, std::vector<const exec::ShownValues*>> shown;
  for (const exec::ShownValues& values : result.shown) shown[values.task].push_back(&values);
  std::map<core::TaskId, std::size_t> next_show;
  std::vector<const exec::ShownValues*> by_overview;
  for (const core::Overview& overview : result.engine->overviews()) {
    by_overview.push_back(nullptr);
    if (overview.after.is_none()) continue;
    const std::vector<core::Show>& shows = program.extras(overview.after).show;
    const std::size_t k = next_show[overview.after]++;
    if (k >= shows.size() || shows[k].values == Values::kNone) continue;
    const auto count = [&](Values when, std::size_t end) {
      return static_cast<std::size_t>(
          std::count_if(shows.begin(), shows.begin() + static_cast<std::ptrdiff_t>(end),
                        [&](const core::Show& show) { return show.values == when; }));
    };
    const std::size_t position = shows[k].values == Values::kStart
                                     ? count(Values::kStart, k)
                                     : count(Values::kStart, shows.size()) + count(Values::kEnd, k);
    const auto& of_task = shown[overview.after];
    if (position < of_task.size() && of_task[position]->array == overview.array) {
      by_overview.back() = of_task[position];
    }
  }
  return by_overview;
}

ArrayValues array_values(const core::Program& program, core::ArrayId array,
                         const std::vector<std::byte>& bytes) {
  const core::ArraySpec& spec = program.array(array).spec;
  return {spec.dtype, spec.shape, bytes};
}

std::string place_text(const core::Machine& machine, const exec::ExecResult& result,
                       const exec::CommandFailure& failure) {
  const core::EngineState& state = result.engine->state();
  if (!failure.is_copy) return devices_text(machine, state.view.devices_of(failure.task));
  return "into " + machine.space(state.commands.record(failure.command).target).name;
}

std::string kernel_text(const core::Program& program, core::TaskId task,
                        std::uint16_t alternative) {
  const core::Placement& placement = program.placement(program.task(task).placement);
  const core::Kernel* kernel = &program.kernel(program.task(task).kernel);
  if (alternative < placement.size() && placement[alternative].kernel) {
    kernel = &*placement[alternative].kernel;
  }
  std::string text;
  for (const core::KernelCall& call : *kernel) text += (text.empty() ? "" : ", ") + call.name;
  return text.empty() ? "hash_mix" : text;
}

std::string expectation_text(const core::Program& program, const exec::FailedExpectation& failed) {
  const core::Region& region = program.region(failed.region);
  std::vector<std::int64_t> shape;
  for (const core::Range& range : region.box.ranges()) shape.push_back(range.count);
  const core::DType dtype = program.array(region.array).spec.dtype;
  return "after \"" + std::string(program.task_name(failed.task)) + "\": expected " +
         program.region_text(failed.region) + " = " + array_text({dtype, shape, failed.expected}) +
         ", found " + array_text({dtype, shape, failed.found});
}

void print_failures(const RunResult& result, std::ostream& stream) {
  const exec::ExecResult& executed = result.execution->result;
  if (executed.is_finished()) return;
  std::size_t listed = 0;
  for (const exec::CommandFailure& failure : executed.failures) {
    if (listed++ == kMostFailures) break;
    stream << "failed: " << failed_text(result, failure) << ": " << failure.cause << '\n';
  }
  if (executed.failures.size() > kMostFailures) {
    stream << "and " << executed.failures.size() - kMostFailures << " more failures\n";
  }
  if (!executed.lost.empty()) {
    stream << "lost: ";
    for (std::size_t i = 0; i < std::min(kMostFailures, executed.lost.size()); ++i) {
      stream << (i > 0 ? ", " : "") << lost_text(result.program, executed.lost[i]);
    }
    if (executed.lost.size() > kMostFailures) {
      stream << " and " << counted(executed.lost.size() - kMostFailures, "more piece");
    }
    stream << '\n';
  }
  if (!executed.stopped.empty()) stream << "the run was stopped: " << executed.stopped << '\n';
  if (executed.is_interrupted) stream << "interrupted: nothing more was started\n";
  stream << text_of_count(result.execution->tasks_finished) << " of "
         << counted(result.program.task_count(), "task") << " finished, "
         << counted(executed.cancelled_commands, "command") << " cancelled\n";
}

void print_execution(const RunResult& result, std::ostream& stream) {
  const Execution& execution = *result.execution;
  if (!execution.result.is_finished()) {
    stream << "Finished  " << text_of_count(execution.tasks_finished) << " of "
           << counted(result.program.task_count(), "task") << ": the run ended early\n";
  }
  if (execution.makespans.size() > 1) {
    const auto least = std::min_element(execution.makespans.begin(), execution.makespans.end());
    stream << "Runs      " << execution.makespans.size() << ": first "
           << text_of(execution.makespans.front()) << ", least " << text_of(*least) << ", median "
           << text_of(median(execution.makespans)) << "; all else here is of the last\n";
  }
  if (execution.verification) {
    const exec::VerificationReport& report = *execution.verification;
    stream << "Verified  " << (report.holds ? report.method : "no: " + report.differences.front())
           << '\n';
  }
}

void write_execution(const RunResult& result, bool with_lists, JsonWriter& json) {
  const Execution& execution = *result.execution;
  write_runs(execution, json);
  if (!execution.result.failures.empty()) write_failures(result, json);
  if (execution.result.is_interrupted) json.line_break().member("interrupted", true);
  if (!execution.result.stopped.empty()) {
    json.line_break().member("stopped", execution.result.stopped);
  }
  if (!execution.result.is_finished()) json.member("tasks_finished", execution.tasks_finished);
  if (execution.verification) write_verification(result.program, *execution.verification, json);
  if (execution.prediction != nullptr) {
    write_prediction(result.program, result.machine, *execution.prediction, with_lists, json);
  }
  if (with_lists) write_final(result, json);
}

}  // namespace parley::cli
