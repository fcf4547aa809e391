// Tile linear algebra by cuBLAS and cuSOLVER; plain kernels where these have no such type, stride
// or sharing of memory. The libraries see row-major matrices as transposes, so sides, triangles and
// transposes are turned round (the identities are at each call). Results differ from the host's by
// rounding only: products within k * eps of |op(A)| |op(B)|, solutions and factors with residuals
// of a few n * eps, where float32 is computed in float32 (the host computes in double and rounds
// once).
#include <algorithm>
#include <array>
#include <optional>

#include "core/graph/element.h"
#include "exec/cuda/blas.h"
#include "exec/cuda/dense.h"
#include "exec/cuda/plain_tiles.h"
#include "exec/cuda/triangular_inverse.h"

namespace parley::exec::cuda {
namespace {

using core::DType;
using core::KernelCall;

constexpr std::size_t kInfoBytes = 256;  // the solver's status comes first in the workspace

bool flag(const KernelCall& call, std::string_view name) {
  return *core::parameter_of(call, name) > 0.5;
}

cublasOperation_t operation(bool is_transposed) {
  return is_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}
cublasFillMode_t triangle(bool is_upper) {
  return is_upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
}
cublasSideMode_t side(bool is_left) { return is_left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT; }
cublasDiagType_t diagonal(bool is_unit) {
  return is_unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT;
}

// Arguments `a` and `b` of the call are the same memory.
bool are_one(const KernelCall& call, std::size_t a, std::size_t b) {
  if (call.arguments.size() <= std::max(a, b)) return false;
  const core::KernelArgument& first = call.arguments[a];
  const core::KernelArgument& second = call.arguments[b];
  return first.is_scratch == second.is_scratch && first.index == second.index;
}

// All operands as the libraries see them, if they have one type there, and the target (the last)
// shares no memory with those before it.
template <std::size_t N>
std::optional<std::array<Dense, N>> all_dense(const KernelCall& call, Operands operands) {
  std::array<Dense, N> all;
  for (std::size_t i = 0; i < N; ++i) {
    if (operands[i].dtype != operands[0].dtype) return std::nullopt;
    if (i + 1 < N && are_one(call, i, N - 1)) return std::nullopt;
    const std::optional<Dense> one = dense(operands[i]);
    if (!one) return std::nullopt;
    all[i] = *one;
  }
  return all;
}

bool is_empty(const DeviceOperand& operand) { return operand.size() == 0; }

// ---- gemm, syrk ----

// C = op(A) op(B); what is stored may be the transpose of each, and C^T = op(B)^T op(A)^T.
struct Product {
  const Dense *first, *second;
  cublasOperation_t first_operation, second_operation;
  int rows, columns, inner;  // of the stored target

  Product(const KernelCall& call, const std::array<Dense, 3>& m) {
    const bool is_turned = m[2].is_transposed;
    const bool a = flag(call, "transpose_a") != (m[0].is_transposed != is_turned);
    const bool b = flag(call, "transpose_b") != (m[1].is_transposed != is_turned);
    first = is_turned ? &m[1] : &m[0];
    second = is_turned ? &m[0] : &m[1];
    first_operation = operation(is_turned ? b : a);
    second_operation = operation(is_turned ? a : b);
    rows = m[2].stored_rows();
    columns = m[2].stored_columns();
    inner = flag(call, "transpose_a") ? m[0].rows : m[0].columns;
  }
};

// float16 and bfloat16 are multiplied with sums in float32.
bool is_short(DType dtype) { return dtype == DType::kFloat16 || dtype == DType::kBfloat16; }

void short_gemm(const Product& p, const Dense& c, DType dtype, double alpha, double beta,
                const LaunchContext& context) {
  const cudaDataType_t type = dtype == DType::kFloat16 ? CUDA_R_16F : CUDA_R_16BF;
  const auto a = static_cast<float>(alpha), b = static_cast<float>(beta);
  check_blas(cublasGemmEx(context.blas, p.first_operation, p.second_operation, p.rows, p.columns,
                          p.inner, &a, p.first->data, type, p.first->leading, p.second->data, type,
                          p.second->leading, &b, c.data, type, c.leading, CUBLAS_COMPUTE_32F,
                          CUBLAS_GEMM_DEFAULT),
             "gemm");
}

std::optional<std::array<Dense, 3>> gemm_matrices(const KernelCall& call, Operands operands) {
  const DType dtype = operands[0].dtype;
  if (!is_blas_type(dtype) && !is_short(dtype)) return std::nullopt;
  return all_dense<3>(call, operands);
}

void gemm(const KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[2])) return;
  const auto m = gemm_matrices(call, operands);
  if (!m || is_empty(operands[0])) return plain::gemm(call, operands, context);
  const double alpha = *core::parameter_of(call, "alpha");
  const double beta = *core::parameter_of(call, "beta");
  const Product p(call, *m);
  const Dense& c = (*m)[2];
  if (is_short(operands[0].dtype)) {
    return short_gemm(p, c, operands[0].dtype, alpha, beta, context);
  }
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    const auto a = scalar<Scalar>(alpha), b = scalar<Scalar>(beta);
    check_blas(Blas<T>::kGemm(context.blas, p.first_operation, p.second_operation, p.rows,
                              p.columns, p.inner, &a, static_cast<const Scalar*>(p.first->data),
                              p.first->leading, static_cast<const Scalar*>(p.second->data),
                              p.second->leading, &b, static_cast<Scalar*>(c.data), c.leading),
               "gemm");
  });
}

