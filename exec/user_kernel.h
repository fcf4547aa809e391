/* What a kernel of a workload's own is given: C, for shared objects on the host, and CUDA, where the
 * build puts this file in front of run-time compilation. A call has one parley_operand for each
 * argument, in the order of the workload's "arguments", then its parameters, as doubles, in the order
 * of "parameters".
 *
 * A shared object has a function of type parley_host_kernel; it may be called from several threads
 * at once, for tasks whose written memory is disjoint. It may also have one of type
 * parley_cuda_kernel, whose name ends in "_cuda", that enqueues work on a stream (of type
 * cudaStream_t) of the current device and waits for nothing. Both return 0; anything else ends the
 * run with a message that names the task.
 *
 * A CUDA source has a kernel with the operands, then the parameters, as its own parameters:
 *     extern "C" __global__ void f(parley_operand x, parley_operand y, double a)
 * It is launched with at least one thread for each element of the last operand. */
#pragma once

enum parley_dtype {
  PARLEY_BOOL, PARLEY_INT8, PARLEY_INT16, PARLEY_INT32, PARLEY_INT64, PARLEY_UINT8,
  PARLEY_UINT16, PARLEY_UINT32, PARLEY_UINT64, PARLEY_FLOAT16, PARLEY_BFLOAT16, PARLEY_FLOAT32,
  PARLEY_FLOAT64, PARLEY_COMPLEX64, PARLEY_COMPLEX128
};

typedef struct parley_operand {
  void* data;           /* its first element, in the order of the view */
  int dtype;            /* parley_dtype */
  int rank;             /* dimensions */
  long long size;       /* elements: the product of the extents */
  long long shape[8];   /* extents */
  long long strides[8]; /* bytes from one element to the next of each dimension; may be negative */
} parley_operand;

typedef int parley_host_kernel(const parley_operand* operands, int operand_count,
                               const double* parameters, int parameter_count);
typedef int parley_cuda_kernel(const parley_operand* operands, int operand_count,
                               const double* parameters, int parameter_count, void* stream);

#ifdef __CUDACC__
#define PARLEY_FUNCTION static inline __host__ __device__
#else
#define PARLEY_FUNCTION static inline
#endif

/* Address of element `index`, counted in row-major order. */
PARLEY_FUNCTION void* parley_at(const parley_operand* operand, long long index) {
  char* at = (char*)operand->data;
  int dim;
  for (dim = operand->rank - 1; dim >= 0; --dim) {
    at += index % operand->shape[dim] * operand->strides[dim];
    index /= operand->shape[dim];
  }
  return at;
}

#ifdef __CUDACC__
/* The element that this thread is for; the last block's threads may be beyond the last one. */
static inline __device__ long long parley_thread() {
  return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}
#endif
