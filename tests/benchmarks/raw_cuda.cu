// What GPUs do without parley, as the measure for what they do with it: the cost of launches,
// events and graph nodes, copies to and fro, memory bandwidth, matrix products. Plain CUDA, one
// host thread.
//
//     bench_raw_cuda [PART...]     parts: tasks copies memory gemm; all by default
//
// Prints one JSON object a line: name, number of GPUs, value, unit; values are medians of
// repetitions.
#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMiB = std::size_t{1} << 20U;

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
  std::exit(1);
}
#define CHECK(call) check(call, #call)

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  std::fprintf(stderr, "%s: %s\n", what, cublasGetStatusString(status));
  std::exit(1);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void emit(const std::string& name, int gpus, double value, const char* unit) {
  std::printf("{\"name\": \"%s\", \"gpus\": %d, \"value\": %.6g, \"unit\": \"%s\"}\n", name.c_str(),
              gpus, value, unit);
  std::fflush(stdout);
}

int gpu_count() {
  int count = 0;
  CHECK(cudaGetDeviceCount(&count));
  return count;
}

void synchronize(int gpus) {
  for (int gpu = 0; gpu < gpus; ++gpu) {
    CHECK(cudaSetDevice(gpu));
    CHECK(cudaDeviceSynchronize());
  }
}

/// Median seconds of `work`, which ends with nothing in flight; the first run is not counted.
double time_of(int repetitions, const std::function<void()>& work) {
  work();
  std::vector<double> seconds;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = Clock::now();
    work();
    seconds.push_back(seconds_since(start));
  }
  return median(seconds);
}

/// Streams of all GPUs, without the implicit order of the default stream.
struct Streams {
  Streams(int gpus, int each) : of(static_cast<std::size_t>(gpus)) {
    for (int gpu = 0; gpu < gpus; ++gpu) {
      CHECK(cudaSetDevice(gpu));
      for (int i = 0; i < each; ++i) {
        of[gpu].emplace_back();
        CHECK(cudaStreamCreateWithFlags(&of[gpu].back(), cudaStreamNonBlocking));
      }
    }
  }
  ~Streams() {
    for (auto& streams : of) {
      for (cudaStream_t stream : streams) cudaStreamDestroy(stream);
    }
  }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
  std::vector<std::vector<cudaStream_t>> of;  // by GPU
};