std::size_t gemm_workspace(const KernelCall& call, Operands operands, const LaunchContext&) {
  const bool is_plain = !gemm_matrices(call, operands) || is_empty(operands[0]);
  return is_plain ? plain::workspace_bytes(operands[2]) : 0;
}

// The product is symmetric, so only the triangle changes where C is stored as its transpose.
void syrk(const KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[1])) return;
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype) || is_empty(operands[0])) {
    return plain::syrk(call, operands, context);
  }
  const auto& [a, c] = *m;
  const bool is_transposed = flag(call, "transpose");
  const int inner = is_transposed ? a.rows : a.columns;
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    const auto alpha = scalar<Scalar>(*core::parameter_of(call, "alpha"));
    const auto beta = scalar<Scalar>(*core::parameter_of(call, "beta"));
    check_blas(Blas<T>::kSyrk(context.blas, triangle(c.is_transposed),
                              operation(is_transposed != a.is_transposed), c.rows, inner, &alpha,
                              static_cast<const Scalar*>(a.data), a.leading, &beta,
                              static_cast<Scalar*>(c.data), c.leading),
               "syrk");
  });
}

std::size_t syrk_workspace(const KernelCall& call, Operands operands, const LaunchContext&) {
  const bool is_library =
      all_dense<2>(call, operands) && is_blas_type(operands[0].dtype) && !is_empty(operands[0]);
  return is_library ? 0 : plain::workspace_bytes(operands[1]);
}

// ---- triangular ----

// How the libraries see op(T) beside X. With X stored transposed, op(T) X = B is X^T op(T)^T = B^T.
struct Triangular {
  cublasSideMode_t on;
  cublasFillMode_t filled;
  cublasOperation_t turned;
  cublasDiagType_t ones;

  Triangular(const KernelCall& call, bool is_left, bool is_transposed, const Dense& t,
             const Dense& x)
      : on(side(is_left != x.is_transposed)),
        filled(triangle(flag(call, "upper") != t.is_transposed)),
        turned(operation((is_transposed != x.is_transposed) != t.is_transposed)),
        ones(diagonal(flag(call, "unit"))) {}
};

// X = alpha op(T)^-1 X, or from the right.
void solve(const Triangular& how, DType dtype, double alpha, const Dense& t, const Dense& x,
           const LaunchContext& context) {
  with_blas(dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    const auto a = scalar<Scalar>(alpha);
    check_blas(
        Blas<T>::kTrsm(context.blas, how.on, how.filled, how.turned, how.ones, x.stored_rows(),
                       x.stored_columns(), &a, static_cast<const Scalar*>(t.data), t.leading,
                       static_cast<Scalar*>(x.data), x.leading),
        "trsm");
  });
}

void trsm(const KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[1])) return;
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype)) return plain::trsm(call, operands, context);
  const auto& [t, x] = *m;
  const Triangular how(call, flag(call, "left"), flag(call, "transpose"), t, x);
  solve(how, operands[0].dtype, *core::parameter_of(call, "alpha"), t, x, context);
}

std::size_t triangular_workspace(const KernelCall& call, Operands operands, const LaunchContext&) {
  const bool is_library = all_dense<2>(call, operands) && is_blas_type(operands[0].dtype);
  return is_library ? 0 : plain::workspace_bytes(operands[1]);
}

bool is_inverted_by_products(const DeviceOperand& operand, const Dense& t, const Dense& w) {
  const bool is_real = operand.dtype == DType::kFloat64 || operand.dtype == DType::kFloat32;
  return is_real && t.is_transposed == w.is_transposed && has_inverse_by_products(t.rows);
}

