// What the measurements of plain CUDA share: checked calls, streams, events and memory that clean
// up after themselves, medians, and lines of output.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace raw {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMiB = std::size_t{1} << 20U;

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
  std::exit(1);
}
#define CHECK(call) check(call, #call)

inline void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  std::fprintf(stderr, "%s: %s\n", what, cublasGetStatusString(status));
  std::exit(1);
}

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

inline void emit(const std::string& name, int gpus, double value, const char* unit) {
  std::printf("{\"name\": \"%s\", \"gpus\": %d, \"value\": %.6g, \"unit\": \"%s\"}\n", name.c_str(),
              gpus, value, unit);
  std::fflush(stdout);
}

inline int gpu_count() {
  int count = 0;
  CHECK(cudaGetDeviceCount(&count));
  return count;
}

inline void synchronize(int gpus) {
  for (int gpu = 0; gpu < gpus; ++gpu) {
    CHECK(cudaSetDevice(gpu));
    CHECK(cudaDeviceSynchronize());
  }
}

/// Median seconds of `work`, which ends with nothing in flight; the first run is not counted.
inline double time_of(int repetitions, const std::function<void()>& work) {
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

// One a file: each prints its lines.
void measure_tasks(int gpus);     // launches, events, wavefronts, graphs
void measure_copies(int gpus);    // between GPUs and with the host
void measure_memory(int gpus);    // bandwidth of the first `gpus` GPUs
void measure_products(int gpus);  // matrix products on the first `gpus` GPUs

}  // namespace raw