struct Events {
  Events(int gpu, std::size_t count) : all(count) {
    CHECK(cudaSetDevice(gpu));
    for (cudaEvent_t& event : all) CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  }
  ~Events() {
    for (cudaEvent_t event : all) cudaEventDestroy(event);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  std::vector<cudaEvent_t> all;
};

// ---- the cost of a task ----

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

// ---- copies ----

/// What a coherent runtime's tasks do to a datum at least: look at its version and raise it.
__global__ void raise_version(unsigned* version, unsigned expected, unsigned* faults) {
  if (*version != expected) atomicAdd(faults, 1U);
  *version = expected + 1;
}

struct DeviceBytes {
  DeviceBytes(int gpu, std::size_t bytes) {
    CHECK(cudaSetDevice(gpu));
    CHECK(cudaMalloc(&data, bytes));
    CHECK(cudaMemset(data, 0, bytes));
    CHECK(cudaDeviceSynchronize());
  }
  ~DeviceBytes() { cudaFree(data); }
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;
  void* data = nullptr;
};

std::string sized(const char* name, std::size_t bytes) {
  return std::string(name) + "_" + std::to_string(bytes / kMiB) + "MiB";
}

int rounds_for(std::size_t bytes) { return bytes >= 256 * kMiB ? 40 : 400; }

void check_faults(const DeviceBytes& faults) {
  unsigned found = 0;
  CHECK(cudaMemcpy(&found, faults.data, sizeof found, cudaMemcpyDefault));
  if (found == 0) return;
  std::fprintf(stderr, "a datum had an old version %u times\n", found);
  std::exit(1);
}

void measure_peer_copies(std::size_t bytes) {
  const int rounds = rounds_for(bytes);
  const Streams streams(2, 1);
  const Events at_0(0, 1), at_1(1, 1);
  const DeviceBytes on_0(0, bytes), on_1(1, bytes), faults_0(0, 4), faults_1(1, 4);
  const cudaStream_t stream_0 = streams.of[0][0], stream_1 = streams.of[1][0];
  unsigned version = 0;
  // Each GPU's stream copies what it has just written to the other, whose stream then waits.
  const auto send = [&](bool forward, bool with_kernel) {
    const DeviceBytes& from = forward ? on_0 : on_1;
    const DeviceBytes& to = forward ? on_1 : on_0;
    const cudaStream_t sender = forward ? stream_0 : stream_1;
    const cudaStream_t receiver = forward ? stream_1 : stream_0;
    const cudaEvent_t sent = forward ? at_0.all[0] : at_1.all[0];
    CHECK(cudaSetDevice(forward ? 0 : 1));
    CHECK(cudaMemcpyAsync(to.data, from.data, bytes, cudaMemcpyDefault, sender));
    CHECK(cudaEventRecord(sent, sender));
    CHECK(cudaSetDevice(forward ? 1 : 0));
    CHECK(cudaStreamWaitEvent(receiver, sent, 0));
    if (!with_kernel) return;
    raise_version<<<1, 1, 0, receiver>>>(
        static_cast<unsigned*>(to.data), version++,
        static_cast<unsigned*>((forward ? faults_1 : faults_0).data));
  };
  for (const bool with_kernel : {true, false}) {
    const double seconds = time_of(5, [&] {
      for (int i = 0; i < rounds; ++i) {
        send(true, with_kernel);
        send(false, with_kernel);
      }
      synchronize(2);
    });
    emit(sized(with_kernel ? "peer_to_and_fro" : "peer_to_and_fro_bare", bytes), 2,
         2e-9 * rounds * static_cast<double>(bytes) / seconds, "GB/s");
  }
  check_faults(faults_0);
  check_faults(faults_1);
  const double one_way = time_of(5, [&] {
    for (int i = 0; i < rounds; ++i) {
      CHECK(cudaMemcpyAsync(on_1.data, on_0.data, bytes, cudaMemcpyDefault, stream_0));
    }
    synchronize(2);
  });
  emit(sized("peer_one_way", bytes), 2, 1e-9 * rounds * static_cast<double>(bytes) / one_way,
       "GB/s");
}

void measure_host_copies(std::size_t bytes) {
  const int rounds = rounds_for(bytes) / 4;
  const Streams streams(1, 1);
  const cudaStream_t stream = streams.of[0][0];
  const DeviceBytes on_gpu(0, bytes), faults(0, 4);
  void* on_host = nullptr;
  CHECK(cudaMallocHost(&on_host, bytes));
  auto* host_version = static_cast<volatile unsigned*>(on_host);
  *host_version = 0;
  // The host raises the version itself, which it can do only once the copy has arrived.
  const auto to_and_fro = [&](bool with_work) {
    CHECK(cudaMemcpyAsync(on_gpu.data, on_host, bytes, cudaMemcpyHostToDevice, stream));
    if (with_work) {
      raise_version<<<1, 1, 0, stream>>>(static_cast<unsigned*>(on_gpu.data), *host_version,
                                         static_cast<unsigned*>(faults.data));
    }
    CHECK(cudaMemcpyAsync(on_host, on_gpu.data, bytes, cudaMemcpyDeviceToHost, stream));
    if (!with_work) return;
    CHECK(cudaStreamSynchronize(stream));
    *host_version = *host_version + 1;
  };
  for (const bool with_work : {true, false}) {
    const double seconds = time_of(5, [&] {
      for (int i = 0; i < rounds; ++i) to_and_fro(with_work);
      CHECK(cudaStreamSynchronize(stream));
    });
    emit(sized(with_work ? "host_to_and_fro" : "host_to_and_fro_bare", bytes), 1,
         2e-9 * rounds * static_cast<double>(bytes) / seconds, "GB/s");
  }
  check_faults(faults);
  for (const bool to_gpu : {true, false}) {
    const double seconds = time_of(5, [&] {
      for (int i = 0; i < rounds; ++i) {
        CHECK(cudaMemcpyAsync(to_gpu ? on_gpu.data : on_host, to_gpu ? on_host : on_gpu.data, bytes,
                              cudaMemcpyDefault, stream));
      }
      CHECK(cudaStreamSynchronize(stream));
    });
    emit(sized(to_gpu ? "host_to_gpu" : "gpu_to_host", bytes), 1,
         1e-9 * rounds * static_cast<double>(bytes) / seconds, "GB/s");
  }
  CHECK(cudaFreeHost(on_host));
}

/// Every GPU sends a block to every other, all at once.
void measure_all_to_all(int gpus) {
  constexpr std::size_t kBytes = 64 * kMiB;
  constexpr int kRounds = 50;
  const Streams streams(gpus, gpus);
  std::vector<std::unique_ptr<DeviceBytes>> sources, targets;
  for (int gpu = 0; gpu < gpus; ++gpu) {
    sources.push_back(std::make_unique<DeviceBytes>(gpu, kBytes * gpus));
    targets.push_back(std::make_unique<DeviceBytes>(gpu, kBytes * gpus));
  }
  const double seconds = time_of(5, [&] {
    for (int round = 0; round < kRounds; ++round) {
      for (int step = 1; step < gpus; ++step) {
        for (int from = 0; from < gpus; ++from) {
          const int to = (from + step) % gpus;
          CHECK(cudaSetDevice(from));
          CHECK(cudaMemcpyAsync(static_cast<char*>(targets[to]->data) + kBytes * from,
                                static_cast<char*>(sources[from]->data) + kBytes * to, kBytes,
                                cudaMemcpyDefault, streams.of[from][to]));
        }
      }
    }
    synchronize(gpus);
  });
  emit("all_to_all_64MiB", gpus,
       1e-9 * kRounds * gpus * (gpus - 1) * static_cast<double>(kBytes) / seconds, "GB/s");
}

void enable_peers(int gpus) {
  for (int gpu = 0; gpu < gpus; ++gpu) {
    CHECK(cudaSetDevice(gpu));
    for (int peer = 0; peer < gpus; ++peer) {
      int can_reach = 0;
      if (peer == gpu) continue;
      CHECK(cudaDeviceCanAccessPeer(&can_reach, gpu, peer));
      if (can_reach != 0) CHECK(cudaDeviceEnablePeerAccess(peer, 0));
    }
  }
}

// ---- memory bandwidth ----

__global__ void copy_kernel(const double2* from, double2* to, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    to[i] = from[i];
  }
}

