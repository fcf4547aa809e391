// Copies between two GPUs and with pinned host memory: to and fro with a look at the version of
// what has arrived, to and fro bare, one way, both ways, and from all GPUs to all.
#include "tests/benchmarks/raw_cuda/measure.h"

namespace raw {
namespace {

/// What a coherent runtime's tasks do to a datum at least: look at its version and raise it.
__global__ void raise_version(unsigned* version, unsigned expected, unsigned* faults) {
  if (*version != expected) atomicAdd(faults, 1U);
  *version = expected + 1;
}

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

/// In both directions at once, on a stream each: the sum of both rates.
void measure_both_ways(std::size_t bytes) {
  const int rounds = rounds_for(bytes) / 4;
  const Streams streams(1, 2);
  const DeviceBytes first(0, bytes), second(0, bytes);
  void* sent = nullptr;
  void* received = nullptr;
  CHECK(cudaMallocHost(&sent, bytes));
  CHECK(cudaMallocHost(&received, bytes));
  const double seconds = time_of(5, [&] {
    for (int i = 0; i < rounds; ++i) {
      CHECK(cudaMemcpyAsync(first.data, sent, bytes, cudaMemcpyHostToDevice, streams.of[0][0]));
      CHECK(
          cudaMemcpyAsync(received, second.data, bytes, cudaMemcpyDeviceToHost, streams.of[0][1]));
    }
    synchronize(1);
  });
  emit(sized("host_both_ways", bytes), 1, 2e-9 * rounds * static_cast<double>(bytes) / seconds,
       "GB/s");
  CHECK(cudaFreeHost(sent));
  CHECK(cudaFreeHost(received));
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

}  // namespace

void measure_copies(int gpus) {
  for (const std::size_t bytes : {kMiB, 16 * kMiB, 256 * kMiB}) {
    if (gpus > 1) measure_peer_copies(bytes);
    measure_host_copies(bytes);
    measure_both_ways(bytes);
  }
  if (gpus > 1) measure_all_to_all(2);
  if (gpus > 2) measure_all_to_all(gpus);
}

}  // namespace raw
