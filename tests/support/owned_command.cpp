#include "tests/support/owned_command.h"

#include <sstream>

namespace parley::test {
namespace {

using namespace core;  // NOLINT: every name here is the core's

OwnedPart owned(const CopyPart& part) {
  OwnedPart copy{Box(part.box),
                 part.source_offset.count(),
                 part.target_offset.count(),
                 part.bytes.count(),
                 part.run_bytes,
                 {}};
  for (const CopyDimension& dimension : part.dimensions) {
    copy.dimensions.push_back({dimension.count, dimension.source_stride, dimension.target_stride});
  }
  return copy;
}

template <class Tag>
std::string text_of(Id<Tag> id) {
  return id.is_none() ? "-" : std::to_string(id.index());
}

std::string text_of(std::span<const CommandId> after) {
  std::string text = " after {";
  for (const CommandId id : after) text += (text.back() == '{' ? "" : " ") + text_of(id);
  return text + "}";
}

std::string text_of(const Box& box) {
  std::string text = "[";
  for (const Range& range : box.ranges()) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(range.start) + "+" +
            std::to_string(range.count) + "x" + std::to_string(range.step);
  }
  return text + "]";
}

std::string task_text(const Program& program, TaskId task) {
  return task.is_none() ? "-" : std::string(program.task_name(task));
}

const char* text_of(CopyReason reason) {
  switch (reason) {
    case CopyReason::kFetch:
      return "fetch";
    case CopyReason::kPrefetch:
      return "prefetch";
    case CopyReason::kWriteBack:
      return "write-back";
    case CopyReason::kHomeHop:
      return "home hop";
    case CopyReason::kAtEnd:
      return "at end";
  }
  return "";
}

const char* text_of(DropReason reason) {
  switch (reason) {
    case DropReason::kEvicted:
      return "evicted";
    case DropReason::kInvalidated:
      return "invalidated";
    case DropReason::kRequested:
      return "requested";
  }
  return "";
}

}  // namespace

OwnedCommand owned(const Command& command) {
  return std::visit(
      Overloaded{
          [](const StartCopy& c) -> OwnedCommand {
            OwnedCopy copy{c.id,
                           c.array,
                           {},
                           c.from,
                           c.to,
                           c.route,
                           c.bytes.count(),
                           c.priority,
                           c.reason,
                           c.task,
                           c.source_replica,
                           c.target_replica,
                           {c.after.begin(), c.after.end()}};
            for (const CopyPart& part : c.parts) copy.parts.push_back(owned(part));
            return copy;
          },
          [](const LaunchTask& c) -> OwnedCommand {
            OwnedLaunch launch{
                c.id, c.task,     c.alternative, {c.devices.begin(), c.devices.end()}, {},
                {},   c.priority, c.milli_vcus,  {c.after.begin(), c.after.end()}};
            for (const OperandBinding& operand : c.operands) {
              launch.operands.push_back(
                  {operand.space, operand.offset.count(), operand.is_home_view, operand.replica});
            }
            for (const Bytes offset : c.scratch_offsets) {
              launch.scratch_offsets.push_back(offset.count());
            }
            return launch;
          },
          [](const DropReplica& c) -> OwnedCommand {
            return OwnedDrop{c.replica,
                             c.region,
                             c.space,
                             c.offset.count(),
                             c.bytes.count(),
                             c.reason,
                             {c.after.begin(), c.after.end()}};
          },
          [](const Finish&) -> OwnedCommand { return OwnedFinish{}; },
      },
      command);
}

std::vector<OwnedCommand> owned(std::span<const Command> commands) {
  std::vector<OwnedCommand> copies;
  for (const Command& command : commands) copies.push_back(owned(command));
  return copies;
}

std::span<const CommandId> after_of(const OwnedCommand& command) {
  return std::visit(Overloaded{[](const OwnedFinish&) { return std::span<const CommandId>(); },
                               [](const auto& c) { return std::span<const CommandId>(c.after); }},
                    command);
}

std::string text_of(const Program& program, const OwnedCommand& command) {
  std::ostringstream out;
  std::visit(
      Overloaded{
          [&](const OwnedCopy& c) {
            out << "#" << c.id.index() << " copy " << program.array(c.array).spec.name << " space "
                << c.from.index() << " -> " << c.to.index() << " (" << text_of(c.reason) << ", "
                << c.bytes << " B, route " << text_of(c.route) << ", replica "
                << text_of(c.source_replica) << " -> " << text_of(c.target_replica) << ", priority "
                << c.priority << ") for " << task_text(program, c.task);
            for (const OwnedPart& part : c.parts) {
              out << " " << text_of(part.box) << "@" << part.source_offset << "->"
                  << part.target_offset << " runs of " << part.run_bytes;
              for (const OwnedDimension& d : part.dimensions) {
                out << " *" << d.count << "(" << d.source_stride << "," << d.target_stride << ")";
              }
            }
            out << text_of(c.after);
          },
          [&](const OwnedLaunch& c) {
            out << "#" << c.id.index() << " launch " << program.task_name(c.task) << " alternative "
                << c.alternative << " on devices";
            for (const DeviceId device : c.devices) out << " " << device.index();
            for (std::size_t i = 0; i < c.operands.size(); ++i) {
              const Access& access = program.accesses(c.task)[i];
              const OwnedBinding& operand = c.operands[i];
              out << ", " << name_of(access.mode) << " "
                  << program.region_text(access.region, access.view) << " in space "
                  << text_of(operand.space) << "@" << operand.offset
                  << (operand.is_home_view ? " (home)" : "") << " replica "
                  << text_of(operand.replica);
            }
            for (const std::int64_t offset : c.scratch_offsets) out << ", scratch @" << offset;
            out << ", priority " << c.priority << ", " << c.milli_vcus << " mvcus"
                << text_of(c.after);
          },
          [&](const OwnedDrop& c) {
            out << "drop replica " << text_of(c.replica) << " " << program.region_text(c.region)
                << " in space " << c.space.index() << "@" << c.offset << " (" << c.bytes << " B, "
                << text_of(c.reason) << ")" << text_of(c.after);
          },
          [&](const OwnedFinish&) { out << "finish"; },
      },
      command);
  return out.str();
}

std::string text_of(const Program& program, const Event& event) {
  return std::visit(
      Overloaded{
          [](const TasksSubmitted& e) {
            return "tasks below " + std::to_string(e.end.index()) + " submitted";
          },
          [](const SubmissionClosed&) { return std::string("submission closed"); },
          [&](const TaskReleased& e) { return "released " + task_text(program, e.task); },
          [](const CopyDone& e) { return "copy #" + text_of(e.id) + " done"; },
          [](const TaskDone& e) { return "task #" + text_of(e.id) + " done"; },
          [](const CommandFailed& e) { return "#" + text_of(e.id) + " failed: " + e.cause; },
      },
      event);
}

}  // namespace parley::test
