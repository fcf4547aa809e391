// stencil, as exec/kernels/stencil.cpp and in its order of additions: byte for byte the host's.
// Real floating point of up to three dimensions, with rows without gaps, takes a path whose loads
// of a warp follow one another; neighbours in other rows come from the caches.
#include "exec/cuda/arithmetic.cuh"
#include "exec/cuda/views.cuh"

namespace parley::exec::cuda {
namespace {

using core::KernelCall;

constexpr int kThreads = 256;

// ---- any types, strides and rank ----

struct Shape {
  std::uint32_t rank;
  std::int64_t radius;
  std::int64_t strides[core::Box::kMaxRank];  // of the source, bytes
};

// Operands: the source without its halo, the target.
template <class C>
__global__ void walk(Views<2> views, Shape shape, DType source, DType target) {
  const double neighbours =
      2.0 * static_cast<double>(shape.radius) * static_cast<double>(shape.rank);
  for (std::int64_t i = global_thread(); i < views.size; i += grid_threads()) {
    std::int64_t at[2];
    views.locate(i, at);
    const std::byte* centre = views.data[0] + at[0];
    C total{};
    for (std::uint32_t dim = 0; dim < shape.rank; ++dim) {
      for (std::int64_t distance = 1; distance <= shape.radius; ++distance) {
        total = plus(total, load<C>(source, centre - distance * shape.strides[dim]));
        total = plus(total, load<C>(source, centre + distance * shape.strides[dim]));
      }
    }
    store(target, views.data[1] + at[1], divided(total, neighbours));
  }
}

// ---- float and double in rows ----

// Three dimensions (those in front of fewer have extent 1); strides in elements.
struct Rows {
  std::int64_t planes, rows, columns;
  std::int64_t source_plane, source_row, target_plane, target_row;
};

// kRadius 0: as `radius` says.
template <class T, int kRank, int kRadius>
__global__ void __launch_bounds__(kThreads)
    sweep(const T* __restrict__ source, T* __restrict__ target, Rows rows, int radius) {
  const int reach = kRadius > 0 ? kRadius : radius;
  const double neighbours = 2.0 * reach * kRank;
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= rows.columns) return;
  for (std::int64_t plane = blockIdx.z; plane < rows.planes; plane += gridDim.z) {
    for (std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * blockDim.y + threadIdx.y;
         row < rows.rows; row += static_cast<std::int64_t>(gridDim.y) * blockDim.y) {
      const T* centre = source + plane * rows.source_plane + row * rows.source_row + column;
      double total = 0.0;
#pragma unroll
      for (int dim = 3 - kRank; dim < 3; ++dim) {
        const std::int64_t stride = dim == 0 ? rows.source_plane : (dim == 1 ? rows.source_row : 1);
#pragma unroll(kRadius > 0 ? kRadius : 1)
        for (int distance = 1; distance <= reach; ++distance) {
          total += static_cast<double>(centre[-distance * stride]);
          total += static_cast<double>(centre[distance * stride]);
        }
      }
      target[plane * rows.target_plane + row * rows.target_row + column] =
          static_cast<T>(total / neighbours);
    }
  }
}

struct Grid {
  dim3 blocks, threads;
};

// Blocks as wide as the rows, up to a limit; every thread has a few rows, far apart.
Grid grid_for(const Rows& rows) {
  unsigned width = 32;
  while (width < kThreads && width < rows.columns) width *= 2;
  const unsigned height = kThreads / width;
  const auto up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const auto most = [](std::int64_t n) {
    return static_cast<unsigned>(std::min<std::int64_t>(n, 65535));
  };
  return {{static_cast<unsigned>(up(rows.columns, width)), most(up(rows.rows, height)),
           most(rows.planes)},
          {width, height, 1}};
}

template <class T, int kRank>
void launch_sweep(const DeviceOperand& centres, const DeviceOperand& target, const Rows& rows,
                  std::int64_t radius, cudaStream_t stream) {
  const Grid grid = grid_for(rows);
  const auto* from = reinterpret_cast<const T*>(centres.data);
  auto* to = reinterpret_cast<T*>(target.data);
  if (radius == 1) {
    sweep<T, kRank, 1><<<grid.blocks, grid.threads, 0, stream>>>(from, to, rows, 1);
  } else {
    sweep<T, kRank, 0>
        <<<grid.blocks, grid.threads, 0, stream>>>(from, to, rows, static_cast<int>(radius));
  }
}

template <class T>
void launch_rows(const DeviceOperand& centres, const DeviceOperand& target, std::int64_t radius,
                 cudaStream_t stream) {
  constexpr auto kBytes = static_cast<std::int64_t>(sizeof(T));
  const std::uint32_t rank = target.rank;
  Rows rows{1, 1, target.shape[rank - 1], 0, 0, 0, 0};
  if (rank > 1) {
    rows.rows = target.shape[rank - 2];
    rows.source_row = centres.strides[rank - 2] / kBytes;
    rows.target_row = target.strides[rank - 2] / kBytes;
  }
  if (rank > 2) {
    rows.planes = target.shape[0];
    rows.source_plane = centres.strides[0] / kBytes;
    rows.target_plane = target.strides[0] / kBytes;
  }
  if (rank == 1) launch_sweep<T, 1>(centres, target, rows, radius, stream);
  if (rank == 2) launch_sweep<T, 2>(centres, target, rows, radius, stream);
  if (rank == 3) launch_sweep<T, 3>(centres, target, rows, radius, stream);
}

bool is_in_rows(const DeviceOperand& source, const DeviceOperand& target) {
  const std::int64_t bytes = core::element_bytes(source.dtype);
  const std::uint32_t rank = target.rank;
  return source.dtype == target.dtype && rank <= 3 && source.strides[rank - 1] == bytes &&
         target.strides[rank - 1] == bytes;
}

void stencil(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const auto radius = static_cast<std::int64_t>(*core::parameter_of(call, "radius"));
  const DeviceOperand& source = operands[0];
  const DeviceOperand& target = operands[1];
  if (target.size() == 0) return;
  DeviceOperand centres = source;  // without the halo
  Shape shape{target.rank, radius, {}};
  for (std::uint32_t dim = 0; dim < target.rank; ++dim) {
    centres.shape[dim] = target.shape[dim];
    centres.data += radius * source.strides[dim];
    shape.strides[dim] = source.strides[dim];
  }
  if (is_in_rows(source, target) && source.dtype == DType::kFloat64) {
    launch_rows<double>(centres, target, radius, context.stream);
  } else if (is_in_rows(source, target) && source.dtype == DType::kFloat32) {
    launch_rows<float>(centres, target, radius, context.stream);
  } else {
    const Views<2> views = views_of<2>({&centres, &target});
    const unsigned blocks = blocks_for(views.size, kThreads);
    if (source.dtype >= DType::kComplex64) {
      walk<Complex<double>>
          <<<blocks, kThreads, 0, context.stream>>>(views, shape, source.dtype, target.dtype);
    } else {
      walk<double>
          <<<blocks, kThreads, 0, context.stream>>>(views, shape, source.dtype, target.dtype);
    }
  }
  check_cuda(cudaGetLastError(), "stencil");
}

}  // namespace

void register_device_kernel_stencil(DeviceKernelRegistry& registry);

void register_device_kernel_stencil(DeviceKernelRegistry& registry) {
  registry.add("stencil", {stencil});
}

}  // namespace parley::exec::cuda
