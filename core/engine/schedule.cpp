// From ready tasks to issued ones: the mapper chooses, the order sorts, the window limits how far
// commands are issued ahead of completion.
#include <algorithm>
#include <limits>
#include <string>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/engine/mutation.h"

namespace parley::core {
namespace {

/// Larger keys first; ties by submission order.
bool heap_before(const Ranked& a, const Ranked& b) {
  return a.key != b.key ? a.key < b.key : a.task > b.task;
}

void push(std::vector<Ranked>& heap, const Ranked& task) {
  heap.push_back(task);
  std::push_heap(heap.begin(), heap.end(), heap_before);
}

Ranked pop(std::vector<Ranked>& heap) {
  std::pop_heap(heap.begin(), heap.end(), heap_before);
  const Ranked first = heap.back();
  heap.pop_back();
  return first;
}

void wake(EngineState& state, DeviceId device) {
  if (state.is_awake[device] != 0) return;
  state.is_awake[device] = 1;
  state.awake.push_back(device);
}

void wake_held(EngineState& state, TaskId issued) {
  const auto held = state.held.find(static_cast<std::uint32_t>(issued.index()));
  if (held == state.held.end()) return;
  for (const DeviceId device : held->second) wake(state, device);
  state.held.erase(held);
}

/// Expected work of a task on one slot of a device.
Duration share_of(const EngineState& state, TaskId task, DeviceId device) {
  const TaskState& task_state = state.tasks[task];
  const Candidate& candidate = state.candidate_of(task);
  const std::int64_t vcus =
      state.program.placement(state.program.task(task).placement)[candidate.alternative].milli_vcus;
  const std::int64_t slots = std::int64_t{1000} * state.machine.device(device).slots;
  const Duration duration = state.classes[task_state.task_class].durations[task_state.candidate];
  if (vcus == slots) return duration;  // mostly so, and division takes long
  return Duration(duration.count() * vcus / slots);
}

void make_ready_if_possible(EngineState& state, TaskId task) {
  TaskState& task_state = state.tasks[task];
  if (task_state.phase != TaskPhase::kWaiting || task_state.pending != 0 ||
      !task_state.is_released) {
    return;
  }
  task_state.phase = TaskPhase::kReady;
  state.unsorted.push_back(task);
}

/// Asks the order policy for the keys of tasks that became ready. Not done at once: all events of
/// an instant come first, among them that submission is closed, which makes bottom levels known.
void sort_ready(EngineState& state) {
  for (const TaskId task : state.unsorted) {
    const std::int64_t key = state.program.task(task).kind == TaskKind::kEvict
                                 ? std::numeric_limits<std::int64_t>::max()
                                 : state.policies.order->key(state.view, task, DeviceId::none());
    push(state.ready, {key, task});
  }
  state.unsorted.clear();
}

void enqueue(EngineState& state, const Ranked& ranked) {
  const TaskId task = ranked.task;
  TaskState& task_state = state.tasks[task];
  const Candidate& candidate = state.candidate_of(task);
  task_state.phase = TaskPhase::kQueued;
  ++state.mapped_tasks;
  for (const DeviceId id : candidate.devices) {
    DeviceState& device = state.devices[id];
    const Duration share = share_of(state, task, id);
    ++device.queued;
    device.backlog += share;
    device.queued_backlog += share;
  }
  plan_presence(state, task, true);
  // A group waits in the queue of its first device.
  const DeviceId first = candidate.devices.front();
  if (!state.policies.order->is_dynamic()) {
    push(state.devices[first].queue, {state.policies.order->key(state.view, task, first), task});
  } else {
    state.devices[first].queue.push_back(ranked);
  }
  wake(state, first);
}

void dequeue_accounts(EngineState& state, TaskId task) {
  --state.mapped_tasks;
  for (const DeviceId id : state.candidate_of(task).devices) {
    DeviceState& device = state.devices[id];
    const Duration share = share_of(state, task, id);
    --device.queued;
    device.backlog -= share;
    device.queued_backlog -= share;
  }
  plan_presence(state, task, false);
}

void map_task(EngineState& state, const Ranked& ranked) {
  const TaskId task = ranked.task;
  TaskState& task_state = state.tasks[task];
  for (const Access& access : state.program.accesses(task)) state.directory.activate(access.region);
  MapChoice choice = state.policies.mapper->choose(state.view, task);
  if (choice.is_deferred) {
    state.deferred.push_back(ranked);
    return;
  }
  PARLEY_CHECK(choice.candidate < state.classes[task_state.task_class].candidates.size(),
               "the mapper chose candidate " + std::to_string(choice.candidate) + " of " +
                   std::to_string(state.classes[task_state.task_class].candidates.size()));
  task_state.candidate = static_cast<std::uint16_t>(choice.candidate);
  if (!choice.victims.empty()) {
    state.told_victims[static_cast<std::uint32_t>(task.index())] = std::move(choice.victims);
  }
  enqueue(state, ranked);
  state.requests.clear();
  state.policies.prefetcher->on_mapped(state.view, task, state.requests);
  prefetch(state, task);
}

bool has_room(const EngineState& state, DeviceId device) {
  return state.options.window == 0 || state.devices[device].issued < state.options.window ||
         mutation_is_on(Mutation::kWindowOverrun);
}

/// Whether the task may not be issued now since it is to be observed alone.
bool must_wait_to_be_observed(EngineState& state, TaskId task) {
  if (!state.options.pauses_at_shown || !is_observed(state.program, task)) return false;
  state.is_paused = true;  // in either case: before it, or after it
  return state.commands.unfinished() != 0;
}

/// The position in the queue of the task to issue next. Requires a task in the queue.
std::size_t choose_next(EngineState& state, DeviceId id) {
  if (!state.policies.order->is_dynamic()) return 0;
  const std::span<const TaskId> queue = listed_queue(state.devices[id]);
  const std::size_t choice = state.policies.order->pick(state.view, id, queue);
  PARLEY_CHECK(choice < queue.size(), "the order picked no task of the queue");
  return choice;
}

/// Issues a task of the device's queue, if the windows of all its devices have room: of a group's
/// first device and of its others. What a full device has issued ends without further decisions,
/// so that a group that waits here waits for ever only if a command does.
bool issue_next(EngineState& state, DeviceId id) {
  std::vector<Ranked>& queue = state.devices[id].queue;
  const std::size_t choice = choose_next(state, id);
  const TaskId task = queue[choice].task;
  if (const TaskId first = state.policies.order->held_until(state.view, task); !first.is_none()) {
    state.held[static_cast<std::uint32_t>(first.index())].push_back(id);
    return false;
  }
  for (const DeviceId member : state.candidate_of(task).devices) {
    if (has_room(state, member)) continue;
    state.blocked.push_back(id);
    return false;
  }
  if (must_wait_to_be_observed(state, task)) {
    wake(state, id);
    return false;
  }
  if (state.policies.order->is_dynamic()) {
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(choice));
  } else {
    pop(queue);
  }
  issue_task(state, task);
  state.requests.clear();
  state.policies.prefetcher->on_issued(state.view, task, state.requests);
  prefetch(state, task);
  return true;
}

/// One task for every device that has room and something queued, in order of devices.
bool issue_round(EngineState& state) {
  std::vector<DeviceId>& devices = state.roused;
  devices.clear();
  devices.swap(state.awake);
  std::sort(devices.begin(), devices.end());
  bool has_issued = false;
  for (const DeviceId device : devices) {
    if (state.is_paused) {  // as if it had not been asked
      state.awake.push_back(device);
      continue;
    }
    state.is_awake[device] = 0;
    if (state.devices[device].queue.empty() || !has_room(state, device)) continue;
    if (!issue_next(state, device)) continue;
    has_issued = true;
    if (!state.devices[device].queue.empty() && has_room(state, device)) wake(state, device);
  }
  return has_issued;
}

bool steal_round(EngineState& state) {
  bool has_stolen = false;
  for (std::size_t d = 0; d < state.devices.size(); ++d) {
    const DeviceId id(d);
    if (state.devices[id].issued != 0 || state.devices[id].queued != 0) continue;
    const auto task = state.policies.mapper->steal(state.view, id);
    if (!task) continue;
    PARLEY_CHECK(state.tasks[*task].phase == TaskPhase::kQueued, "stolen task is not queued");
    std::vector<Ranked>& queue = state.devices[state.candidate_of(*task).devices.front()].queue;
    const auto stolen = std::ranges::find(queue, *task, &Ranked::task);
    PARLEY_CHECK(stolen != queue.end(), "stolen task is in no queue");
    const Ranked ranked = *stolen;
    queue.erase(stolen);
    std::make_heap(queue.begin(), queue.end(), heap_before);
    dequeue_accounts(state, *task);
    state.tasks[*task].phase = TaskPhase::kReady;
    map_task(state, ranked);
    // A mapper that sends the task back has stolen nothing; asking it again would not end.
    if (state.devices[id].queued != 0) has_stolen = true;
  }
  return has_stolen;
}

/// Maps all that is ready; evictions on request are carried out at once.
void map_ready(EngineState& state) {
  for (sort_ready(state); !state.ready.empty() && !state.is_paused; sort_ready(state)) {
    const Ranked first = pop(state.ready);
    const TaskId task = first.task;
    if (state.program.task(task).kind != TaskKind::kEvict) {
      map_task(state, first);
    } else if (must_wait_to_be_observed(state, task)) {
      push(state.ready, first);
    } else {
      issue_task(state, task);
    }
  }
}

void finish_if_done(EngineState& state) {
  if (!state.is_closed || state.is_finished || state.issued_tasks < state.tasks.size()) return;
  bring_all_home(state);
  if (state.finished_tasks < state.tasks.size() || state.commands.unfinished() != 0) return;
  state.is_finished = true;
  state.output.emplace_back(Finish{});
}

}  // namespace

