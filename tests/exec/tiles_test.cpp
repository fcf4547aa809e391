// Tile kernels on the host: trmm and trtri by their definitions, and the library's results against
// those of the plain loops, which any odd stride leads to.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/graph/element.h"
#include "exec/kernel_registry.h"
#include "exec/tile_library.h"

namespace parley::exec {
namespace {

using core::DType;
using Parameters = std::vector<std::pair<std::string, double>>;

/// A matrix with memory of its own; `step` elements from one of a row to the next.
struct TileMatrix {
  std::vector<double> values;
  HostOperand operand;

  TileMatrix(std::int64_t rows, std::int64_t columns, std::int64_t step = 1)
      : values(static_cast<std::size_t>(rows * columns * step), 77.0) {
    operand.dtype = DType::kFloat64;
    operand.shape = {rows, columns};
    operand.strides = {8 * columns * step, 8 * step};
  }
  double& at(std::int64_t i, std::int64_t j) {
    return values[static_cast<std::size_t>((i * operand.strides[0] + j * operand.strides[1]) / 8)];
  }
  [[nodiscard]] double at(std::int64_t i, std::int64_t j) const {
    return const_cast<TileMatrix*>(this)->at(i, j);
  }
  [[nodiscard]] std::int64_t rows() const { return operand.shape[0]; }
  [[nodiscard]] std::int64_t columns() const { return operand.shape[1]; }
};

TileMatrix random_matrix(std::uint64_t seed, std::int64_t rows, std::int64_t columns,
                         double diagonal = 0.0) {
  std::mt19937_64 random(seed);
  TileMatrix made(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      made.at(i, j) = static_cast<double>(random() >> 11U) * 0x1p-53 + (i == j ? diagonal : 0.0);
    }
  }
  return made;
}

TileMatrix spread(const TileMatrix& from) {
  TileMatrix made(from.rows(), from.columns(), 2);
  for (std::int64_t i = 0; i < from.rows(); ++i) {
    for (std::int64_t j = 0; j < from.columns(); ++j) made.at(i, j) = from.at(i, j);
  }
  return made;
}

void run_tile(const std::string& name, const Parameters& parameters,
              std::vector<TileMatrix>& matrices) {
  static const KernelRegistry registry;
  std::vector<HostOperand> operands;
  for (TileMatrix& matrix : matrices) {
    operands.push_back(matrix.operand);
    operands.back().data = reinterpret_cast<std::byte*>(matrix.values.data());
  }
  (*registry.find(name))({name, parameters, {}}, operands);
}

double on(const Parameters& parameters, const std::string& name) {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return name == "transpose" || name == "alpha" ? 1.0 : 0.0;
}

// op(T) as a full matrix.
TileMatrix triangle_of(const TileMatrix& t, const Parameters& parameters, bool is_transposed) {
  TileMatrix full(t.rows(), t.rows());
  for (std::int64_t i = 0; i < t.rows(); ++i) {
    for (std::int64_t j = 0; j < t.rows(); ++j) {
      const bool is_in = on(parameters, "upper") > 0.5 ? i <= j : i >= j;
      const double value = i == j && on(parameters, "unit") > 0.5 ? 1.0 : (is_in ? t.at(i, j) : 0);
      (is_transposed ? full.at(j, i) : full.at(i, j)) = value;
    }
  }
  return full;
}

TileMatrix product(const TileMatrix& a, const TileMatrix& b) {
  TileMatrix c(a.rows(), b.columns());
  for (std::int64_t i = 0; i < c.rows(); ++i) {
    for (std::int64_t j = 0; j < c.columns(); ++j) {
      c.at(i, j) = 0.0;
      for (std::int64_t k = 0; k < a.columns(); ++k) c.at(i, j) += a.at(i, k) * b.at(k, j);
    }
  }
  return c;
}

double greatest_difference(const TileMatrix& a, const TileMatrix& b, double factor = 1.0) {
  double most = 0.0;
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    for (std::int64_t j = 0; j < a.columns(); ++j) {
      const double apart = std::abs(a.at(i, j) - factor * b.at(i, j));
      most = std::isnan(apart) ? std::numeric_limits<double>::infinity() : std::max(most, apart);
    }
  }
  return most;
}

std::vector<Parameters> all_triangles() {
  std::vector<Parameters> all;
  for (int bits = 0; bits < 16; ++bits) {
    all.push_back({{"left", bits & 1},
                   {"upper", bits >> 1 & 1},
                   {"transpose", bits >> 2 & 1},
                   {"unit", bits >> 3 & 1}});
  }
  return all;
}

