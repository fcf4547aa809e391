#include "cli/journal/command_text.h"

#include <span>
#include <sstream>
#include <variant>

#include "cli/report/json_writer.h"
#include "cli/report/names.h"

namespace parley::cli {
namespace {

template <class Tag>
void write_id(core::Id<Tag> id, JsonWriter& json) {
  if (id.is_none()) {
    json.raw("null");
  } else {
    json.value(id.index());
  }
}

class EventWriter {
 public:
  explicit EventWriter(JsonWriter& json) : json_(json) {}

  void operator()(const core::TasksSubmitted& event) {
    json_.member("submitted", event.end.index());
  }
  void operator()(const core::SubmissionClosed&) { json_.member("closed", true); }
  void operator()(const core::TaskReleased& event) { json_.member("released", event.task.index()); }
  void operator()(const core::CopyDone& event) { write_done("copy_done", event); }
  void operator()(const core::TaskDone& event) { write_done("task_done", event); }
  void operator()(const core::CommandFailed& event) {
    json_.member("failed", event.id.index()).member("cause", event.cause);
  }

 private:
  template <class Done>
  void write_done(std::string_view name, const Done& event) {
    json_.member(name, event.id.index());
    json_.member("start", event.start.ns()).member("end", event.end.ns());
  }

  JsonWriter& json_;
};

class CommandWriter {
 public:
  CommandWriter(const core::Program& program, const core::Machine& machine, JsonWriter& json)
      : program_(program), machine_(machine), json_(json) {}

  void operator()(const core::StartCopy& copy);
  void operator()(const core::LaunchTask& launch);
  void operator()(const core::DropReplica& drop);
  void operator()(const core::Finish&) { json_.member("finish", true); }

 private:
  void write_part(const core::CopyPart& part);
  void write_after(std::span<const core::CommandId> after);
  void write_task(core::TaskId task) {
    json_.key("task");
    if (task.is_none()) {
      json_.raw("null");
    } else {
      json_.value(program_.task_name(task));
    }
  }

  const core::Program& program_;
  const core::Machine& machine_;
  JsonWriter& json_;
};

void CommandWriter::write_after(std::span<const core::CommandId> after) {
  json_.key("after").begin_array();
  for (const core::CommandId id : after) json_.value(id.index());
  json_.end_array();
}

void CommandWriter::write_part(const core::CopyPart& part) {
  json_.begin_object().key("box").begin_array();
  for (const core::Range& range : part.box) {
    json_.begin_array().value(range.start).value(range.step).value(range.count).end_array();
  }
  json_.end_array().member("source_offset", part.source_offset.count());
  json_.member("target_offset", part.target_offset.count());
  json_.member("bytes", part.bytes.count()).member("run_bytes", part.run_bytes);
  json_.key("dimensions").begin_array();
  for (const core::CopyDimension& dimension : part.dimensions) {
    json_.begin_array().value(dimension.count).value(dimension.source_stride);
    json_.value(dimension.target_stride).end_array();
  }
  json_.end_array().end_object();
}

void CommandWriter::operator()(const core::StartCopy& copy) {
  json_.member("copy", copy.id.index()).member("array", program_.array(copy.array).spec.name);
  json_.member("from", machine_.space(copy.from).name).member("to", machine_.space(copy.to).name);
  write_id(copy.route, json_.key("route"));
  json_.key("parts").begin_array();
  for (const core::CopyPart& part : copy.parts) write_part(part);
  json_.end_array().member("bytes", copy.bytes.count()).member("priority", copy.priority);
  json_.member("reason", name_of(copy.reason));
  write_task(copy.task);
  write_id(copy.source_replica, json_.key("source_replica"));
  write_id(copy.target_replica, json_.key("target_replica"));
  write_after(copy.after);
}

void CommandWriter::operator()(const core::LaunchTask& launch) {
  json_.member("launch", launch.id.index());
  write_task(launch.task);
  json_.member("alternative", launch.alternative).key("devices").begin_array();
  for (const core::DeviceId device : launch.devices) json_.value(machine_.device(device).name);
  json_.end_array().key("operands").begin_array();
  for (const core::OperandBinding& operand : launch.operands) {
    json_.begin_object().key("space");
    if (operand.space.is_none()) {
      json_.raw("null");
    } else {
      json_.value(machine_.space(operand.space).name);
    }
    json_.member("offset", operand.offset.count()).member("home_view", operand.is_home_view);
    write_id(operand.replica, json_.key("replica"));
    json_.end_object();
  }
  json_.end_array().key("scratch_offsets").begin_array();
  for (const core::Bytes offset : launch.scratch_offsets) json_.value(offset.count());
  json_.end_array().member("priority", launch.priority);
  json_.member("milli_vcus", launch.milli_vcus);
  write_after(launch.after);
}

void CommandWriter::operator()(const core::DropReplica& drop) {
  write_id(drop.replica, json_.key("drop"));
  json_.member("region", program_.region_text(drop.region));
  json_.member("space", machine_.space(drop.space).name).member("offset", drop.offset.count());
  json_.member("bytes", drop.bytes.count()).member("reason", name_of(drop.reason));
  write_after(drop.after);
}

}  // namespace

std::string event_text(const core::Event& event) {
  std::ostringstream text;
  JsonWriter json(text);
  json.begin_object();
  std::visit(EventWriter(json), event);
  json.end_object();
  return std::move(text).str();
}

std::string command_text(const core::Program& program, const core::Machine& machine,
                         const core::Command& command) {
  std::ostringstream text;
  JsonWriter json(text);
  json.begin_object();
  std::visit(CommandWriter(program, machine, json), command);
  json.end_object();
  return std::move(text).str();
}

}  // namespace parley::cli
