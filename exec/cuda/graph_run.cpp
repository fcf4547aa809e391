#include "exec/cuda/graph_run.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <utility>

#include "exec/backend.h"
#include "exec/cuda/strided_copy.h"

namespace parley::exec::cuda {
namespace {

bool same(const core::OperandBinding& a, const core::OperandBinding& b) {
  return a.space == b.space && a.offset == b.offset && a.is_home_view == b.is_home_view;
}

bool same(const StoredPart& a, const StoredPart& b) {
  return a.source_offset == b.source_offset && a.target_offset == b.target_offset &&
         a.run_bytes == b.run_bytes && a.first_dimension == b.first_dimension &&
         a.dimension_count == b.dimension_count;
}

bool same(const core::CopyDimension& a, const core::CopyDimension& b) {
  return a.count == b.count && a.source_stride == b.source_stride &&
         a.target_stride == b.target_stride;
}

template <class T>
bool all_same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::ranges::equal(a, b, [](const T& x, const T& y) { return same(x, y); });
}

/// " (tasks a, b, ...)", or nothing where only copies are among them.
std::string named_tasks(const std::vector<StoredCommand>& batch, const TaskLauncher& launcher) {
  constexpr std::size_t kMost = 5;
  std::string names;
  std::size_t count = 0;
  for (const StoredCommand& command : batch) {
    if (command.is_copy || ++count > kMost) continue;
    names += (count > 1 ? ", " : "") + std::string(launcher.program().task_name(command.task));
  }
  if (count == 0) return "";
  if (count > kMost) names += " and " + std::to_string(count - kMost) + " more";
  return " (task" + std::string(count > 1 ? "s " : " ") + names + ")";
}

/// Whether two commands do the same work on the same bytes in the same order.
bool is_same(const StoredCommand& a, const StoredCommand& b) {
  return a.id == b.id && a.is_copy == b.is_copy && a.task == b.task && a.after == b.after &&
         a.from == b.from && a.to == b.to && a.alternative == b.alternative &&
         a.devices == b.devices && a.scratch_offsets == b.scratch_offsets &&
         all_same(a.parts, b.parts) && all_same(a.dimensions, b.dimensions) &&
         all_same(a.operands, b.operands);
}

}  // namespace

/// A command of the host within a graph.
struct GraphRun::HostCall {
  const HostPerformer* performer;
  const StoredCommand* command;
  std::string failure;

  static void perform(void* data) {
    auto& call = *static_cast<HostCall*>(data);
    try {
      call.performer->perform(*call.command);
    } catch (const std::exception& thrown) {
      call.failure = thrown.what();
    } catch (...) {
      call.failure = kThrewAnything;
    }
  }
};

GraphRun::GraphRun(std::vector<std::unique_ptr<GpuStreams>>& gpus, CudaSlabs& slabs)
    : gpus_(gpus), slabs_(slabs) {}

GraphRun::~GraphRun() {
  forget();
  for (const std::vector<cudaEvent_t>& events : events_) {
    for (cudaEvent_t event : events) check_released(cudaEventDestroy(event), "an event");
  }
}

void GraphRun::forget() {
  drop_from(0);
  host_calls_.clear();
  next_ = 0;
}

void GraphRun::drop_from(std::size_t first) {
  for (std::size_t i = first; i < captured_.size(); ++i) {
    if (captured_[i]->graph == nullptr) continue;
    check_released(cudaGraphExecDestroy(captured_[i]->graph), "a graph");
  }
  captured_.resize(first);
}

void GraphRun::abandon() {
  for (std::unique_ptr<Captured>& captured : captured_) (void)captured.release();
  for (std::unique_ptr<HostCall>& call : host_calls_) (void)call.release();
  captured_.clear();
  host_calls_.clear();
  events_.clear();
}