/// The mean of the four neighbours in a grid of n x n, as one step of Jacobi's iteration.
__global__ void stencil_kernel(const double* from, double* to, std::size_t n) {
  const std::size_t x = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const std::size_t y = std::size_t{blockIdx.y} * blockDim.y + threadIdx.y;
  if (x == 0 || y == 0 || x + 1 >= n || y + 1 >= n) return;
  const double* at = from + y * n + x;
  to[y * n + x] = 0.25 * (at[-1] + at[1] + at[-static_cast<std::ptrdiff_t>(n)] + at[n]);
}

void measure_memory(int gpus) {
  constexpr std::size_t kEdge = 16384, kBytes = kEdge * kEdge * sizeof(double);
  constexpr int kRounds = 20;
  std::vector<std::unique_ptr<DeviceBytes>> sources, targets;
  for (int gpu = 0; gpu < gpus; ++gpu) {
    sources.push_back(std::make_unique<DeviceBytes>(gpu, kBytes));
    targets.push_back(std::make_unique<DeviceBytes>(gpu, kBytes));
  }
  const auto rate = [&](const std::function<void(int)>& launch) {
    const double seconds = time_of(5, [&] {
      for (int i = 0; i < kRounds; ++i) {
        for (int gpu = 0; gpu < gpus; ++gpu) {
          CHECK(cudaSetDevice(gpu));
          launch(gpu);
        }
      }
      synchronize(gpus);
    });
    return 2e-9 * kRounds * gpus * static_cast<double>(kBytes) / seconds;
  };
  emit("memory_copy", gpus, rate([&](int gpu) {
         copy_kernel<<<4096, 256>>>(static_cast<const double2*>(sources[gpu]->data),
                                    static_cast<double2*>(targets[gpu]->data),
                                    kBytes / sizeof(double2));
       }),
       "GB/s");
  emit("memory_stencil", gpus, rate([&](int gpu) {
         stencil_kernel<<<dim3(kEdge / 64, kEdge / 4), dim3(64, 4)>>>(
             static_cast<const double*>(sources[gpu]->data),
             static_cast<double*>(targets[gpu]->data), kEdge);
       }),
       "GB/s");
}

// ---- matrix products ----

/// Numbers in [-1, 1): data that is all alike draws less power and runs faster.
__global__ void fill_random(double* data, std::size_t count, unsigned long long seed) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  unsigned long long x = (i + seed) * 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  x ^= x >> 31U;
  data[i] = static_cast<double>(x >> 11U) * 0x1p-52 - 1.0;
}

class Products {
 public:
  static constexpr int kTile = 2048, kStreams = 4;

