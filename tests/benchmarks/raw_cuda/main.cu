// What GPUs do without parley, as the measure for what they do with it: the cost of launches,
// events and graph nodes, copies to and fro, memory bandwidth, matrix products. Plain CUDA, one
// host thread.
//
//     bench_raw_cuda [PART...]     parts: tasks copies memory gemm; all by default
//
// Prints one JSON object a line: name, number of GPUs, value, unit; values are medians of
// repetitions.
#include <utility>

#include "tests/benchmarks/raw_cuda/measure.h"

namespace raw {
namespace {

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

template <class Measure>
void on_one_and_all(int gpus, Measure measure) {
  measure(1);
  if (gpus > 1) measure(2);
  if (gpus > 2) measure(gpus);
}

}  // namespace
}  // namespace raw

int main(int argc, char** argv) {
  using namespace raw;  // NOLINT
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