GraphRun::Outcome GraphRun::perform(std::vector<StoredCommand>&& batch,
                                    const TaskLauncher& launcher, const HostPerformer& host) {
  const bool is_known =
      next_ < captured_.size() && std::ranges::equal(captured_[next_]->batch, batch, is_same);
  if (!is_known) {
    drop_from(next_);
    auto captured = std::make_unique<Captured>();
    captured->batch = std::move(batch);
    pin_host_memory(captured->batch, launcher);
    capture(*captured, launcher, host);
    captured_.push_back(std::move(captured));
  }
  const Captured& captured = *captured_[next_++];
  check_cuda(cudaSetDevice(gpus_.front()->ordinal()), "choosing the first GPU");
  const cudaStream_t stream = gpus_.front()->stream(0);
  check_cuda(cudaStreamSynchronize(stream), "waiting for the GPU");
  for (const std::unique_ptr<HostCall>& call : host_calls_) call->failure.clear();
  const auto start = std::chrono::steady_clock::now();
  check_cuda(cudaGraphLaunch(captured.graph, stream), "launching the graph");
  const cudaError_t status = cudaStreamSynchronize(stream);
  const auto end = std::chrono::steady_clock::now();
  Outcome outcome;
  outcome.commands = &captured.batch;
  outcome.duration =
      core::Duration(std::chrono::duration_cast<std::chrono::nanoseconds>(end - start).count());
  if (status != cudaSuccess) {
    outcome.failure = text_of(status) + ", by one of the " + std::to_string(captured.batch.size()) +
                      " commands of a CUDA graph" + named_tasks(captured.batch, launcher) +
                      "; without --graph it is known which";
  }
  for (const std::unique_ptr<HostCall>& call : host_calls_) {
    if (call->failure.empty()) continue;
    if (outcome.failure) {  // perhaps as it read what that left half done
      const core::TaskId task = call->command->task;
      *outcome.failure += "; before it " +
                          (task.is_none() ? std::string("a copy of the host")
                                          : std::string(launcher.program().task_name(task))) +
                          " failed: " + call->failure;
    } else {
      outcome.of_host.push_back({call->command->id, call->failure});
    }
  }
  return outcome;
}

/// Nothing may be pinned while a capture is under way.
void GraphRun::pin_host_memory(const std::vector<StoredCommand>& batch,
                               const TaskLauncher& launcher) {
  for (const StoredCommand& command : batch) {
    if (command.devices.size() > 1) launcher.pin_host_operands(command);
    for (const StoredPart& part : command.parts) {
      const auto pin = [&](core::SpaceId space, std::int64_t offset, auto stride_of) {
        if (!slabs_.is_host(space)) return;
        std::int64_t bytes = part.run_bytes;
        for (std::uint32_t i = 0; i < part.dimension_count; ++i) {
          const core::CopyDimension& dimension = command.dimensions[part.first_dimension + i];
          bytes += (dimension.count - 1) * stride_of(dimension);
        }
        slabs_.pin(offset, bytes);
      };
      pin(command.from, part.source_offset, [](const auto& d) { return d.source_stride; });
      pin(command.to, part.target_offset, [](const auto& d) { return d.target_stride; });
    }
  }
}

// ---- capturing ----

cudaEvent_t GraphRun::take_event(std::size_t gpu) {
  if (used_events_[gpu] == events_[gpu].size()) {
    check_cuda(cudaSetDevice(gpus_[gpu]->ordinal()), "choosing a GPU");
    cudaEvent_t event = nullptr;
    check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
    events_[gpu].push_back(event);
  }
  return events_[gpu][used_events_[gpu]++];
}

const GraphRun::Place* GraphRun::place_of(core::CommandId id) const {
  if (id.index() < first_id_) return nullptr;  // of an earlier graph, which has ended
  return &places_[id.index() - first_id_];
}

/// Behind the command that it waits for, where that is the last of its stream; else in turn.
GraphRun::Place GraphRun::choose_place(const StoredCommand& command, const TaskLauncher& launcher) {
  Place place;
  std::uint32_t first = 0;
  std::uint32_t count = 1;
  if (command.is_copy) {
    const int from = slabs_.gpu_of(command.from);
    const int to = slabs_.gpu_of(command.to);
    place.gpu = static_cast<std::size_t>(std::max(0, from >= 0 ? from : to));
    const core::SpaceId other = from >= 0 ? command.to : command.from;
    first = gpus_[place.gpu]->copy_stream(other.index(), from >= 0);
  } else {
    place.gpu = static_cast<std::size_t>(std::max(0, launcher.gpu_of(command)));
    count = gpus_[place.gpu]->compute_streams();
    if (!launcher.runs_on_host(command) && launcher.is_of_panel(command)) first = count;
  }
  for (const core::CommandId id : command.after) {
    const Place* earlier = place_of(id);
    if (earlier == nullptr || earlier->gpu != place.gpu) continue;
    if (earlier->stream < first || earlier->stream >= first + count) continue;
    if (earlier->position == positions_[place.gpu][earlier->stream]) {
      place.stream = earlier->stream;
      return place;
    }
  }
  place.stream = first + turn_++ % count;
  return place;
}