// The inverse by solving with the identity, which on an H200 takes 0.85 ms for an edge of 2048
// where cuSOLVER's trtri takes 2.8 (November 2026).
void trtri(const KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[1])) return;
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype)) return plain::trtri(call, operands, context);
  const auto& [t, w] = *m;
  set_identity(operands[1], context.stream);
  if (!is_inverted_by_products(operands[0], t, w)) {
    solve(Triangular(call, true, false, t, w), operands[0].dtype, 1.0, t, w, context);
    return;
  }
  const auto invert = [&]<class T>(T) {
    invert_by_products(static_cast<const T*>(t.data), t.leading, static_cast<T*>(w.data), w.leading,
                       t.rows, flag(call, "upper") != t.is_transposed, flag(call, "unit"),
                       reinterpret_cast<T*>(context.workspace), context);
  };
  if (operands[0].dtype == DType::kFloat64) return invert(double{});
  invert(float{});
}

std::size_t trtri_workspace(const KernelCall& call, Operands operands, const LaunchContext&) {
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype)) return plain::workspace_bytes(operands[1]);
  if (!is_inverted_by_products(operands[0], (*m)[0], (*m)[1])) return 0;
  return static_cast<std::size_t>(inverse_workspace(operands[0].shape[0]) *
                                  core::element_bytes(operands[0].dtype));
}

// T, X and where the product goes. In place is out of place with Y = X, which the library knows.
std::optional<std::array<Dense, 3>> trmm_matrices(const KernelCall& call, Operands operands) {
  if (!is_blas_type(operands[0].dtype) || are_one(call, 0, 1)) return std::nullopt;
  if (operands.size() == 2) {
    const auto m = all_dense<2>(call, operands);
    if (!m) return std::nullopt;
    return std::array<Dense, 3>{(*m)[0], (*m)[1], (*m)[1]};
  }
  const auto m = all_dense<3>(call, operands);
  if (!m || (*m)[1].is_transposed != (*m)[2].is_transposed) return std::nullopt;
  return m;
}

// In place the library is slow (2048: 0.73 ms, where out of place takes 0.20; H200, November 2026):
// then the product goes to the workspace and is copied back.
bool goes_by_workspace(Operands operands) { return operands.size() == 2; }

std::size_t stored_bytes(const Dense& x, DType dtype) {
  return static_cast<std::size_t>(x.stored_rows()) * static_cast<std::size_t>(x.stored_columns()) *
         static_cast<std::size_t>(core::element_bytes(dtype));
}

void trmm(const KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[1])) return;
  const auto m = trmm_matrices(call, operands);
  if (!m) return plain::trmm(call, operands, context);
  const auto& [t, x, y] = *m;
  const Triangular how(call, flag(call, "left"), flag(call, "transpose"), t, x);
  const bool is_copied = goes_by_workspace(operands);
  void* const target = is_copied ? context.workspace : y.data;
  const int leading = is_copied ? x.stored_rows() : y.leading;
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    const auto alpha = scalar<Scalar>(*core::parameter_of(call, "alpha"));
    check_blas(
        Blas<T>::kTrmm(context.blas, how.on, how.filled, how.turned, how.ones, x.stored_rows(),
                       x.stored_columns(), &alpha, static_cast<const Scalar*>(t.data), t.leading,
                       static_cast<const Scalar*>(x.data), x.leading, static_cast<Scalar*>(target),
                       leading),
        "trmm");
  });
  if (!is_copied) return;
  const auto width = static_cast<std::size_t>(core::element_bytes(operands[0].dtype));
  const std::size_t row = static_cast<std::size_t>(x.stored_rows()) * width;
  check_cuda(cudaMemcpy2DAsync(y.data, static_cast<std::size_t>(y.leading) * width, target, row,
                               row, static_cast<std::size_t>(x.stored_columns()),
                               cudaMemcpyDeviceToDevice, context.stream),
             "copying a product back");
}

std::size_t trmm_workspace(const KernelCall& call, Operands operands, const LaunchContext&) {
  const auto m = trmm_matrices(call, operands);
  if (!m) return plain::workspace_bytes(operands.back());
  return goes_by_workspace(operands) ? stored_bytes((*m)[1], operands[0].dtype) : 0;
}

// ---- factorisations ----

int* info_of(const LaunchContext& context) { return reinterpret_cast<int*>(context.workspace); }

template <class Scalar>
Scalar* solver_buffer(const LaunchContext& context) {
  return reinterpret_cast<Scalar*>(context.workspace + kInfoBytes);
}

// Calls visit(Blas<T>{}, A) for a matrix that the library factorises as we do.
template <class Visitor>
bool with_potrf(const DeviceOperand& operand, Visitor&& visit) {
  const std::optional<Dense> a = dense(operand);
  if (!a) return false;
  if (operand.dtype == DType::kFloat32) {
    visit(Blas<float>{}, *a);
    return true;
  }
  if (operand.dtype == DType::kFloat64) {
    visit(Blas<double>{}, *a);
    return true;
  }
  return false;
}

