// Jacobi's iteration for the Laplace equation on a grid that is dealt out by block rows, one array
// each (and one for the next iterate). A task reads its own rows and one row of either neighbour.
// Every `check` iterations each block row leaves its change in an element of one array, and the CPU
// looks at the greatest.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

class Jacobi {
 public:
  explicit Jacobi(const GeneratorValues& values)
      : blocks_(values.at("blocks")),
        iterations_(values.at("iterations")),
        check_(values.at("check")),
        place_(values),
        builder_("jacobi", "Jacobi's iteration by block rows with halo rows") {
    const core::DType dtype = dtype_of(values);
    const HomeRule home(values);
    if (home.fault()) builder_.refuse(*home.fault());
    const std::int64_t rows = values.at("rows"), columns = values.at("columns");
    for (std::int64_t i = 0; i < blocks_; ++i) {
      for (const std::size_t turn : {0U, 1U}) {
        const std::string name = (turn == 0 ? "U_" : "V_") + std::to_string(i);
        rows_[turn].push_back(
            builder_.add_array(name, {rows, columns}, dtype, random_contents(1), home(i)));
      }
    }
    change_ = builder_.add_array("change", {blocks_}, dtype, zero_contents(dtype));
    greatest_ = builder_.add_array("greatest", {}, dtype, zero_contents(dtype));
    const double points = static_cast<double>(rows) * static_cast<double>(columns);
    const double bytes = 2 * points * static_cast<double>(core::element_bytes(dtype));
    relax_ = {"relax", {}, work_cost(4 * points, bytes)};
    compare_ = {"compare", {}, work_cost(2 * points, bytes)};
    decide_ = {"decide", {kernel_call("max", {0, 1})}, work_cost(static_cast<double>(blocks_), 0)};
  }

  core::Result<core::Program> make() {
    for (std::int64_t t = 0; t < iterations_; ++t) {
      for (std::int64_t i = 0; i < blocks_; ++i) relax(t, i);
      if (check_ > 0 && (t + 1) % check_ == 0) check(t);
    }
    return std::move(builder_).finish();
  }

 private:
  void relax(std::int64_t t, std::int64_t i) {
    const auto& now = rows_[static_cast<std::size_t>(t % 2)];
    const auto& next = rows_[static_cast<std::size_t>((t + 1) % 2)];
    const auto at = static_cast<std::size_t>(i);
    std::vector<core::Access> accesses = {in(now[at])};
    if (i > 0) accesses.push_back(in(builder_.slice(now[at - 1], {-1})));
    if (i + 1 < blocks_) accesses.push_back(in(builder_.slice(now[at + 1], {0})));
    accesses.push_back(out(next[at]));
    builder_.spawn(relax_, {t, i}, std::move(accesses), place_(i), 2 * (iterations_ - t));
  }

  void check(std::int64_t t) {
    for (std::int64_t i = 0; i < blocks_; ++i) {
      const auto at = static_cast<std::size_t>(i);
      builder_.spawn(compare_, {t, i},
                     {in(rows_[0][at]), in(rows_[1][at]), out(builder_.slice(change_, {i}))},
                     place_(i), 2 * (iterations_ - t));
    }
    builder_.spawn(decide_, {t}, {in(change_), out(greatest_)}, on("cpu"), 2 * (iterations_ - t));
  }

  std::int64_t blocks_, iterations_, check_;
  PlacementRule place_;
  ProgramBuilder builder_;
  std::vector<core::RegionView> rows_[2];
  core::RegionView change_, greatest_;
  TaskFamily relax_, compare_, decide_;
};

GeneratorSize jacobi_size(const GeneratorValues& values) {
  const double blocks = real_of(values, "blocks"), iterations = real_of(values, "iterations");
  const std::int64_t check = values.at("check");
  const double checks = check > 0 ? static_cast<double>(values.at("iterations") / check) : 0.0;
  return {iterations * blocks + checks * (blocks + 1),
          iterations * (4 * blocks - 2) + checks * (3 * blocks + 2)};
}

core::Result<core::Program> make_jacobi(const GeneratorValues& values) {
  return Jacobi(values).make();
}

}  // namespace

void register_generator_jacobi(GeneratorRegistry& registry);
void register_generator_jacobi(GeneratorRegistry& registry) {
  registry.add(
      {"jacobi", "Jacobi's iteration by block rows, halo rows as slices: iterations x blocks tasks",
       joined({number_parameter("blocks", 1, 100'000, 8, "block rows"),
               number_parameter("rows", 1, 1 << 24, 2048, "rows of a block", "elements"),
               number_parameter("columns", 1, 1 << 24, 16384, "columns of the grid", "elements"),
               number_parameter("iterations", 1, 1'000'000, 20, "how often"),
               number_parameter("check", 0, 1'000'000, 0,
                                "iterations between looks at the change; 0: never"),
               dtype_parameter()},
              joined(placement_parameters(), home_parameters())),
       jacobi_size, make_jacobi});
}

}  // namespace parley::workloads