/// The stream, made part of the capture.
cudaStream_t GraphRun::join(const Place& place) {
  check_cuda(cudaSetDevice(gpus_[place.gpu]->ordinal()), "choosing a GPU");
  const cudaStream_t stream = gpus_[place.gpu]->stream(place.stream);
  char& is_joined = is_joined_[place.gpu][place.stream];
  if (std::exchange(is_joined, 1) == 0) {
    check_cuda(cudaStreamWaitEvent(stream, fork_, 0), "joining a capture");
  }
  return stream;
}

void GraphRun::capture_command(StoredCommand& command, const TaskLauncher& launcher,
                               const HostPerformer& host) {
  Place place = choose_place(command, launcher);
  const cudaStream_t stream = join(place);
  for (const core::CommandId id : command.after) {
    const Place* earlier = place_of(id);
    if (earlier == nullptr) continue;
    if (earlier->gpu == place.gpu && earlier->stream == place.stream) continue;
    check_cuda(cudaStreamWaitEvent(stream, earlier->ended, 0), "waiting within a capture");
  }
  const bool is_of_host = command.is_copy
                              ? slabs_.is_host(command.from) && slabs_.is_host(command.to)
                              : launcher.runs_on_host(command);
  if (is_of_host) {
    host_calls_.push_back(std::make_unique<HostCall>(HostCall{&host, &command, {}}));
    check_cuda(cudaLaunchHostFunc(stream, HostCall::perform, host_calls_.back().get()),
               "capturing a task of the host");
  } else if (command.is_copy) {
    enqueue_copy(command, slabs_, stream,
                 way_of_copying(command, slabs_, gpus_[place.gpu]->reaches_peers()));
  } else {
    launcher.launch(command, gpus_[place.gpu]->context(place.stream));
  }
  place.ended = take_event(place.gpu);
  check_cuda(cudaEventRecord(place.ended, stream), "recording within a capture");
  place.position = ++positions_[place.gpu][place.stream];
  const std::size_t index = command.id.index() - first_id_;
  if (places_.size() <= index) places_.resize(index + 1);
  places_[index] = place;
}

void GraphRun::capture(Captured& captured, const TaskLauncher& launcher,
                       const HostPerformer& host) {
  events_.resize(gpus_.size());
  used_events_.assign(gpus_.size(), 0);
  positions_.clear();
  is_joined_.clear();
  for (const std::unique_ptr<GpuStreams>& gpu : gpus_) {
    positions_.emplace_back(gpu->stream_count(), 0);
    is_joined_.emplace_back(gpu->stream_count(), 0);
  }
  places_.clear();
  first_id_ =
      captured.batch.empty() ? 0 : static_cast<std::uint32_t>(captured.batch.front().id.index());
  check_cuda(cudaSetDevice(gpus_.front()->ordinal()), "choosing the first GPU");
  const cudaStream_t origin = gpus_.front()->stream(0);
  fork_ = take_event(0);
  check_cuda(cudaStreamBeginCapture(origin, cudaStreamCaptureModeRelaxed), "beginning a capture");
  cudaGraph_t graph = nullptr;
  try {
    check_cuda(cudaEventRecord(fork_, origin), "recording within a capture");
    is_joined_[0][0] = 1;
    for (StoredCommand& command : captured.batch) capture_command(command, launcher, host);
    for (std::size_t gpu = 0; gpu < gpus_.size(); ++gpu) {
      for (std::uint32_t i = 0; i < gpus_[gpu]->stream_count(); ++i) {
        if (is_joined_[gpu][i] == 0 || (gpu == 0 && i == 0)) continue;
        const cudaEvent_t ended = take_event(gpu);
        check_cuda(cudaSetDevice(gpus_[gpu]->ordinal()), "choosing a GPU");
        check_cuda(cudaEventRecord(ended, gpus_[gpu]->stream(i)), "ending a capture");
        check_cuda(cudaStreamWaitEvent(origin, ended, 0), "ending a capture");
      }
    }
  } catch (...) {
    // Refused, too, where a command has made the capture invalid; what was thrown says why.
    (void)cudaStreamEndCapture(origin, &graph);
    (void)cudaGetLastError();
    if (graph != nullptr) check_released(cudaGraphDestroy(graph), "a captured graph");
    throw;
  }
  check_cuda(cudaStreamEndCapture(origin, &graph), "ending a capture");
  const cudaError_t status = cudaGraphInstantiate(&captured.graph, graph, 0);
  check_released(cudaGraphDestroy(graph), "a captured graph");
  check_cuda(status, "instantiating the graph");
  check_cuda(cudaSetDevice(gpus_.front()->ordinal()), "choosing the first GPU");
  check_cuda(cudaGraphUpload(captured.graph, origin), "uploading the graph");
}

}  // namespace parley::exec::cuda
