#include "core/engine/engine.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

template <class T>
void take(Result<std::unique_ptr<T>> made, std::unique_ptr<T>& place, Faults& faults) {
  if (made) {
    place = std::move(*made);
  } else {
    faults.insert(faults.end(), made.faults().begin(), made.faults().end());
  }
}

PolicySet make_policies(const EngineOptions& options, const PolicyRegistry& registry,
                        Faults& faults) {
  PolicySet set;
  take(registry.mapper(options.mapper, options.seed), set.mapper, faults);
  take(registry.order(options.order, options.seed), set.order, faults);
  take(registry.prefetcher(options.prefetch, options.seed), set.prefetcher, faults);
  take(registry.evictor(options.evict, options.seed), set.evictor, faults);
  take(registry.source(options.source, options.seed), set.source, faults);
  return set;
}

/// Policies that follow a plan, when there is none, or none that tells of copies.
void check_plan_is_there(const EngineOptions& options, const PolicyRegistry& registry,
                         Faults& faults) {
  const std::pair<PolicyKind, const std::string&> chosen[] = {
      {PolicyKind::kMapper, options.mapper},
      {PolicyKind::kOrder, options.order},
      {PolicyKind::kPrefetcher, options.prefetch},
      {PolicyKind::kEvictor, options.evict},
      {PolicyKind::kSource, options.source}};
  for (const auto& [kind, text] : chosen) {
    const PolicyInfo* info = registry.info(kind, text);
    if (info == nullptr || info->plan_use == PlanUse::kNone) continue;
    const std::string where = std::string(name_of(kind)) + " " + text;
    if (options.plan == nullptr) {
      faults.push_back({where, "follows a plan, and none was given (--plan FILE)"});
    } else if (info->plan_use == PlanUse::kCopies && !options.plan->has_copies) {
      faults.push_back({where,
                        "follows a plan's copies, and this plan tells of none (that of a "
                        "journal does)"});
    }
  }
}

/// A mapper of its own mind could put off for ever the task that the plan's order waits for.
void check_order_has_places(const EngineOptions& options, const PolicyRegistry& registry,
                            Faults& faults) {
  const PolicyInfo* order = registry.info(PolicyKind::kOrder, options.order);
  const PolicyInfo* mapper = registry.info(PolicyKind::kMapper, options.mapper);
  if (order == nullptr || mapper == nullptr) return;
  if (order->plan_use == PlanUse::kNone || mapper->plan_use != PlanUse::kNone) return;
  faults.push_back({"order " + options.order,
                    "follows a plan's order, which needs a mapper that follows its places: fixed"});
}

void finish_command(EngineState& state, CommandId id) {
  PARLEY_CHECK(state.commands.is_given(id) && !state.commands.is_finished(id),
               "an event names command " + std::to_string(id.index()) + ", not in flight");
  const CommandRecord& record = state.commands.record(id);
  const CommandKind kind = record.kind;
  const TaskId task = record.task;
  if (kind == CommandKind::kCopy) --state.spaces[record.target].arriving;
  state.commands.finish(id);
  if (kind == CommandKind::kLaunch) on_task_finished(state, task);
}

void fail_command(EngineState& state, CommandId id) {
  state.has_failed = true;
  for (const CommandId cancelled : state.commands.fail(id)) {
    state.stopped_commands.push_back(cancelled);
  }
}

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

void handle(EngineState& state, const Event& event) {
  std::visit(Overloaded{
                 [&](const TasksSubmitted& e) { admit_tasks(state, e.end); },
                 [&](const SubmissionClosed&) {
                   PARLEY_CHECK(state.submitted == state.program.task_count(),
                                "submission closed with tasks not submitted");
                   state.is_closed = true;
                   state.bottom_levels.clear();
                 },
                 [&](const TaskReleased& e) { on_task_released(state, e.task); },
                 [&](const CopyDone& e) { finish_command(state, e.id); },
                 [&](const TaskDone& e) { finish_command(state, e.id); },
                 [&](const CommandFailed& e) { fail_command(state, e.id); },
             },
             event);
}

}  // namespace

