// The rate of matrix products of tiles, fp64, in the first moments and sustained at the power cap.
#include "tests/benchmarks/raw_cuda/measure.h"

namespace raw {
namespace {

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

}  // namespace

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

}  // namespace raw
