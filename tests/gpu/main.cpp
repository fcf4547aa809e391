// Tests that need a GPU. Without one the program says why and ends with the status that CTest takes
// for "skipped".
#define DOCTEST_CONFIG_IMPLEMENT
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <cstdio>

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    std::printf("SKIP_NO_GPU: %s\n",
                status != cudaSuccess ? cudaGetErrorString(status) : "this machine has no GPU");
    return kSkipped;
  }
  return doctest::Context(argc, argv).run();
}