Engine::Engine(std::unique_ptr<EngineState> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::create(const Program& program, const Machine& machine,
                                               const EngineOptions& options) {
  return create(program, machine, options, PolicyRegistry());
}

Result<std::unique_ptr<Engine>> Engine::create(const Program& program, const Machine& machine,
                                               const EngineOptions& options,
                                               const PolicyRegistry& registry) {
  Faults faults;
  auto state = std::make_unique<EngineState>(program, machine, options);
  state->policies = make_policies(options, registry, faults);
  check_plan_is_there(options, registry, faults);
  check_order_has_places(options, registry, faults);
  if (!faults.empty()) return faults;
  faults = set_up(*state);
  if (!faults.empty()) return faults;
  if (options.record_states) {
    for (std::size_t a = 0; a < program.array_count(); ++a) {
      record_states(*state, ArrayId(a), CommandId::none());
    }
  }
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

std::span<const Command> Engine::step(Time now, std::span<const Event> events) {
  EngineState& state = *state_;
  PARLEY_CHECK(now >= state.now, "time runs backwards");
  PARLEY_CHECK(!state.is_finished, "a step after the end");
  state.now = now;
  state.output.clear();
  state.pool.clear();
  ++state.statistics.steps;
  for (const Event& event : events) handle(state, event);
  decide(state);
  if (state.options.check_invariants) core::check_invariants(state);
  return state.output;
}

Faults Engine::check_tasks(TaskId first, TaskId end) const {
  return core::check_tasks(*state_, first, end);
}

bool Engine::is_finished() const { return state_->is_finished; }
const EngineStatistics& Engine::statistics() const { return state_->statistics; }

std::vector<Thrashing> Engine::thrashing() const {
  std::vector<Thrashing> all;
  for (const auto& [key, times] : state_->refetched_times) {
    if (times < Thrashing::kReportedTimes) continue;
    const RegionId region(key >> 32U);
    const Bytes bytes(state_->program.region(region).bytes.count() * times);
    all.push_back({region, SpaceId(key & 0xffffffffU), times, bytes});
  }
  std::sort(all.begin(), all.end(), [](const Thrashing& a, const Thrashing& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes
                              : std::pair(a.region, a.space) < std::pair(b.region, b.space);
  });
  return all;
}

std::vector<InitialReplica> Engine::initial_replicas() const { return state_->initial_replicas; }

SpaceId Engine::home_space(ArrayId array) const { return state_->directory.home_space(array); }

Bytes Engine::home_slot(ArrayId array) const {
  return state_->directory.replica(state_->directory.home(array)).offset;
}

Bytes Engine::allocated_bytes(SpaceId space) const { return state_->spaces[space].arena.used(); }

Bytes Engine::most_allocated_bytes(SpaceId space) const { return state_->spaces[space].peak; }

Bytes Engine::slab_bytes(SpaceId space) const { return state_->spaces[space].arena.capacity(); }

namespace {

/// A replica that holds the piece; after a failure one that was completely written and can be read,
/// or none.
ReplicaId intact_holder(const EngineState& state, PieceId piece) {
  for (const ReplicaId holder : state.directory.piece(piece).holders) {
    if (!state.has_failed) return holder;
    const SpaceId space = state.directory.replica(holder).space;
    if (std::ranges::find(state.lost_spaces, space) != state.lost_spaces.end()) continue;
    const CommandId writer = state.directory.cell(holder, piece).writer;
    if (writer.is_none() || state.commands.is_finished(writer)) return holder;
  }
  return ReplicaId::none();
}

}  // namespace

std::vector<PieceLocation> Engine::locations(ArrayId array) const {
  const Directory& directory = state_->directory;
  std::vector<PieceLocation> places;
  for (const PieceId piece : directory.pieces(state_->program.array(array).whole)) {
    const ReplicaId holder = intact_holder(*state_, piece);
    if (holder.is_none()) continue;
    const Replica& replica = directory.replica(holder);
    for (const Box& box : directory.map().boxes(piece)) {
      places.push_back({box, replica.space, replica.offset, replica.region, replica.is_home});
    }
  }
  return places;
}

const std::vector<Overview>& Engine::overviews() const { return state_->overviews; }
Overview Engine::overview(ArrayId array) const { return overview_of(*state_, array); }
const std::vector<StateChange>& Engine::state_changes() const { return state_->state_changes; }
std::string Engine::stall_report() const { return core::stall_report(*state_); }
void Engine::lose_space(SpaceId space) { state_->lost_spaces.push_back(space); }
std::vector<CommandId> Engine::cancelled() const { return state_->stopped_commands; }

std::vector<LostPiece> Engine::lost_pieces() const {
  const Directory& directory = state_->directory;
  std::vector<LostPiece> lost;
  for (std::size_t p = 0; p < directory.piece_count(); ++p) {
    const PieceId piece(p);
    if (directory.piece(piece).holders.empty()) continue;
    if (!intact_holder(*state_, piece).is_none()) continue;
    for (const Box& box : directory.map().boxes(piece)) {
      lost.push_back({directory.map().array(piece), box});
    }
  }
  return lost;
}

std::string Engine::mapping_reason(TaskId task) const {
  return state_->policies.mapper->reason(state_->view, task);
}

void Engine::check_invariants() const { core::check_invariants(*state_); }

}  // namespace parley::core