TEST_CASE("trmm multiplies by the triangle alone, in place and out of place, small and large") {
  for (const std::int64_t n : {5, 70}) {
    for (Parameters parameters : all_triangles()) {
      const bool is_left = on(parameters, "left") > 0.5;
      const std::int64_t m = n + 3;
      const TileMatrix t = random_matrix(1, n, n);
      const TileMatrix x = is_left ? random_matrix(2, n, m) : random_matrix(2, m, n);
      const TileMatrix full = triangle_of(t, parameters, on(parameters, "transpose") > 0.5);
      const TileMatrix expected = is_left ? product(full, x) : product(x, full);
      parameters.emplace_back("alpha", -0.5);
      CAPTURE(n);
      std::vector<TileMatrix> in_place = {t, x};
      run_tile("trmm", parameters, in_place);
      CHECK(greatest_difference(in_place[1], expected, -0.5) <= 1e-12);
      std::vector<TileMatrix> apart = {t, x, TileMatrix(x.rows(), x.columns())};
      run_tile("trmm", parameters, apart);
      CHECK(greatest_difference(apart[2], expected, -0.5) <= 1e-12);
      CHECK(apart[1].values == x.values);
    }
  }
}

TEST_CASE("trtri inverts the triangle and clears the other one") {
  for (const std::int64_t n : {6, 80}) {
    for (const Parameters& parameters :
         {Parameters{}, Parameters{{"upper", 1.0}}, Parameters{{"unit", 1.0}}}) {
      TileMatrix t = random_matrix(3, n, n);
      for (double& value : t.values) value /= static_cast<double>(n);
      for (std::int64_t i = 0; i < n; ++i) t.at(i, i) += 2.0;
      std::vector<TileMatrix> matrices = {t, TileMatrix(n, n)};
      run_tile("trtri", parameters, matrices);
      const TileMatrix one = product(triangle_of(t, parameters, false), matrices[1]);
      TileMatrix identity(n, n);
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          identity.at(i, j) = i == j ? 1.0 : 0.0;
          const bool is_in = on(parameters, "upper") > 0.5 ? i <= j : i >= j;
          if (!is_in) CHECK(std::abs(matrices[1].at(i, j)) <= 0.0);
        }
      }
      CHECK(greatest_difference(one, identity) <= 1e-13);
      CHECK(matrices[0].values == t.values);
    }
  }
}

TEST_CASE("a solve is a product with the inverse") {
  const std::int64_t n = 40;
  const TileMatrix t = random_matrix(4, n, n, 8.0);
  std::vector<TileMatrix> inverse = {t, TileMatrix(n, n)};
  run_tile("trtri", {}, inverse);
  std::vector<TileMatrix> solved = {t, random_matrix(5, n, n)};
  std::vector<TileMatrix> multiplied = {inverse[1], solved[1]};
  run_tile("trsm", {}, solved);
  run_tile("trmm", {}, multiplied);
  CHECK(greatest_difference(solved[1], multiplied[1]) <= 1e-12);
}

TEST_CASE("the library's results are those of the plain loops, to rounding") {
  struct Case {
    std::string name;
    std::vector<Parameters> parameters;
    std::size_t matrices;
  };
  const std::vector<Case> cases = {
      {"gemm", {{}, {{"transpose_a", 1.0}, {"beta", 0.0}}, {{"transpose_b", 1.0}}}, 3},
      {"syrk", {{}, {{"transpose", 1.0}, {"alpha", -1.0}}}, 2},
      {"trsm", all_triangles(), 2},
      {"trmm", all_triangles(), 3},
      {"trtri", {{}, {{"upper", 1.0}}}, 2},
      {"potrf", {{}}, 1},
      {"getrf", {{}}, 1}};
  const std::int64_t n = 130;  // several blocks, the last one short
  for (const Case& c : cases) {
    for (const Parameters& parameters : c.parameters) {
      CAPTURE(c.name);
      std::vector<TileMatrix> rows, odd;
      for (std::size_t i = 0; i < c.matrices; ++i) {
        rows.push_back(random_matrix(10 + i, n, n, i == 0 ? static_cast<double>(n) : 0.0));
        if (on(parameters, "unit") > 0.5 && i == 0) {
          for (double& value : rows[0].values) value /= static_cast<double>(10 * n);
        }
        odd.push_back(spread(rows.back()));
      }
      run_tile(c.name, parameters, rows);
      run_tile(c.name, parameters, odd);
      for (std::size_t i = 0; i < c.matrices; ++i) {
        CHECK(greatest_difference(rows[i], odd[i]) <= 1e-9);
      }
    }
  }
}

TEST_CASE("a large matrix that is not positive definite gives NaN from the pivot on") {
  TileMatrix a = random_matrix(6, 150, 150, 200.0);
  a.at(100, 100) = -1.0;
  std::vector<TileMatrix> matrices = {a};
  run_tile("potrf", {}, matrices);
  for (std::int64_t i = 0; i < 150; ++i) CHECK(std::isnan(matrices[0].at(i, i)) == (i >= 100));
}

}  // namespace
}  // namespace parley::exec
