// Cholesky factorisation of a symmetric positive definite matrix, right-looking, by tiles of the
// lower triangle: L L^T = A in place. Tasks as in Buttari, Langou, Kurzak and Dongarra, "A class of
// parallel tiled linear algebra algorithms for multicore architectures", 2009. solve=inverse
// multiplies a column by the inverse of its diagonal tile instead of solving for it: a product is
// several times as fast as a triangular solve on a GPU, and the inverse is computed once a column
// (Du, Weber, Luszczek, Tomov, Peterson and Dongarra, "From CUDA to OpenCL: towards a
// performance-portable solution for multi-platform GPU programming", 2012).
#include "workloads/generator_parameters.h"
#include "workloads/tile_matrix.h"

namespace parley::workloads {
namespace {

enum class Solve : std::int64_t { kSubstitution, kInverse };

bool inverts(const GeneratorValues& values) {
  return static_cast<Solve>(values.at("solve")) == Solve::kInverse;
}

/// Number of tasks on the longest path from a task to the end, its own included: updates of a tile
/// follow each other up to its factorisation, and potrf, (invert,) the solve and syrk repeat down
/// the diagonal.
struct LongestPath {
  std::int64_t tiles;
  bool is_inverse;

  [[nodiscard]] std::int64_t potrf(std::int64_t k) const {
    return (is_inverse ? 4 : 3) * (tiles - 1 - k) + 1;
  }
  [[nodiscard]] std::int64_t syrk(std::int64_t i, std::int64_t k) const { return i - k + potrf(i); }
  [[nodiscard]] std::int64_t solve(std::int64_t i, std::int64_t k) const {
    return 2 * (i - k) + potrf(i);
  }
  [[nodiscard]] std::int64_t gemm(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return j - k + solve(i, j);
  }
};

GeneratorSize cholesky_size(const GeneratorValues& values) {
  const double n = real_of(values, "tiles");
  const double pairs = n * (n - 1) / 2, triples = n * (n - 1) * (n - 2) / 6;
  const double inverses = inverts(values) ? n - 1 : 0;
  return {n + inverses + 2 * pairs + triples, n + 2 * inverses + 4 * pairs + 3 * triples};
}

/// The tasks of one program, column by column.
class Cholesky {
 public:
  explicit Cholesky(const GeneratorValues& values)
      : tiles_(values.at("tiles")),
        is_inverse_(inverts(values)),
        builder_("cholesky", "tiled Cholesky factorisation, right-looking, lower triangle"),
        a_(builder_, values, "A", {tiles_, tiles_, TileMatrix::Part::kLower}, 1,
           dominant_diagonal(values)),
        place_(values),
        path_{tiles_, is_inverse_} {
    builder_.set_factorization(a_.factorized(core::Factorization::Kind::kCholesky));
    const double cube = cube_of_tile(values);
    potrf_ = tile_family(values, "potrf", {kernel_call("potrf", {0})}, cube / 3, 2);
    syrk_ = tile_family(values, "syrk", {kernel_call("syrk", {0, 1}, {{"alpha", -1.0}})}, cube, 3);
    gemm_ = tile_family(values, "gemm",
                        {kernel_call("gemm", {0, 1, 2}, {{"alpha", -1.0}, {"transpose_b", 1.0}})},
                        2 * cube, 4);
    if (is_inverse_) {
      invert_ = tile_family(values, "invert", {kernel_call("trtri", {0, 1})}, cube / 3, 2);
      solve_ =
          tile_family(values, "trmm", {kernel_call("trmm", {0, 1}, {{"transpose", 1.0}})}, cube, 3);
      add_inverses(values);
    } else {
      solve_ = tile_family(values, "trsm", {kernel_call("trsm", {0, 1})}, cube, 3);
    }
  }

  core::Result<core::Program> make() {
    for (std::int64_t k = 0; k < tiles_; ++k) {
      factorize(k);
      for (std::int64_t i = k + 1; i < tiles_; ++i) update_row(i, k);
    }
    return std::move(builder_).finish();
  }

 private:
  /// Inverses of the diagonal tiles, named so that W_3_3 goes where A_3_3 goes. The last one is
  /// never needed.
  void add_inverses(const GeneratorValues& values) {
    const std::int64_t edge = values.at("tile");
    for (std::int64_t k = 0; k + 1 < tiles_; ++k) {
      inverses_.push_back(
          builder_.add_array(tile_name("W", k, k), {edge, edge}, dtype_of(values), {}));
    }
  }

  /// Column k of the factor.
  void factorize(std::int64_t k) {
    builder_.spawn(potrf_, {k}, {inout(a_(k, k))}, place_(k), path_.potrf(k));
    if (k + 1 == tiles_) return;
    core::RegionView triangle = a_(k, k);
    if (is_inverse_) {
      triangle = inverses_[static_cast<std::size_t>(k)];
      builder_.spawn(invert_, {k}, {in(a_(k, k)), out(triangle)}, place_(k), path_.potrf(k) - 1);
    }
    for (std::int64_t i = k + 1; i < tiles_; ++i) {
      builder_.spawn(solve_, {i, k}, {in(triangle), inout(a_(i, k))}, place_(i), path_.solve(i, k));
    }
  }

  /// Takes column k of the factor out of row i of what is left.
  void update_row(std::int64_t i, std::int64_t k) {
    for (std::int64_t j = k + 1; j < i; ++j) {
      builder_.spawn(gemm_, {i, j, k}, {in(a_(i, k)), in(a_(j, k)), inout(a_(i, j))}, place_(i),
                     path_.gemm(i, j, k));
    }
    builder_.spawn(syrk_, {i, k}, {in(a_(i, k)), inout(a_(i, i))}, place_(i), path_.syrk(i, k));
  }

  std::int64_t tiles_;
  bool is_inverse_;
  ProgramBuilder builder_;
  TileMatrix a_;
  PlacementRule place_;
  LongestPath path_;
  TaskFamily potrf_, invert_, solve_, syrk_, gemm_;
  std::vector<core::RegionView> inverses_;
};

core::Result<core::Program> make_cholesky(const GeneratorValues& values) {
  return Cholesky(values).make();
}

}  // namespace

void register_generator_cholesky(GeneratorRegistry& registry);
void register_generator_cholesky(GeneratorRegistry& registry) {
  registry.add({"cholesky",
                "tiled Cholesky factorisation, right-looking: n(n+1)(n+2)/6 tasks for n tiles",
                joined({word_parameter("solve", {"substitution", "inverse"},
                                       "columns by trsm; or by trmm with the inverse of the "
                                       "diagonal tile, n - 1 tasks more")},
                       tile_parameters(32)),
                cholesky_size, make_cholesky});
}

}  // namespace parley::workloads
