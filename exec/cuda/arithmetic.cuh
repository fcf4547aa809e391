// Sums, products, quotients and roots in the compute types, as the host's: integers wrap around,
// products of complex numbers follow annex G of C (no NaN where the result is infinite).
#pragma once

#include <cfloat>
#include <cmath>

#include "exec/cuda/element.cuh"

namespace parley::exec::cuda {

template <class C>
__device__ C plus(C a, C b) {
  if constexpr (kIsPair<C>) {
    return {a.re + b.re, a.im + b.im};
  } else if constexpr (std::is_integral_v<C>) {
    return static_cast<C>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else {
    return a + b;
  }
}

template <class C>
__device__ C minus(C a, C b) {
  if constexpr (kIsPair<C>) {
    return {a.re - b.re, a.im - b.im};
  } else {
    return a - b;
  }
}

template <class T>
__device__ T as_unit(T value) {
  return copysign(isinf(value) ? T{1} : T{0}, value);
}
template <class T>
__device__ T without_nan(T value) {
  return isnan(value) ? copysign(T{0}, value) : value;
}

// C11, annex G.5.1, example 1: what an infinite factor makes of a product that came out as NaN.
template <class T>
__device__ Complex<T> product_of_infinities(Complex<T> x, Complex<T> y, Complex<T> nan) {
  bool is_infinite = false;
  T a = x.re, b = x.im, c = y.re, d = y.im;
  if (isinf(a) || isinf(b)) {
    a = as_unit(a), b = as_unit(b), c = without_nan(c), d = without_nan(d);
    is_infinite = true;
  }
  if (isinf(c) || isinf(d)) {
    c = as_unit(c), d = as_unit(d), a = without_nan(a), b = without_nan(b);
    is_infinite = true;
  }
  if (!is_infinite && (isinf(a * c) || isinf(b * d) || isinf(a * d) || isinf(b * c))) {
    a = without_nan(a), b = without_nan(b), c = without_nan(c), d = without_nan(d);
    is_infinite = true;
  }
  if (!is_infinite) return nan;
  const T infinity = static_cast<T>(INFINITY);
  return {infinity * (a * c - b * d), infinity * (a * d + b * c)};
}

template <class C>
__device__ C times(C a, C b) {
  if constexpr (kIsPair<C>) {
    const C product{a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    if (!(isnan(product.re) && isnan(product.im))) return product;
    return product_of_infinities(a, b, product);
  } else if constexpr (std::is_integral_v<C>) {
    return static_cast<C>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  } else {
    return a * b;
  }
}

/// Both parts divided, or multiplied, by a real number.
template <class C>
__device__ C divided(C value, double by) {
  if constexpr (kIsPair<C>) {
    return {value.re / static_cast<typename C::Part>(by),
            value.im / static_cast<typename C::Part>(by)};
  } else {
    return value / static_cast<C>(by);
  }
}
template <class C>
__device__ C scaled(double factor, C value) {
  if constexpr (kIsPair<C>) {
    return {factor * value.re, factor * value.im};
  } else {
    return factor * value;
  }
}

/// a / b; complex numbers by Smith's algorithm (Smith 1962), within a few units of the last place.
template <class C>
__device__ C quotient(C a, C b) {
  if constexpr (kIsPair<C>) {
    if (fabs(b.re) >= fabs(b.im)) {
      const auto ratio = b.im / b.re;
      const auto denominator = b.re + b.im * ratio;
      return {(a.re + a.im * ratio) / denominator, (a.im - a.re * ratio) / denominator};
    }
    const auto ratio = b.re / b.im;
    const auto denominator = b.re * ratio + b.im;
    return {(a.re * ratio + a.im) / denominator, (a.im * ratio - a.re) / denominator};
  } else {
    return a / b;
  }
}

template <class T>
__device__ Complex<T> root_of_special(Complex<T> z) {
  const T infinity = static_cast<T>(INFINITY);
  const T nan = static_cast<T>(NAN);
  if (isinf(z.im)) return {infinity, z.im};
  if (isinf(z.re)) {
    const T small = isnan(z.im) ? nan : T{0};
    if (z.re < 0) return {small, copysign(infinity, z.im)};
    return {z.re, isnan(z.im) ? nan : copysign(T{0}, z.im)};
  }
  return {nan, nan};
}

/// Principal root. |z| is formed at a scale that neither overflows nor loses digits; within a few
/// units of the last place.
template <class T>
__device__ Complex<T> complex_root(Complex<T> z) {
  if (!isfinite(z.re) || !isfinite(z.im)) return root_of_special(z);
  if (z.re == 0 && z.im == 0) return {T{0}, z.im};
  const T largest = fmax(fabs(z.re), fabs(z.im));
  const int shift = (ilogb(largest) / 2) * 2;
  const T re = scalbn(z.re, -shift), im = scalbn(z.im, -shift);
  const T modulus = hypot(re, im);
  const T big = sqrt(T(0.5) * (modulus + fabs(re)));
  const T small = T(0.5) * (fabs(im) / big);
  const T real = scalbn(re >= 0 ? big : small, shift / 2);
  const T imaginary = scalbn(re >= 0 ? small : big, shift / 2);
  return {real, copysign(imaginary, z.im)};
}

template <class C>
__device__ C root(C value) {
  if constexpr (kIsPair<C>) {
    return complex_root(value);
  } else if constexpr (std::is_integral_v<C>) {
    return value;  // promoted with a float, so never reached
  } else {
    return sqrt(value);
  }
}

}  // namespace parley::exec::cuda
