// CUDA-graph mode: the commands of a step are captured into one graph, which is launched as a
// whole. The same commands again, in a later run, replay the graph that was captured for them.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/units.h"
#include "exec/cuda/cuda_slabs.h"
#include "exec/cuda/gpu_streams.h"
#include "exec/cuda/task_launcher.h"
#include "exec/driver/stored_command.h"
#include "exec/host/host_performer.h"

namespace parley::exec::cuda {

class GraphRun {
 public:
  GraphRun(std::vector<std::unique_ptr<GpuStreams>>& gpus, CudaSlabs& slabs);
  ~GraphRun();
  GraphRun(const GraphRun&) = delete;
  GraphRun& operator=(const GraphRun&) = delete;

  /// Another program or other memory: what was captured is void.
  void forget();
  /// Leaves graphs, and what they may still call, to the process's end: a GPU is gone.
  void abandon();
  /// From the first batch again.
  void rewind() { next_ = 0; }

  struct HostFailure {
    core::CommandId command;
    std::string cause;
  };
  struct Outcome {
    core::Duration duration;                     // of the graph, from its launch to its end
    const std::vector<StoredCommand>* commands;  // of the graph; until the next call
    std::optional<std::string> failure;          // of a GPU: no command is known to be done
    std::vector<HostFailure> of_host;  // without one of a GPU; what follows none of these was done
  };
  /// Captures `batch`, unless it is what was captured at this place of an earlier run, launches it
  /// and waits for its end. Throws EnvironmentFailure when capturing fails.
  Outcome perform(std::vector<StoredCommand>&& batch, const TaskLauncher& launcher,
                  const HostPerformer& host);

 private:
  struct Captured {
    std::vector<StoredCommand> batch;
    cudaGraphExec_t graph = nullptr;
  };
  /// On which stream a command of the batch being captured is.
  struct Place {
    std::size_t gpu = 0;
    std::uint32_t stream = 0;
    std::uint64_t position = 0;
    cudaEvent_t ended = nullptr;
  };
  struct HostCall;

  void drop_from(std::size_t first);
  void capture(Captured& captured, const TaskLauncher& launcher, const HostPerformer& host);
  void capture_command(StoredCommand& command, const TaskLauncher& launcher,
                       const HostPerformer& host);
  Place choose_place(const StoredCommand& command, const TaskLauncher& launcher);
  cudaStream_t join(const Place& place);
  [[nodiscard]] const Place* place_of(core::CommandId id) const;
  cudaEvent_t take_event(std::size_t gpu);
  void pin_host_memory(const std::vector<StoredCommand>& batch, const TaskLauncher& launcher);

  std::vector<std::unique_ptr<GpuStreams>>& gpus_;
  CudaSlabs& slabs_;
  std::vector<std::unique_ptr<Captured>> captured_;  // in order; addresses stay
  std::size_t next_ = 0;

  // of the capture under way
  std::uint32_t first_id_ = 0;
  std::vector<Place> places_;                          // by id from first_id_ on
  std::vector<std::vector<std::uint64_t>> positions_;  // by GPU, stream: commands on it
  std::vector<std::vector<char>> is_joined_;
  std::uint32_t turn_ = 0;
  cudaEvent_t fork_ = nullptr;
  std::vector<std::vector<cudaEvent_t>> events_;  // by GPU; those before used_events_ are taken
  std::vector<std::size_t> used_events_;
  std::vector<std::unique_ptr<HostCall>> host_calls_;
};

}  // namespace parley::exec::cuda
