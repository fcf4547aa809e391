// Events and commands as one line of JSON each, in the journal's form. Equal commands give equal
// text: replay compares texts.
#pragma once

#include <string>

#include "core/engine/command.h"
#include "core/engine/event.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// {"submitted":3}, {"closed":true}, {"released":2}, {"copy_done":5,"start":0,"end":10},
/// {"task_done":6,"start":10,"end":20} or {"failed":5,"cause":"..."}.
std::string event_text(const core::Event& event);

/// {"copy":5,...}, {"launch":6,...}, {"drop":...} or {"finish":true}; arrays, tasks, devices and
/// spaces by name, replicas and commands by number, offsets and strides in bytes.
std::string command_text(const core::Program& program, const core::Machine& machine,
                         const core::Command& command);

}  // namespace parley::cli
