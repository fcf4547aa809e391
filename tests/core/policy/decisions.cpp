#include "tests/core/policy/decisions.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <utility>
#include <variant>

namespace parley::core {

Machine linked_gpus(std::size_t gpus, const std::vector<LinkRate>& rates, Bytes bytes) {
  MachineSpec spec;
  spec.name = "linked";
  const SpaceId host = spec.spaces.push_back({"host", Bytes(1LL << 32), "", true});
  spec.devices.push_back({"cpu", "cpu", host, 1, {}, 0.0, Duration(0)});
  for (std::size_t i = 0; i < gpus; ++i) {
    const std::string number = std::to_string(i);
    const SpaceId space = spec.spaces.push_back({"gpu" + number, bytes, "", false});
    spec.devices.push_back({"gpu:" + number, "gpu", space, 1, {}, 0.0, Duration(0)});
  }
  for (std::size_t from = 0; from <= gpus; ++from) {
    for (std::size_t to = 0; to <= gpus; ++to) {
      if (from == to) continue;
      Route route;
      route.from = SpaceId(from);
      route.to = SpaceId(to);
      double rate = 1.0;
      for (const LinkRate& link : rates) {
        if (link.from != spec.spaces[route.from].name || link.to != spec.spaces[route.to].name) {
          continue;
        }
        rate = link.bytes_per_ns;
      }
      if (rate <= 0.0) continue;
      route.rate_cap = Bandwidth(rate * 1e9);
      spec.routes.push_back(route);
    }
  }
  Result<Machine> machine = Machine::create(std::move(spec));
  REQUIRE(machine.has_value());
  return *std::move(machine);
}

void SmallProgram::array(const std::string& name, std::int64_t bytes, const std::string& home) {
  ArraySpec spec;
  spec.name = name;
  spec.shape = {bytes};
  spec.dtype = DType::kUint8;
  spec.initial.kind = Initial::Kind::kArange;
  spec.homes = {home};
  REQUIRE(program_.add_array(std::move(spec)).has_value());
}

void SmallProgram::task(const std::string& name, const std::vector<Use>& uses,
                        const std::vector<std::string>& on, std::int64_t ns,
                        const Options& options) {
  TaskSpec spec;
  spec.name = name;
  spec.priority = options.priority;
  spec.is_lazy = options.is_lazy;
  for (const Use& use : uses) {
    RegionView view = program_.whole(*program_.find_array(use.array));
    if (use.stop >= 0) {
      const Index index = Slice{use.start, use.stop, std::nullopt};
      view = *program_.slice(view, std::span(&index, 1));
    }
    spec.accesses.push_back({view.region, use.mode, use.member, view.view});
  }
  spec.placement.resize(options.is_group ? 1 : on.size());
  for (std::size_t i = 0; i < on.size(); ++i) {
    spec.placement[options.is_group ? 0 : i].members.push_back(on[i]);
    spec.placement[options.is_group ? 0 : i].is_group = options.is_group;
  }
  spec.cost = options.cost;
  if (spec.cost.empty()) {
    spec.cost.emplace_back();
    spec.cost.back().stated = Duration(ns);
  }
  const Result<TaskId> id = program_.spawn(std::move(spec));
  for (const Fault& fault : id.faults()) MESSAGE(fault.where << ": " << fault.what);
  REQUIRE(id.has_value());
}

namespace {

/// Calls `visit` with every command of the first step.
void first_step(Program& program, const Machine& machine, const EngineOptions& options,
                const std::function<void(const Command&)>& visit) {
  if (!program.is_closed()) REQUIRE(program.close().has_value());
  auto engine = Engine::create(program, machine, options);
  for (const Fault& fault : engine.faults()) MESSAGE(fault.where << ": " << fault.what);
  REQUIRE(engine.has_value());
  const std::vector<Event> events = {TasksSubmitted{TaskId(program.task_count())},
                                     SubmissionClosed{}};
  for (const Command& command : (*engine)->step(Time(0), events)) visit(command);
}

std::string launch_text(const Program& program, const Machine& machine, const LaunchTask& launch) {
  std::string text(program.task_name(launch.task));
  for (const DeviceId device : launch.devices) text += "@" + machine.device(device).name;
  return text;
}

void append(std::string& all, const std::string& text) { all += (all.empty() ? "" : " ") + text; }

}  // namespace

std::string SmallProgram::places(const Machine& machine, const EngineOptions& options) {
  std::map<TaskId, std::string> by_task;
  first_step(program_, machine, options, [&](const Command& command) {
    const auto* launch = std::get_if<LaunchTask>(&command);
    if (launch != nullptr) by_task[launch->task] = launch_text(program_, machine, *launch);
  });
  std::string all;
  for (const auto& [task, text] : by_task) append(all, text);
  return all;
}

std::string SmallProgram::launches(const Machine& machine, const EngineOptions& options) {
  std::string all;
  first_step(program_, machine, options, [&](const Command& command) {
    const auto* launch = std::get_if<LaunchTask>(&command);
    if (launch != nullptr) append(all, launch_text(program_, machine, *launch));
  });
  return all;
}

std::string SmallProgram::copies(const Machine& machine, const EngineOptions& options) {
  std::string all;
  first_step(program_, machine, options, [&](const Command& command) {
    const auto* copy = std::get_if<StartCopy>(&command);
    if (copy == nullptr) return;
    append(all, program_.array(copy->array).spec.name + ":" + machine.space(copy->from).name + ">" +
                    machine.space(copy->to).name +
                    (copy->reason == CopyReason::kPrefetch ? "*" : ""));
  });
  return all;
}

}  // namespace parley::core