bool is_observed(const Program& program, TaskId task) {
  if (!program.task(task).has_extras) return false;
  const TaskExtras& extras = program.extras(task);
  return !extras.expect.empty() || std::ranges::any_of(extras.show, [](const Show& show) {
    return show.values != Show::Values::kNone;
  });
}

std::span<const TaskId> listed_queue(const DeviceState& device) {
  device.listed.clear();
  for (const Ranked& ranked : device.queue) device.listed.push_back(ranked.task);
  return device.listed;
}

void list_successors(EngineState& state, TaskId end) {
  Successors& successors = state.successors;
  std::vector<std::uint32_t> count(end.index());
  std::size_t total = 0;
  for (std::size_t t = 0; t < end.index(); ++t) {
    for (const TaskId on : state.program.dependencies(TaskId(t))) {
      if (on >= end) continue;
      ++count[on.index()];
      ++total;
    }
  }
  successors.first.resize(end.index() + 1);
  std::uint32_t position = 0;
  for (std::size_t t = 0; t < end.index(); ++t) {
    position += count[t];
    successors.first[TaskId(t)] = position;
  }
  successors.first[end] = position;
  successors.tasks.resize(total);
  for (std::size_t t = 0; t < end.index(); ++t) {
    for (const TaskId on : state.program.dependencies(TaskId(t))) {
      if (on < end) successors.tasks[--successors.first[on]] = TaskId(t);
    }
  }
}