  explicit Products(int gpus) : gpus_(gpus), streams_(gpus, kStreams) {
    constexpr std::size_t kElements = std::size_t{kTile} * kTile;
    for (int gpu = 0; gpu < gpus; ++gpu) {
      for (int i = 0; i < kStreams; ++i) {
        CHECK(cudaSetDevice(gpu));
        handles_.emplace_back();
        CHECK(cublasCreate(&handles_.back()));
        CHECK(cublasSetStream(handles_.back(), streams_.of[gpu][i]));
        for (int operand = 0; operand < 3; ++operand) {
          tiles_.push_back(std::make_unique<DeviceBytes>(gpu, kElements * sizeof(double)));
          fill_random<<<kElements / 256, 256>>>(static_cast<double*>(tiles_.back()->data),
                                                kElements, tiles_.size() * kElements);
        }
      }
    }
    synchronize(gpus);
    run(1);
  }
  ~Products() {
    for (cublasHandle_t handle : handles_) cublasDestroy(handle);
  }
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// GFLOP/s of `count` products on each stream of each GPU.
  double run(int count) {
    const double alpha = -1e-6, beta = 1.0;  // so small that the target stays random
    const auto start = Clock::now();
    for (int i = 0; i < count; ++i) {
      for (std::size_t h = 0; h < handles_.size(); ++h) {
        CHECK(cudaSetDevice(static_cast<int>(h) / kStreams));
        const auto tile = [&](std::size_t operand) {
          return static_cast<double*>(tiles_[3 * h + operand]->data);
        };
        CHECK(cublasDgemm(handles_[h], CUBLAS_OP_N, CUBLAS_OP_T, kTile, kTile, kTile, &alpha,
                          tile(0), kTile, tile(1), kTile, &beta, tile(2), kTile));
      }
    }
    synchronize(gpus_);
    const double flops = 2.0 * kTile * kTile * kTile * count * static_cast<double>(handles_.size());
    return 1e-9 * flops / seconds_since(start);
  }

 private:
  int gpus_;
  Streams streams_;
  std::vector<cublasHandle_t> handles_;
  std::vector<std::unique_ptr<DeviceBytes>> tiles_;  // three a stream
};

/// Burst: the first 20 ms after a pause. Sustained: the median of the last two of five seconds.
void measure_products(int gpus) {
  Products products(gpus);
  std::vector<double> bursts;
  for (int i = 0; i < 3; ++i) {
    const auto pause = Clock::now();
    while (seconds_since(pause) < 0.7) {
    }
    bursts.push_back(products.run(16));
  }
  emit("dgemm_burst", gpus, median(bursts), "GFLOP/s");
  std::vector<double> late;
  const auto start = Clock::now();
  while (seconds_since(start) < 5.0) {
    const double rate = products.run(100);
    if (seconds_since(start) > 3.0) late.push_back(rate);
  }
  emit("dgemm_sustained", gpus, median(late), "GFLOP/s");
}

void measure_tasks(int gpus) {
  measure_launches();
  measure_wavefront(1);
  if (gpus > 1) measure_wavefront(2);
  if (gpus > 2) measure_wavefront(gpus);
  measure_graph();
}

void measure_copies(int gpus) {
  for (const std::size_t bytes : {kMiB, 16 * kMiB, 256 * kMiB}) {
    if (gpus > 1) measure_peer_copies(bytes);
    measure_host_copies(bytes);
  }
  if (gpus > 1) measure_all_to_all(2);
  if (gpus > 2) measure_all_to_all(gpus);
}

template <class Measure>
void on_one_and_all(int gpus, Measure measure) {
  measure(1);
  if (gpus > 1) measure(2);
  if (gpus > 2) measure(gpus);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> parts(argv + 1, argv + argc);
  const int gpus = gpu_count();
  const std::vector<std::pair<std::string, std::function<void()>>> all = {
      {"tasks", [=] { measure_tasks(gpus); }},
      {"copies", [=] { measure_copies(gpus); }},
      {"memory", [=] { on_one_and_all(gpus, measure_memory); }},
      {"gemm", [=] { on_one_and_all(gpus, measure_products); }}};
  for (const std::string& part : parts) {
    const auto known = [&](const auto& one) { return one.first == part; };
    if (std::any_of(all.begin(), all.end(), known)) continue;
    std::fprintf(stderr, "unknown part \"%s\"; allowed: tasks copies memory gemm\n", part.c_str());
    return 2;
  }
  enable_peers(gpus);
  for (const auto& [name, measure] : all) {
    if (parts.empty() || std::count(parts.begin(), parts.end(), name) > 0) measure();
  }
  return 0;
}
