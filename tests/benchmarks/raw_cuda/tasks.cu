// The cost of a task: launches of an empty kernel, with events, by hand in a wavefront, in a graph.
#include "tests/benchmarks/raw_cuda/measure.h"

namespace raw {
namespace {

__global__ void empty_kernel() {}

constexpr int kTasks = 30000;

void measure_launches() {
  const Streams streams(1, 4);
  const Events events(0, kTasks);
  CHECK(cudaSetDevice(0));
  const cudaStream_t stream = streams.of[0][0];
  const double launch = time_of(5, [&] {
    for (int i = 0; i < kTasks; ++i) empty_kernel<<<1, 1, 0, stream>>>();
    CHECK(cudaStreamSynchronize(stream));
  });
  emit("task_chain", 1, 1e6 * launch / kTasks, "us");
  const double with_event = time_of(5, [&] {
    for (int i = 0; i < kTasks; ++i) {
      empty_kernel<<<1, 1, 0, stream>>>();
      CHECK(cudaEventRecord(events.all[i], stream));
    }
    CHECK(cudaStreamSynchronize(stream));
  });
  emit("task_chain_event", 1, 1e6 * with_event / kTasks, "us");
  const double own_datum = time_of(5, [&] {
    for (int i = 0; i < kTasks; ++i) {
      const cudaStream_t own = streams.of[0][i % 4];
      empty_kernel<<<1, 1, 0, own>>>();
      CHECK(cudaEventRecord(events.all[i], own));
    }
    CHECK(cudaDeviceSynchronize());
  });
  emit("task_own_datum", 1, 1e6 * own_datum / kTasks, "us");
}

/// Row i runs on GPU i % gpus and stream (i / gpus) % 4; (i, j) follows (i - 1, j) and (i, j - 1).
void measure_wavefront(int gpus) {
  constexpr int kEdge = 173;  // 29,929 tasks
  const Streams streams(gpus, 4);
  std::vector<std::unique_ptr<Events>> events;
  for (int row = 0; row < kEdge; ++row) {
    events.push_back(std::make_unique<Events>(row % gpus, kEdge));
  }
  const double seconds = time_of(5, [&] {
    for (int diagonal = 0; diagonal < 2 * kEdge - 1; ++diagonal) {
      for (int row = std::max(0, diagonal - kEdge + 1); row <= std::min(diagonal, kEdge - 1);
           ++row) {
        const int column = diagonal - row;
        const int gpu = row % gpus;
        const cudaStream_t stream = streams.of[gpu][row / gpus % 4];
        CHECK(cudaSetDevice(gpu));
        if (row > 0) CHECK(cudaStreamWaitEvent(stream, events[row - 1]->all[column], 0));
        empty_kernel<<<1, 1, 0, stream>>>();
        CHECK(cudaEventRecord(events[row]->all[column], stream));
      }
    }
    synchronize(gpus);
  });
  emit("task_wavefront", gpus, 1e6 * seconds / (kEdge * kEdge), "us");
}

void measure_graph() {
  constexpr int kNodes = 5000, kLaunches = 6;
  const Streams streams(1, 1);
  const cudaStream_t stream = streams.of[0][0];
  CHECK(cudaSetDevice(0));
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  for (int i = 0; i < kNodes; ++i) empty_kernel<<<1, 1, 0, stream>>>();
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = nullptr;
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  const double seconds = time_of(5, [&] {
    for (int i = 0; i < kLaunches; ++i) CHECK(cudaGraphLaunch(executable, stream));
    CHECK(cudaStreamSynchronize(stream));
  });
  emit("graph_chain", 1, 1e6 * seconds / (kNodes * kLaunches), "us");
  CHECK(cudaGraphExecDestroy(executable));
  CHECK(cudaGraphDestroy(graph));
}

}  // namespace

void measure_tasks(int gpus) {
  measure_launches();
  measure_wavefront(1);
  if (gpus > 1) measure_wavefront(2);
  if (gpus > 2) measure_wavefront(gpus);
  measure_graph();
}

}  // namespace raw