void on_task_submitted(EngineState& state, TaskId task) {
  TaskState& task_state = state.tasks[task];
  task_state.phase = TaskPhase::kWaiting;
  task_state.is_released = state.program.task(task).release <= state.now;
  for (const TaskId on : state.program.dependencies(task)) {
    if (on.index() >= state.tasks.size()) {
      // Explicit programs may name tasks to come; their states are made now.
      state.tasks.resize(on.index() + 1);
    }
    TaskState& before = state.tasks[on];
    if (before.phase == TaskPhase::kIssued || before.phase == TaskPhase::kFinished) continue;
    ++state.tasks[task].pending;
    if (task.index() + 1 < state.successors.first.size() &&
        on.index() + 1 < state.successors.first.size()) {
      continue;  // listed already
    }
    state.edges.push_back({task, before.first_edge});
    before.first_edge = static_cast<std::uint32_t>(state.edges.size() - 1);
  }
  if (state.any_returns_home) {
    for (const Access& access : state.program.accesses(task)) {
      ++state.open_accesses[state.program.region(access.region).array];
    }
  }
  make_ready_if_possible(state, task);
}

void on_task_released(EngineState& state, TaskId task) {
  PARLEY_CHECK(task.index() < state.tasks.size(), "a released task was not submitted");
  state.tasks[task].is_released = true;
  make_ready_if_possible(state, task);
}

