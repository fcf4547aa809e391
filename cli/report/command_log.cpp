#include "cli/report/command_log.h"

#include <variant>

namespace parley::cli {

void CommandLog::on_step(core::Time now, std::span<const core::Event> /*events*/,
                         std::span<const core::Command> commands) {
  for (const core::Command& command : commands) {
    if (const auto* copy = std::get_if<core::StartCopy>(&command)) {
      note(copy->id, now, copy->after, copy->target_replica);
      writers_[copy->target_replica] = copy->id;
    } else if (const auto* launch = std::get_if<core::LaunchTask>(&command)) {
      note(launch->id, now, launch->after, core::ReplicaId::none());
      note_launch(*launch);
    } else if (const auto* drop = std::get_if<core::DropReplica>(&command)) {
      writers_.erase(drop->replica);  // its number may name another buffer later
    }
  }
}

void CommandLog::note(core::CommandId id, core::Time now, std::span<const core::CommandId> after,
                      core::ReplicaId target) {
  if (entries_.size() <= id.index()) entries_.resize(id.index() + 1);
  entries_[id.index()] = {now, after_.size(), static_cast<std::uint32_t>(after.size()), target};
  after_.insert(after_.end(), after.begin(), after.end());
}

void CommandLog::note_launch(const core::LaunchTask& launch) {
  const std::span<const core::Access> accesses = program_.accesses(launch.task);
  for (std::size_t i = 0; launch.task == watched_ && i < launch.operands.size(); ++i) {
    const auto writer = writers_.find(launch.operands[i].replica);
    operands_.push_back(
        {launch.operands[i], writer == writers_.end() ? core::CommandId::none() : writer->second});
  }
  for (std::size_t i = 0; i < launch.operands.size(); ++i) {
    if (writes(accesses[i].mode)) writers_[launch.operands[i].replica] = launch.id;
  }
}

std::span<const core::CommandId> CommandLog::after(core::CommandId id) const {
  const Entry& entry = entries_[id.index()];
  return std::span(after_).subspan(entry.first_after, entry.after_count);
}

}  // namespace parley::cli
