// What the engine knows of tasks before they are scheduled: where each may run, what buffers it has
// there, and which tasks are alike. Tasks of one class share candidates and expected durations.
#include <algorithm>
#include <string>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/engine/mutation.h"

namespace parley::core {
namespace {

std::string number_of_vcus(std::int64_t milli_vcus) {
  std::string text = std::to_string(milli_vcus / 1000);
  if (milli_vcus % 1000 == 0) return text;
  const std::string thousandths = std::to_string(1000 + milli_vcus % 1000).substr(1);
  return text + "." + thousandths;
}

/// Removes the candidates with a device that has fewer slots than the task takes. What is told
/// when none is left: the vcus wanted and the most that there are.
std::string remove_too_narrow(const EngineState& state, const Placement& placement,
                              std::vector<Candidate>& candidates) {
  std::int64_t wanted = 0;
  std::int64_t most = 0;
  std::erase_if(candidates, [&](const Candidate& candidate) {
    const std::int64_t vcus = placement[candidate.alternative].milli_vcus;
    for (const DeviceId device : candidate.devices) {
      const std::int64_t slots = std::int64_t{1000} * state.machine.device(device).slots;
      if (vcus <= slots) continue;
      wanted = vcus;
      most = std::max(most, slots);
      return true;
    }
    return false;
  });
  return "takes " + number_of_vcus(wanted) +
         " vcus, more than any device that it may run on has (" + number_of_vcus(most) + ")";
}

/// "placement "gpu:7", "gpu:8"" of a placement.
std::string placement_text(const Placement& placement) {
  std::string text;
  for (const Alternative& alternative : placement) {
    for (const std::string& member : alternative.members) {
      text += (text.empty() ? "\"" : ", \"") + member + "\"";
    }
  }
  return "placement " + text;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x9e3779b97f4a7c15ULL + (hash >> 23U);
}

std::uint64_t class_hash(const EngineState& state, TaskId id) {
  const Task& task = state.program.task(id);
  std::uint64_t hash = task.placement.index();
  hash = mix(hash, task.cost.index());
  hash = mix(hash, task.expected_cost.index());
  hash = mix(hash, task.kernel.index());
  for (const Access& access : state.program.accesses(id)) {
    hash = mix(hash, static_cast<std::uint64_t>(state.program.region(access.region).bytes.count()));
  }
  return hash;
}

/// Whether two tasks have the same candidates and durations: all that either depends on is equal.
bool are_alike(const EngineState& state, TaskId a, TaskId b) {
  const Program& program = state.program;
  const Task& x = program.task(a);
  const Task& y = program.task(b);
  if (x.placement != y.placement || x.cost != y.cost || x.expected_cost != y.expected_cost ||
      x.kernel != y.kernel || x.access_count != y.access_count) {
    return false;
  }
  const auto p = program.accesses(a);
  const auto q = program.accesses(b);
  for (std::size_t i = 0; i < p.size(); ++i) {
    const Region& r = program.region(p[i].region);
    const Region& s = program.region(q[i].region);
    if (p[i].mode != q[i].mode || p[i].member != q[i].member || !(p[i].view == q[i].view) ||
        r.bytes != s.bytes ||
        program.array(r.array).spec.dtype != program.array(s.array).spec.dtype ||
        r.box.rank() != s.box.rank() ||
        state.directory.home_space(r.array) != state.directory.home_space(s.array)) {
      return false;
    }
    for (std::size_t d = 0; d < r.box.rank(); ++d) {
      if (r.box[d].count != s.box[d].count) return false;
    }
    // Operands of one array may overlap, which decides what is copied aside on a host.
    for (std::size_t j = 0; j < i; ++j) {
      const bool same_in_a = program.region(p[j].region).array == r.array;
      const bool same_in_b = program.region(q[j].region).array == s.array;
      if (same_in_a != same_in_b) return false;
      if (same_in_a &&
          (r.box != s.box || program.region(p[j].region).box != program.region(q[j].region).box)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

bool fits(const EngineState& state, TaskId task, const Candidate& candidate) {
  return std::all_of(candidate.devices.begin(), candidate.devices.end(), [&](DeviceId device) {
    const SpaceId space = state.machine.device(device).space;
    const Bytes capacity(state.machine.space(space).capacity.count() / Arena::kAlignment *
                         Arena::kAlignment);
    return working_set(state, task, candidate, space) <= capacity;
  });
}

void resolve_placements(EngineState& state, Faults& faults) {
  for (std::size_t p = state.placements.size(); p < state.program.placement_count(); ++p) {
    const Placement& placement = state.program.placement(PlacementId(p));
    std::vector<Candidate> candidates = resolve(placement, state.machine, nullptr);
    if (candidates.empty()) {
      std::vector<std::string> names;
      for (const Device& device : state.machine.spec().devices) names.push_back(device.name);
      faults.push_back({placement_text(placement), "machine \"" + state.machine.name() +
                                                       "\" has no such devices; it has " +
                                                       names_text(names)});
    } else {
      const std::string too_narrow = remove_too_narrow(state, placement, candidates);
      if (candidates.empty()) faults.push_back({placement_text(placement), too_narrow});
    }
    state.placements.push_back(std::move(candidates));
  }
}

Homes homes_of(const Machine& machine, const ArraySpec& spec, Faults& faults) {
  Homes homes;
  for (const std::string& name : spec.homes) {
    if (const auto space = machine.find_space(name)) {
      // "host" and the host's own name may both be there.
      const bool is_new = std::ranges::find(homes.spaces, *space) == homes.spaces.end();
      if (is_new) homes.spaces.push_back(*space);
      continue;
    }
    faults.push_back({"array \"" + spec.name + "\"",
                      "home \"" + name + "\": machine \"" + machine.name() +
                          "\" has no such space; it has " + names_text(machine.space_names())});
  }
  if (homes.spaces.empty()) homes.spaces.push_back(machine.host_of(SpaceId(0)));
  homes.slot = machine.host_of(homes.spaces.front());
  return homes;
}

Bytes scratch_bytes(const Alternative& alternative) {
  Bytes total;
  for (const ScratchArray& scratch : alternative.scratch) {
    std::int64_t bytes = element_bytes(scratch.dtype);
    for (const std::int64_t extent : scratch.shape) bytes *= extent;
    total += Arena::rounded(Bytes(bytes));
  }
  return total + Arena::rounded(alternative.scratch_bytes);
}

void collect_operands(const EngineState& state, TaskId task, const Candidate& candidate,
                      std::vector<Operand>& operands) {
  operands.clear();
  for (const Access& access : state.program.accesses(task)) {
    if (state.directory.bytes_of(access.region) == Bytes(0)) continue;
    const SpaceId space = state.machine.device(candidate.devices[access.member]).space;
    auto same = std::find_if(operands.begin(), operands.end(), [&](const Operand& other) {
      return other.region == access.region && other.space == space;
    });
    if (same == operands.end()) {
      operands.push_back({access.region, space});
      same = operands.end() - 1;
    }
    same->is_read |= reads(access.mode);
    same->is_written |= writes(access.mode);
  }
  // An input in the home slot must not show what the task writes there under another region.
  if (operands.size() < 2) return;
  for (Operand& input : operands) {
    if (input.is_written) continue;
    const ArrayId array = state.directory.array_of(input.region);
    for (const Operand& output : operands) {
      if (mutation_is_on(Mutation::kHomeViewAliasesInput)) break;
      if (!output.is_written || output.space != input.space) continue;
      if (state.directory.array_of(output.region) != array) continue;
      const Box& box = state.program.region(input.region).box;
      if (intersection(box, state.program.region(output.region).box)) input.is_aside = true;
    }
  }
}

Bytes working_set(const EngineState& state, TaskId task, const Candidate& candidate,
                  SpaceId space) {
  std::vector<Operand> operands;
  collect_operands(state, task, candidate, operands);
  Bytes total;
  for (const Operand& operand : operands) {
    if (operand.space != space) continue;
    const ArrayId array = state.program.region(operand.region).array;
    Faults ignored;
    const SpaceId home =
        array.index() < state.directory.array_count()
            ? state.directory.home_space(array)
            : homes_of(state.machine, state.program.array(array).spec, ignored).slot;
    if (home == space && !operand.is_aside) continue;
    total += Arena::rounded(state.program.region(operand.region).bytes);
  }
  const Alternative& alternative =
      state.program.placement(state.program.task(task).placement)[candidate.alternative];
  for (const DeviceId device : candidate.devices) {
    if (state.machine.device(device).space == space) total += scratch_bytes(alternative);
  }
  return total;
}

std::uint32_t class_of(EngineState& state, TaskId task) {
  // Consecutive tasks are often of few classes; the hash finds them, are_alike() decides.
  const std::uint64_t hash = class_hash(state, task);
  auto [begin, end] = state.classes_by_hash.equal_range(hash);
  for (; begin != end; ++begin) {
    if (are_alike(state, state.classes[begin->second].representative, task)) return begin->second;
  }
  TaskClass fresh;
  fresh.representative = task;
  std::int64_t sum = 0;
  for (const Candidate& candidate : state.placements[state.program.task(task).placement]) {
    if (!fits(state, task, candidate)) continue;
    Duration longest;
    for (const DeviceId device : candidate.devices) {
      longest = std::max(longest, task_duration(state.program, state.machine, task,
                                                candidate.alternative, device, WhichCost::kExpected)
                                      .value_or(Duration(0)));
    }
    fresh.candidates.push_back(candidate);
    fresh.durations.push_back(longest);
    sum += longest.count();
  }
  if (!fresh.candidates.empty()) {
    fresh.mean = Duration(sum / static_cast<std::int64_t>(fresh.candidates.size()));
  }
  state.classes.push_back(std::move(fresh));
  const auto index = static_cast<std::uint32_t>(state.classes.size() - 1);
  state.classes_by_hash.emplace(hash, index);
  return index;
}

}  // namespace parley::core
