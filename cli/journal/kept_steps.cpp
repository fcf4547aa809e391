#include "cli/journal/kept_steps.h"

#include <variant>

namespace parley::cli {

void KeptSteps::keep(core::StartCopy& copy) {
  std::vector<core::CopyPart> parts(copy.parts.begin(), copy.parts.end());
  for (core::CopyPart& part : parts) {
    part.box = kept(part.box);
    part.dimensions = kept(part.dimensions);
  }
  copy.parts = kept(std::span<const core::CopyPart>(parts));
  copy.after = kept(copy.after);
}

void KeptSteps::keep(core::LaunchTask& launch) {
  launch.devices = kept(launch.devices);
  launch.operands = kept(launch.operands);
  launch.scratch_offsets = kept(launch.scratch_offsets);
  launch.after = kept(launch.after);
}

void KeptSteps::keep(core::DropReplica& drop) { drop.after = kept(drop.after); }

void KeptSteps::on_step(core::Time now, std::span<const core::Event> events,
                        std::span<const core::Command> commands) {
  Step step{now, {events.begin(), events.end()}, {commands.begin(), commands.end()}};
  for (core::Command& command : step.commands) {
    std::visit([this](auto& given) { keep(given); }, command);
  }
  steps_.push_back(std::move(step));
}

void KeptSteps::tell(core::StepObserver& other) const {
  for (const Step& step : steps_) {
    other.on_events(step.now, step.events);
    other.on_step(step.now, step.events, step.commands);
  }
}

}  // namespace parley::cli
