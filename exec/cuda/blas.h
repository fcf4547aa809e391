// cuBLAS and cuSOLVER by element type: one name for the four functions of each kind.
#pragma once

#include <complex>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

template <class T>
struct Blas;

template <>
struct Blas<float> {
  using Scalar = float;
  static constexpr auto kGemm = cublasSgemm;
  static constexpr auto kSyrk = cublasSsyrk;
  static constexpr auto kTrsm = cublasStrsm;
  static constexpr auto kTrmm = cublasStrmm;
  static constexpr auto kGeam = cublasSgeam;
  static constexpr auto kPotrfSize = cusolverDnSpotrf_bufferSize;
  static constexpr auto kPotrf = cusolverDnSpotrf;
  static constexpr auto kGetrfSize = cusolverDnSgetrf_bufferSize;
  static constexpr auto kGetrf = cusolverDnSgetrf;
};

template <>
struct Blas<double> {
  using Scalar = double;
  static constexpr auto kGemm = cublasDgemm;
  static constexpr auto kSyrk = cublasDsyrk;
  static constexpr auto kTrsm = cublasDtrsm;
  static constexpr auto kTrmm = cublasDtrmm;
  static constexpr auto kGeam = cublasDgeam;
  static constexpr auto kPotrfSize = cusolverDnDpotrf_bufferSize;
  static constexpr auto kPotrf = cusolverDnDpotrf;
  static constexpr auto kGetrfSize = cusolverDnDgetrf_bufferSize;
  static constexpr auto kGetrf = cusolverDnDgetrf;
};

// The libraries' Cholesky factorisation of complex matrices is of Hermitian ones, ours of symmetric
// ones, so it is not listed.
template <>
struct Blas<std::complex<float>> {
  using Scalar = cuComplex;
  static constexpr auto kGemm = cublasCgemm;
  static constexpr auto kSyrk = cublasCsyrk;
  static constexpr auto kTrsm = cublasCtrsm;
  static constexpr auto kTrmm = cublasCtrmm;
  static constexpr auto kGetrfSize = cusolverDnCgetrf_bufferSize;
  static constexpr auto kGetrf = cusolverDnCgetrf;
};

template <>
struct Blas<std::complex<double>> {
  using Scalar = cuDoubleComplex;
  static constexpr auto kGemm = cublasZgemm;
  static constexpr auto kSyrk = cublasZsyrk;
  static constexpr auto kTrsm = cublasZtrsm;
  static constexpr auto kTrmm = cublasZtrmm;
  static constexpr auto kGetrfSize = cusolverDnZgetrf_bufferSize;
  static constexpr auto kGetrf = cusolverDnZgetrf;
};

/// Calls visit(Blas<T>{}) for the type. Requires: is_blas_type(dtype).
template <class Visitor>
void with_blas(core::DType dtype, Visitor&& visit) {
  if (dtype == core::DType::kFloat32) return visit(Blas<float>{});
  if (dtype == core::DType::kFloat64) return visit(Blas<double>{});
  if (dtype == core::DType::kComplex64) return visit(Blas<std::complex<float>>{});
  visit(Blas<std::complex<double>>{});
}

/// A real number as the library's scalar.
template <class Scalar>
Scalar scalar(double value) {
  if constexpr (std::is_floating_point_v<Scalar>) {
    return static_cast<Scalar>(value);
  } else {
    Scalar number{};
    number.x = static_cast<decltype(number.x)>(value);
    return number;
  }
}

}  // namespace parley::exec::cuda
