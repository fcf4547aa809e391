#include "cli/report/run_rows.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/report/names.h"
#include "cli/report/run_result.h"

namespace parley::cli {
namespace {

/// Records in order of (start, command).
template <class Record>
std::vector<const Record*> by_start(const std::vector<Record>& records) {
  std::vector<const Record*> sorted;
  sorted.reserve(records.size());
  for (const Record& record : records) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(), [](const Record* a, const Record* b) {
    return std::pair(a->start, a->command) < std::pair(b->start, b->command);
  });
  return sorted;
}

}  // namespace

void write_rows(const core::Program& program, const core::Machine& machine,
                const core::RunRecord& run, JsonWriter& json) {
  json.line_break().key("tasks").begin_array();
  for (const core::TaskRecord* task : by_start(run.tasks)) {
    json.line_break().begin_array().value(program.task_name(task->task));
    json.value(devices_text(machine, task->devices));
    json.value(task->start.ns()).value(task->end.ns()).end_array();
  }
  json.end_array().line_break().key("copy_list").begin_array();
  const std::vector<const core::CopyRecord*> copies = by_start(run.copies);
  for (const core::CopyRecord* copy : copies) {
    json.line_break().begin_array().value(boxes_text(program, copy->array, copy->boxes));
    json.value(machine.space(copy->from).name).value(machine.space(copy->to).name);
    json.value(copy->bytes.count()).value(copy->start.ns()).value(copy->end.ns()).end_array();
  }
  json.end_array().line_break().key("copy_reasons").begin_array();
  for (const core::CopyRecord* copy : copies) json.value(name_of(copy->reason));
  json.end_array();
}

void write_busy(const core::Machine& machine, const core::RunRecord& run, JsonWriter& json) {
  json.line_break().key("busy").begin_object();
  for (std::size_t i = 0; i < machine.device_count(); ++i) {
    const core::DeviceId device(i);
    json.member(machine.device(device).name, busy_share(run, device));
  }
  json.end_object();
}

}  // namespace parley::cli
