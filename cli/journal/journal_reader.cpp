#include "cli/journal/journal_reader.h"

#include <cerrno>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <system_error>

#include "cli/journal/digest.h"
#include "cli/json_problem.h"
#include "cli/plan/plan_file.h"
#include "workloads/generator.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::cli {
namespace {

using Json = nlohmann::ordered_json;

core::EngineOptions options_of(const Json& header) {
  core::EngineOptions options;
  const Json& policies = header.at("policies");
  options.mapper = policies.at("mapper").get<std::string>();
  options.order = policies.at("order").get<std::string>();
  options.prefetch = policies.at("prefetch").get<std::string>();
  options.evict = policies.at("evict").get<std::string>();
  options.source = policies.at("source").get<std::string>();
  const Json& given = header.at("options");
  options.window = given.at("window").get<std::uint32_t>();
  options.evict_idle_only = given.at("evict_idle_only").get<bool>();
  options.check_invariants = given.at("check_invariants").get<bool>();
  options.record_states = given.at("record_states").get<bool>();
  options.writes_back_early = given.value("writes_back_early", false);
  options.pauses_at_shown = given.value("pauses_at_shown", false);
  options.seed = header.at("seed").get<std::uint64_t>();
  return options;
}

/// The text of the one member of an object on one line: `{"name":TEXT}`; nothing if it is not one.
std::optional<std::string> only_member(const std::string& line, const std::string& name) {
  const std::string prefix = "{\"" + name + "\":";
  if (!line.starts_with(prefix) || !line.ends_with('}')) return std::nullopt;
  return line.substr(prefix.size(), line.size() - prefix.size() - 1);
}

core::CommandId command_id(const Json& value) {
  return core::CommandId(value.get<std::uint32_t>());
}

core::Time time_of(const Json& value) { return core::Time(value.get<std::int64_t>()); }

/// Throws Json::exception on what is no event.
core::Event event_of(const Json& event) {
  if (event.contains("submitted")) {
    return core::TasksSubmitted{core::TaskId(event["submitted"].get<std::uint32_t>())};
  }
  if (event.contains("closed")) return core::SubmissionClosed{};
  if (event.contains("released")) {
    return core::TaskReleased{core::TaskId(event["released"].get<std::uint32_t>())};
  }
  if (event.contains("copy_done")) {
    return core::CopyDone{command_id(event["copy_done"]), time_of(event.at("start")),
                          time_of(event.at("end"))};
  }
  if (event.contains("failed")) {
    return core::CommandFailed{command_id(event["failed"]), event.at("cause").get<std::string>()};
  }
  return core::TaskDone{command_id(event.at("task_done")), time_of(event.at("start")),
                        time_of(event.at("end"))};
}

}  // namespace

core::Result<std::unique_ptr<JournalReader>> JournalReader::open(const std::string& path) {
  std::unique_ptr<JournalReader> reader(new JournalReader);
  reader->path_ = path;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return core::Fault{path, "is a directory"};
  errno = 0;
  reader->file_.open(path, std::ios::binary);
  if (!reader->file_) {
    return core::Fault{path, "cannot be read: " + std::generic_category().message(errno)};
  }
  return reader;
}

bool JournalReader::read_line(std::string& text) {
  ++line_;
  return static_cast<bool>(std::getline(file_, text));
}

core::Fault JournalReader::fault(const std::string& what) const {
  return {path_ + ": line " + std::to_string(line_), what};
}

core::Result<JournalReader::Header> JournalReader::read_header() {
  std::string line;
  const Json json = read_line(line) ? Json::parse(line, nullptr, false) : Json();
  if (!json.is_object() || json.value("format", Json()) != "parley-journal") {
    return fault("no journal: found no \"format\": \"parley-journal\"");
  }
  if (json.value("version", Json()) != 1) {
    return fault("journal of version " + json.value("version", Json()).dump() +
                 "; this build reads version 1");
  }
  try {
    return Header{options_of(json), json.at("digests").at("workload").get<std::string>(),
                  json.at("digests").at("machine").get<std::string>(),
                  json.contains("plan") ? json["plan"].dump() : ""};
  } catch (const Json::exception& problem) {
    return fault("broken header: " + json_problem(problem));
  }
}

core::Result<core::Program> JournalReader::read_program() {
  std::string line;
  if (!read_line(line)) return fault("ends before the workload");
  if (const std::optional<std::string> text = only_member(line, "workload")) {
    return workloads::parse_workload(*text, path_ + ": line 2");
  }
  const std::optional<std::string> text = only_member(line, "generator");
  const Json spec = text ? Json::parse(*text, nullptr, false) : Json();
  if (!spec.is_string()) return fault("expected {\"workload\":...} or {\"generator\":\"...\"}");
  return workloads::GeneratorRegistry().make(spec.get<std::string>());
}

core::Result<core::Machine> JournalReader::read_machine() {
  std::string line;
  if (!read_line(line)) return fault("ends before the machine");
  const std::optional<std::string> text = only_member(line, "machine");
  if (!text) return fault("expected {\"machine\":...}");
  core::Result<core::MachineSpec> spec = workloads::parse_machine(*text, path_ + ": line 3");
  if (!spec) return spec.faults();
  return core::Machine::create(std::move(*spec));
}

core::Result<JournalStart> JournalReader::read_start() {
  const core::Result<Header> header = read_header();
  if (!header) return header.faults();
  core::Result<core::Program> program = read_program();
  if (!program) return program.faults();
  if (digest_of(*program) != header->workload_digest) {
    return fault("the workload is not the one that was run: its digest is " + digest_of(*program) +
                 ", the header says " + header->workload_digest +
                 " (was it edited, or made by a generator that has changed since?)");
  }
  core::Result<core::Machine> machine = read_machine();
  if (!machine) return machine.faults();
  if (digest_of(*machine) != header->machine_digest) {
    return fault("the machine is not the one that was used: its digest is " + digest_of(*machine) +
                 ", the header says " + header->machine_digest);
  }
  core::EngineOptions options = header->options;
  if (!header->plan.empty()) {
    core::Result<core::Plan> plan =
        parse_plan(header->plan, path_ + ": line 1: plan", *program, *machine);
    if (!plan) return plan.faults();
    options.plan = std::make_shared<const core::Plan>(std::move(*plan));
  }
  return JournalStart{std::move(*program), std::move(*machine), std::move(options)};
}

core::Result<std::optional<JournalStep>> JournalReader::next() {
  std::string line;
  if (!read_line(line)) return std::optional<JournalStep>();
  const Json step = Json::parse(line, nullptr, false);
  if (step.is_discarded()) {
    return fault(file_.eof() ? "the journal is cut off here" : "is not JSON");
  }
  try {
    JournalStep result;
    result.now = time_of(step.at("now"));
    for (const Json& event : step.at("events")) result.events.push_back(event_of(event));
    if (step.contains("stopped")) {
      result.stopped = step["stopped"].get<std::string>();
      return std::optional<JournalStep>(std::move(result));
    }
    for (const Json& command : step.at("commands")) result.commands.push_back(command.dump());
    return std::optional<JournalStep>(std::move(result));
  } catch (const Json::exception& problem) {
    return fault("is no step: " + json_problem(problem));
  }
}

}  // namespace parley::cli
