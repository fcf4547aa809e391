#include "cli/journal/journal_writer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/journal/command_text.h"
#include "cli/journal/digest.h"
#include "cli/plan/plan_file.h"
#include "cli/report/json_writer.h"
#include "cli/report/run_result.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

/// JSON text on one line: outside strings a line break is white space, inside it cannot be.
std::string on_one_line(std::string text) {
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace(text.begin(), text.end(), '\r', ' ');
  return text;
}

std::string events_text(std::span<const core::Event> events) {
  std::string text = "[";
  for (const core::Event& event : events) {
    if (text.size() > 1) text += ',';
    text += event_text(event);
  }
  return text + "]";
}

}  // namespace

core::Result<std::string> embedded_workload(const std::string& workload) {
  std::error_code error;
  if (!std::filesystem::exists(workload, error)) {
    return "{\"generator\":" + json_string(workload) + "}";
  }
  std::ifstream file(workload, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return core::Fault{workload, "cannot be read"};
  return "{\"workload\":" + on_one_line(std::move(text)) + "}";
}

JournalWriter::JournalWriter(const core::Program& program, const core::Machine& machine,
                             const core::EngineOptions& options, const RunMode& mode,
                             const std::string& embedded_workload, std::ostream& stream)
    : program_(program), machine_(machine), stream_(stream), is_live_(mode.name == "exec") {
  JsonWriter json(stream_);
  json.begin_object().member("format", "parley-journal").member("version", 1);
  json.member("parley", kParleyVersion).member("mode", mode.name);
  if (!mode.backend.empty()) json.member("backend", mode.backend);
  json.member("workload", program.name()).member("machine", machine.name());
  json.key("digests").begin_object().member("algorithm", kDigestAlgorithm);
  json.member("workload", digest_of(program)).member("machine", digest_of(machine)).end_object();
  json.key("policies").begin_object();
  for (const auto& [kind, text] : policy_choice(options)) json.member(kind, text);
  json.end_object().key("options").begin_object().member("window", options.window);
  json.member("evict_idle_only", options.evict_idle_only);
  if (options.writes_back_early) json.member("writes_back_early", true);
  json.member("check_invariants", options.check_invariants);
  json.member("record_states", options.record_states);
  json.member("pauses_at_shown", options.pauses_at_shown).end_object();
  json.member("seed", options.seed);
  if (options.plan != nullptr) json.key("plan").raw(plan_text(*options.plan, program, machine));
  json.end_object();
  stream_ << '\n' << embedded_workload << '\n';
  stream_ << "{\"machine\":" << on_one_line(workloads::format_machine(machine.spec())) << "}\n";
}

void JournalWriter::on_events(core::Time now, std::span<const core::Event> events) {
  now_ = now;
  unanswered_ = events_text(events);
}

void JournalWriter::on_step(core::Time now, std::span<const core::Event> events,
                            std::span<const core::Command> commands) {
  has_steps_ = true;
  unanswered_.clear();
  stream_ << "{\"now\":" << now.ns() << ",\"events\":" << events_text(events) << ",\"commands\":[";
  for (std::size_t i = 0; i < commands.size(); ++i) {
    stream_ << (i == 0 ? "" : ",") << command_text(program_, machine_, commands[i]);
  }
  stream_ << "]}\n";
  if (is_live_) stream_.flush();
}

void JournalWriter::write_stop(std::string_view why) {
  stream_ << "{\"now\":" << now_.ns()
          << ",\"events\":" << (unanswered_.empty() ? "[]" : unanswered_)
          << ",\"stopped\":" << json_string(why) << "}\n";
}

}  // namespace parley::cli