void on_task_issued(EngineState& state, TaskId task) {
  TaskState& task_state = state.tasks[task];
  ++state.issued_tasks;
  ++state.statistics.tasks_issued;
  if (!state.held.empty()) wake_held(state, task);
  if (task_state.phase == TaskPhase::kQueued) {
    task_state.phase = TaskPhase::kIssued;
    for (const DeviceId id : state.candidate_of(task).devices) {
      DeviceState& device = state.devices[id];
      --device.queued;
      ++device.issued;
      device.queued_backlog -= share_of(state, task, id);
    }
    plan_presence(state, task, false);
  }
  const auto allow = [&](TaskId next) {
    --state.tasks[next].pending;
    make_ready_if_possible(state, next);
  };
  for (std::uint32_t e = task_state.first_edge; e != 0xffffffffU; e = state.edges[e].next) {
    allow(state.edges[e].to);
  }
  if (task.index() + 1 >= state.successors.first.size()) return;
  const std::uint32_t end = state.successors.first[TaskId(task.index() + 1)];
  for (std::uint32_t s = state.successors.first[task]; s < end; ++s) {
    allow(state.successors.tasks[s]);
  }
}

void on_task_finished(EngineState& state, TaskId task) {
  TaskState& task_state = state.tasks[task];
  PARLEY_CHECK(task_state.phase == TaskPhase::kIssued, "a task finished that was not issued");
  task_state.phase = TaskPhase::kFinished;
  ++state.finished_tasks;
  ++state.statistics.tasks_finished;
  --state.mapped_tasks;
  for (const DeviceId id : state.candidate_of(task).devices) {
    DeviceState& device = state.devices[id];
    --device.issued;
    device.backlog -= share_of(state, task, id);
    // What is issued fills the gaps that were expected when it was: a device serves what may start.
    device.issued_free = state.now + (device.backlog - device.queued_backlog);
    wake(state, id);
  }
  for (const DeviceId first : state.blocked) wake(state, first);
  state.blocked.clear();
  state.policies.mapper->on_finished(state.view, task);
}

void decide(EngineState& state) {
  if (state.has_failed) return;
  if (state.is_paused && state.commands.unfinished() != 0) return;
  state.is_paused = false;
  if (state.policies.mapper->is_static()) {
    if (!state.is_closed) return;
    if (!state.is_planned) state.policies.mapper->plan(state.view);
    state.is_planned = true;
  }
  for (const Ranked& task : state.deferred) push(state.ready, task);
  state.deferred.clear();
  for (;;) {
    map_ready(state);
    if (state.is_paused) return;
    if (issue_round(state)) continue;
    if (state.is_paused) return;
    if (state.policies.mapper->can_steal() && state.mapped_tasks > 0 && steal_round(state))
      continue;
    break;
  }
  if (state.options.writes_back_early) write_back_early(state);
  finish_if_done(state);
}

}  // namespace parley::core