// The transpose of a stored matrix, all of it.
template <class T>
void transpose(const typename Blas<T>::Scalar* source, int source_leading,
               typename Blas<T>::Scalar* target, int target_leading, int n,
               const LaunchContext& context) {
  const typename Blas<T>::Scalar one = 1, zero = 0;
  check_blas(Blas<T>::kGeam(context.blas, CUBLAS_OP_T, CUBLAS_OP_N, n, n, &one, source,
                            source_leading, &zero, target, target_leading, target, target_leading),
             "transposing a tile");
}

// Elements of a transposed copy, where one is made.
std::size_t turned_elements(const Dense& a) {
  return a.is_transposed ? static_cast<std::size_t>(a.rows) * static_cast<std::size_t>(a.rows) : 0;
}

// The library is fast for the lower triangle only (2048: 0.9 ms against 2.1; H200, November 2026).
// Ours, stored row-major, is its upper one, so that the tile is turned, factorised and turned back;
// the other triangle comes back as it was.
void potrf(const KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[0])) return;
  const auto factorise = [&]<class T>(Blas<T>, const Dense& a) {
    using Scalar = typename Blas<T>::Scalar;
    Scalar* const stored = static_cast<Scalar*>(a.data);
    Scalar* const turned = solver_buffer<Scalar>(context);
    Scalar* const tile = a.is_transposed ? turned : stored;
    const int leading = a.is_transposed ? a.rows : a.leading;
    if (a.is_transposed) transpose<T>(stored, a.leading, turned, a.rows, a.rows, context);
    const std::size_t elements =
        (context.workspace_bytes - kInfoBytes) / sizeof(Scalar) - turned_elements(a);
    check_solver(Blas<T>::kPotrf(context.solver, CUBLAS_FILL_MODE_LOWER, a.rows, tile, leading,
                                 turned + turned_elements(a),
                                 static_cast<int>(std::min<std::size_t>(elements, 1U << 30U)),
                                 info_of(context)),
                 "potrf");
    if (a.is_transposed) transpose<T>(turned, a.rows, stored, a.leading, a.rows, context);
    poison_diagonal(operands[0], info_of(context), context.stream);
  };
  if (!with_potrf(operands[0], factorise)) plain::potrf(call, operands, context);
}

std::size_t potrf_workspace(const KernelCall&, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[0])) return 0;
  std::size_t bytes = plain::workspace_bytes(operands[0]);
  with_potrf(operands[0], [&]<class T>(Blas<T>, const Dense& a) {
    using Scalar = typename Blas<T>::Scalar;
    int elements = 0;
    check_solver(Blas<T>::kPotrfSize(context.solver, CUBLAS_FILL_MODE_LOWER, a.rows,
                                     static_cast<Scalar*>(a.data),
                                     a.is_transposed ? a.rows : a.leading, &elements),
                 "workspace of potrf");
    bytes = kInfoBytes + (static_cast<std::size_t>(elements) + turned_elements(a)) * sizeof(Scalar);
  });
  return bytes;
}

void getrf(const KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[0])) return;
  const std::optional<Dense> a = dense(operands[0]);
  if (!a || !is_blas_type(operands[0].dtype)) return plain::getrf(call, operands, context);
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    check_solver(Blas<T>::kGetrf(context.solver, a->stored_rows(), a->stored_columns(),
                                 static_cast<Scalar*>(a->data), a->leading,
                                 solver_buffer<Scalar>(context), nullptr, info_of(context)),
                 "getrf");
  });
  if (a->is_transposed) exchange_unit_diagonal(operands[0], context.stream);
  poison_diagonal(operands[0], info_of(context), context.stream);
}

std::size_t getrf_workspace(const KernelCall&, Operands operands, const LaunchContext& context) {
  const std::optional<Dense> a = dense(operands[0]);
  if (!a || !is_blas_type(operands[0].dtype)) return plain::workspace_bytes(operands[0]);
  std::size_t bytes = kInfoBytes;
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    int elements = 0;
    check_solver(Blas<T>::kGetrfSize(context.solver, a->stored_rows(), a->stored_columns(),
                                     static_cast<Scalar*>(a->data), a->leading, &elements),
                 "workspace of getrf");
    bytes += static_cast<std::size_t>(elements) * sizeof(Scalar);
  });
  return bytes;
}

}  // namespace

void register_device_kernel_tiles(DeviceKernelRegistry& registry);

void register_device_kernel_tiles(DeviceKernelRegistry& registry) {
  registry.add("gemm", {gemm, gemm_workspace});
  registry.add("syrk", {syrk, syrk_workspace});
  registry.add("trsm", {trsm, triangular_workspace});
  registry.add("trmm", {trmm, trmm_workspace});
  registry.add("trtri", {trtri, trtri_workspace});
  registry.add("potrf", {potrf, potrf_workspace});
  registry.add("getrf", {getrf, getrf_workspace});
}

}  // namespace parley::exec::cuda
