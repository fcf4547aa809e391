#include "exec/verify/residual.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "exec/verify/matrix_rows.h"
#include "exec/verify/parallel.h"

namespace parley::exec {
namespace {

using core::Factorization;
using Vector = std::vector<double>;

void add_absolute(double* target, Row a) {
  for (std::size_t i = 0; i < a.size(); ++i) target[i] += std::abs(a[i]);
}

class ResidualOf {
 public:
  ResidualOf(const core::Program& program,
             const core::IdVector<core::ArrayId, ArrayContents>& arrays, unsigned threads)
      : program_(program),
        factorization_(*program.factorization()),
        arrays_(arrays),
        threads_(thread_count(threads)),
        is_cholesky_(factorization_.kind == Factorization::Kind::kCholesky) {
    for (std::size_t i = 0; i < factorization_.rows; ++i) {
      starts_.push_back(order_);
      order_ += static_cast<std::size_t>(program.region(factorization_.tile(i, i)).box[0].count);
    }
  }

  Residual compute() {
    const Vector x = random_vector(order_);
    Vector row_sums;
    const Vector matrix_times_x = times_matrix(x, row_sums);
    const Vector inner = is_cholesky_ ? times_lower_transposed(x) : times_upper(x);
    const Vector product = times_lower(inner);
    Residual residual;
    residual.not_finite = not_finite_;
    double error = 0.0;
    for (std::size_t i = 0; i < order_; ++i) {
      const double difference = std::abs(matrix_times_x[i] - product[i]);
      if (!(difference <= error)) error = difference;
    }
    const core::Region& first = program_.region(factorization_.tile(0, 0));
    const double epsilon = epsilon_of_matrix(program_.array(first.array).spec.dtype);
    const double unit = static_cast<double>(order_) * epsilon * greatest(row_sums) * greatest(x);
    residual.value = unit > 0.0 ? error / unit : error;
    if (residual.not_finite) residual.value = std::numeric_limits<double>::quiet_NaN();
    return residual;
  }

 private:
  /// Calls visit(i, j, r, row, sums) for the rows of the tiles for which `wants`, in several
  /// threads; `sums` are zeros of the thread's own, added up in the end.
  template <class Wants, class Visit>
  Vector summed(bool is_before, std::size_t length, Wants&& wants, Visit&& visit) {
    std::vector<Vector> sums(threads_);
    in_parallel(threads_, [&](unsigned thread) {
      sums[thread].assign(length, 0.0);
      MatrixRows rows(program_, is_before ? nullptr : &arrays_);
      std::size_t number = 0;
      for (std::size_t i = 0; i < factorization_.rows; ++i) {
        for (std::size_t j = 0; j < factorization_.rows; ++j) {
          if (!wants(i, j) || number++ % threads_ != thread) continue;
          rows.for_each(factorization_.tile(i, j),
                        [&](std::size_t r, Row row) { visit(i, j, r, row, sums[thread]); });
        }
      }
    });
    for (std::size_t thread = 1; thread < threads_; ++thread) {
      for (std::size_t i = 0; i < length; ++i) sums[0][i] += sums[thread][i];
    }
    return std::move(sums[0]);
  }

  /// A x, and the sums of |A| by rows.
  Vector times_matrix(const Vector& x, Vector& row_sums) {
    // The second half of `sums` has the row sums.
    Vector both = summed(
        true, 2 * order_, [&](std::size_t i, std::size_t j) { return !is_cholesky_ || j <= i; },
        [&](std::size_t i, std::size_t j, std::size_t r, Row row, Vector& sums) {
          const std::size_t at = starts_[i] + r, from = starts_[j];
          double* absolute = sums.data() + order_;
          if (is_cholesky_) {  // the lower triangle, and its mirror image without the diagonal
            const Row mirrored = i == j ? row.first(r) : row;
            if (i == j) row = row.first(r + 1);
            add_to(&sums[from], x[at], mirrored);
            add_absolute(absolute + from, mirrored);
          }
          sums[at] += dot(row, &x[from]);
          absolute[at] += absolute_sum(row);
        });
    row_sums.assign(both.begin() + static_cast<std::ptrdiff_t>(order_), both.end());
    both.resize(order_);
    return both;
  }

  /// L^T x.
  Vector times_lower_transposed(const Vector& x) {
    return summed(
        false, order_, [](std::size_t i, std::size_t j) { return j <= i; },
        [&](std::size_t i, std::size_t j, std::size_t r, Row row, Vector& sums) {
          check(i, j, r, row);
          if (i == j) row = row.first(r + 1);
          add_to(&sums[starts_[j]], x[starts_[i] + r], row);
        });
  }

  /// U x; looks at all tiles.
  Vector times_upper(const Vector& x) {
    return summed(
        false, order_, [](std::size_t, std::size_t) { return true; },
        [&](std::size_t i, std::size_t j, std::size_t r, Row row, Vector& sums) {
          check(i, j, r, row);
          if (j < i) return;
          const std::size_t first = i == j ? r : 0;
          sums[starts_[i] + r] += dot(row.subspan(first), &x[starts_[j] + first]);
        });
  }

  /// L y; the diagonal of L is ones for LU.
  Vector times_lower(const Vector& y) {
    return summed(
        false, order_, [](std::size_t i, std::size_t j) { return j <= i; },
        [&](std::size_t i, std::size_t j, std::size_t r, Row row, Vector& sums) {
          const std::size_t at = starts_[i] + r;
          if (i == j) row = row.first(is_cholesky_ ? r + 1 : r);
          if (i == j && !is_cholesky_) sums[at] += y[at];
          sums[at] += dot(row, &y[starts_[j]]);
        });
  }

  /// Notes the first element that is not finite. What lies above Cholesky's diagonal is not looked
  /// at.
  void check(std::size_t i, std::size_t j, std::size_t r, Row row) {
    const std::size_t count = is_cholesky_ && i == j ? r + 1 : row.size();
    bool is_finite = true;
    for (const double value : row.first(count)) {
      is_finite &= std::abs(value) <= std::numeric_limits<double>::max();
    }
    if (is_finite) return;
    const auto wrong =
        std::find_if(row.begin(), row.end(), [](double value) { return !std::isfinite(value); });
    const std::array<std::size_t, 4> place = {i, j, r,
                                              static_cast<std::size_t>(wrong - row.begin())};
    const std::scoped_lock lock(mutex_);
    if (not_finite_ && place >= first_place_) return;
    first_place_ = place;
    not_finite_ = program_.region_text(factorization_.tile(i, j)) + "[" + std::to_string(r) + ", " +
                  std::to_string(place[3]) + "]: " + (std::isnan(*wrong) ? "nan" : "inf");
  }

  const core::Program& program_;
  const Factorization& factorization_;
  const core::IdVector<core::ArrayId, ArrayContents>& arrays_;
  unsigned threads_;
  bool is_cholesky_;
  std::size_t order_ = 0;
  std::vector<std::size_t> starts_;  // first row of each row of tiles
  std::mutex mutex_;
  std::optional<std::string> not_finite_;
  std::array<std::size_t, 4> first_place_{};
};

}  // namespace

Residual factorization_residual(const core::Program& program,
                                const core::IdVector<core::ArrayId, ArrayContents>& arrays,
                                unsigned threads) {
  return ResidualOf(program, arrays, threads).compute();
}

}  // namespace parley::exec
