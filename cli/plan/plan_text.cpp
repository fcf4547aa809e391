// Writes plans.
#include <sstream>
#include <utility>

#include "cli/plan/plan_file.h"
#include "cli/report/json_writer.h"
#include "cli/report/names.h"

namespace parley::cli {
namespace {

void write_boxes(std::span<const core::Box> boxes, JsonWriter& json) {
  json.begin_array();
  for (const core::Box& box : boxes) {
    json.begin_array();
    for (const core::Range& range : box.ranges()) {
      json.begin_array().value(range.start).value(range.step).value(range.count).end_array();
    }
    json.end_array();
  }
  json.end_array();
}

void write_copies(const core::Plan& plan, const core::Program& program,
                  const core::Machine& machine, JsonWriter& json) {
  json.key("prefetches").begin_array();
  for (const core::PlannedPrefetch& prefetch : plan.prefetches) {
    json.begin_array().value(prefetch.position).value(program.region_text(prefetch.region));
    json.value(machine.space(prefetch.space).name);
    json.value(program.task_name(prefetch.task)).end_array();
  }
  json.end_array().key("copies").begin_array();
  for (const core::PlannedCopy& copy : plan.copies) {
    json.begin_array().value(copy.position).value(program.region_text(copy.region));
    write_boxes(copy.boxes, json);
    json.value(machine.space(copy.from).name).value(machine.space(copy.to).name).end_array();
  }
  json.end_array().key("evictions").begin_array();
  for (const core::PlannedEviction& eviction : plan.evictions) {
    json.begin_array().value(eviction.position).value(program.region_text(eviction.region));
    json.value(machine.space(eviction.space).name).end_array();
  }
  json.end_array();
}

}  // namespace

std::string plan_text(const core::Plan& plan, const core::Program& program,
                      const core::Machine& machine) {
  std::ostringstream text;
  JsonWriter json(text);
  json.begin_object().member("format", "parley-plan").member("version", 1);
  json.key("tasks").begin_array();
  for (const core::PlannedTask& planned : plan.tasks) {
    json.begin_array().value(program.task_name(planned.task));
    json.value(devices_text(machine, planned.devices));
    if (planned.alternative) json.value(*planned.alternative);
    json.end_array();
  }
  json.end_array();
  if (plan.has_copies) write_copies(plan, program, machine, json);
  json.end_object();
  return std::move(text).str();
}

}  // namespace parley::cli
