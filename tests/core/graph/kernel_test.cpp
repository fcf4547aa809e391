#include "core/graph/kernel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

using namespace parley::core;

namespace {

KernelCall call(std::string name, std::size_t arguments,
                std::vector<std::pair<std::string, double>> parameters = {}) {
  KernelCall out{std::move(name), std::move(parameters), {}};
  for (std::size_t i = 0; i < arguments; ++i) {
    out.arguments.push_back({false, static_cast<std::uint16_t>(i), {}});
  }
  return out;
}

using Shapes = std::vector<std::vector<std::int64_t>>;

}  // namespace

TEST_CASE("every kernel of the workload format has a signature") {
  for (const char* name :
       {"fill",       "random",   "add_scalar", "scale",  "sqrt", "copy",   "add",
        "multiply",   "axpy",     "sum",        "max",    "mean", "argmax", "none",
        "clone_here", "hash_mix", "spin",       "gemm",   "syrk", "trsm",   "trmm",
        "trtri",      "potrf",    "getrf",      "stencil"}) {
    CAPTURE(name);
    REQUIRE(find_kernel(name) != nullptr);
    CHECK(find_kernel(name)->name == name);
    CHECK(!find_kernel(name)->meaning.empty());
  }
  CHECK(find_kernel("gem") == nullptr);
  CHECK(find_kernel("") == nullptr);
}

TEST_CASE("signatures are sorted by name, unique and complete") {
  const auto all = kernel_signatures();
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const auto& a, const auto& b) { return a.name < b.name; }));
  std::set<std::string> names;
  for (const KernelSignature& signature : all) {
    CAPTURE(signature.name);
    CHECK(names.insert(signature.name).second);
    CHECK(!signature.arguments.empty());
    CHECK(signature.optional_arguments <= signature.arguments.size());
    const bool has_size = signature.shapes != ShapeRule::kAny || signature.name == "hash_mix";
    CHECK(signature.size_meaning.empty() != has_size);
    for (const KernelParameter& parameter : signature.parameters) {
      CHECK(!parameter.meaning.empty());
      CHECK(parameter.lowest <= parameter.highest);
    }
  }
}

TEST_CASE("an elementwise kernel with one operand works in place, with two it leaves the source") {
  for (const char* name : {"sqrt", "scale", "add_scalar"}) {
    CAPTURE(name);
    CHECK(argument_mode(call(name, 1), 0) == ArgumentMode::kReadWrite);
    CHECK(argument_mode(call(name, 2), 0) == ArgumentMode::kRead);
    CHECK(argument_mode(call(name, 2), 1) == ArgumentMode::kWrite);
  }
  CHECK(argument_mode(call("axpy", 2), 1) == ArgumentMode::kReadWrite);
  CHECK(argument_mode(call("hash_mix", 5), 4) == ArgumentMode::kAny);
}

TEST_CASE("trmm with two operands overwrites the second only, with three it keeps both") {
  CHECK(argument_mode(call("trmm", 2), 0) == ArgumentMode::kRead);
  CHECK(argument_mode(call("trmm", 2), 1) == ArgumentMode::kReadWrite);
  CHECK(argument_mode(call("trmm", 3), 1) == ArgumentMode::kRead);
  CHECK(argument_mode(call("trmm", 3), 2) == ArgumentMode::kWrite);
}

TEST_CASE("a target scaled by zero is only written") {
  CHECK(argument_mode(call("gemm", 3), 2) == ArgumentMode::kReadWrite);
  CHECK(argument_mode(call("gemm", 3, {{"beta", 0.0}}), 2) == ArgumentMode::kWrite);
  CHECK(argument_mode(call("gemm", 3, {{"beta", 0.0}}), 1) == ArgumentMode::kRead);
}

TEST_CASE("parameters left out take their defaults") {
  CHECK(parameter_of(call("gemm", 3, {{"alpha", -1.0}}), "alpha") == -1.0);
  CHECK(parameter_of(call("gemm", 3), "alpha") == 1.0);
  CHECK(parameter_of(call("trsm", 2), "transpose") == 1.0);
  CHECK(!parameter_of(call("sum", 2), "axis"));
  CHECK(!parameter_of(call("sum", 2), "no such parameter"));
  CHECK(!parameter_of(call("no such kernel", 2), "axis"));
}

TEST_CASE("faults of a call say what is wrong, what is allowed and the nearest match") {
  struct Case {
    KernelCall call;
    const char* fault;
  };
  const std::vector<Case> cases = {
      {call("gem", 3), "unknown kernel \"gem\"; did you mean \"gemm\"?"},
      {call("gemm", 2), "kernel \"gemm\" takes 3 operands, not 2"},
      {call("sqrt", 3), "kernel \"sqrt\" takes 1 or 2 operands, not 3"},
      {call("fill", 1), "kernel \"fill\": parameter \"value\" (what to write) is missing"},
      {call("fill", 1, {{"value", 1.0}, {"value", 2.0}}),
       "kernel \"fill\": parameter \"value\" is given twice"},
      {call("gemm", 3, {{"alpa", 1.0}}),
       "kernel \"gemm\": unknown parameter \"alpa\"; did you mean \"alpha\"?"},
      {call("sum", 2, {{"axis", 0.5}}),
       "kernel \"sum\": parameter \"axis\" is 0.5; it must be an integer from -8 to 7"},
      {call("gemm", 3, {{"transpose_a", 2.0}}),
       "kernel \"gemm\": parameter \"transpose_a\" is 2; it must be an integer from 0 to 1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.fault);
    REQUIRE(call_fault(c.call));
    CHECK(*call_fault(c.call) == std::string(c.fault));
  }
  for (const KernelCall& right :
       {call("none", 0), call("none", 7), call("sum", 2, {{"axis", -1.0}}), call("sqrt", 1),
        call("fill", 1, {{"value", 1.0}}), call("spin", 1, {{"ns", 1e6}})}) {
    CAPTURE(right.name);
    CHECK(!call_fault(right));
  }
}

TEST_CASE("extents that do not fit together are faults") {
  struct Case {
    KernelCall call;
    Shapes shapes;
    const char* fault;  // null: right
  };
  const std::vector<Case> cases = {
      {call("add", 3), {{2, 3}, {2, 3}, {2, 3}}, nullptr},
      {call("add", 3),
       {{2, 3}, {2}, {2, 3}},
       "operand 1 has shape (2,), operand 0 (2, 3); they must be equal"},
      {call("sum", 2), {{4, 5}, {}}, nullptr},
      {call("sum", 2), {{4, 5}, {1}}, nullptr},
      {call("sum", 2),
       {{4, 5}, {5}},
       "target has shape (5,); without an axis it must have one element"},
      {call("max", 2, {{"axis", 0.0}}), {{4, 5}, {5}}, nullptr},
      {call("max", 2, {{"axis", -1.0}}), {{4, 5}, {4}}, nullptr},
      {call("max", 2, {{"axis", 1.0}}), {{4, 5}, {5}}, "target has shape (5,); it must be (4,)"},
      {call("max", 2, {{"axis", 2.0}}), {{4, 5}, {5}}, "axis 2 of an operand with 2 dimensions"},
      {call("mean", 2), {{0}, {}}, "nothing to reduce: the source is empty"},
      {call("gemm", 3), {{2, 3}, {3, 4}, {2, 4}}, nullptr},
      {call("gemm", 3, {{"transpose_b", 1.0}}), {{2, 3}, {4, 3}, {2, 4}}, nullptr},
      {call("gemm", 3, {{"transpose_a", 1.0}}), {{3, 2}, {3, 4}, {2, 4}}, nullptr},
      {call("gemm", 3), {{2, 3}, {4, 3}, {2, 4}}, "B has shape (4, 3); it must be (3, 4)"},
      {call("gemm", 3), {{2}, {3, 4}, {2, 4}}, "A has shape (2,); it must have two dimensions"},
      {call("syrk", 2), {{4, 3}, {4, 4}}, nullptr},
      {call("syrk", 2), {{3, 4}, {4, 4}}, "C has shape (4, 4); it must be (3, 3)"},
      {call("trsm", 2), {{3, 3}, {5, 3}}, nullptr},
      {call("trsm", 2, {{"left", 1.0}}), {{3, 3}, {5, 3}}, "T has shape (3, 3); it must be (5, 5)"},
      {call("trmm", 2), {{3, 3}, {5, 3}}, nullptr},
      {call("trmm", 3), {{3, 3}, {5, 3}, {5, 3}}, nullptr},
      {call("trmm", 3), {{3, 3}, {5, 3}, {3, 5}}, "target has shape (3, 5); it must be (5, 3)"},
      {call("trtri", 2), {{3, 3}, {3, 3}}, nullptr},
      {call("trtri", 2), {{3, 4}, {3, 3}}, "T has shape (3, 4); it must be (3, 3)"},
      {call("trtri", 2), {{3, 3}, {4, 4}}, "target has shape (4, 4); it must be (3, 3)"},
      {call("potrf", 1), {{3, 4}}, "A has shape (3, 4); it must be (3, 3)"},
      {call("stencil", 2), {{6, 7}, {4, 5}}, nullptr},
      {call("stencil", 2, {{"radius", 2.0}}), {{6}, {4}}, "source has shape (6,); it must be (8,)"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.call.name);
    CHECK(shape_fault(c.call, c.shapes) ==
          (c.fault ? std::optional<std::string>(c.fault) : std::nullopt));
  }
}

TEST_CASE("flops and table sizes follow the textbook counts") {
  const Shapes gemm = {{100, 200}, {200, 50}, {100, 50}};
  CHECK(kernel_flops(call("gemm", 3), gemm) == doctest::Approx(2.0 * 100 * 200 * 50));
  CHECK(kernel_table_size(*find_kernel("gemm"), gemm) == 100);
  const Shapes squares(3, {2048, 2048});
  const auto few = [&](std::size_t n) { return std::span(squares).first(n); };
  CHECK(kernel_table_size(*find_kernel("gemm"), few(3)) == 2048);
  CHECK(kernel_table_size(*find_kernel("syrk"), few(2)) == 2048);
  CHECK(kernel_table_size(*find_kernel("trsm"), few(2)) == 2048);
  CHECK(kernel_table_size(*find_kernel("potrf"), few(1)) == 2048);
  CHECK(kernel_table_size(*find_kernel("add"), few(3)) == 2048 * 2048);
  CHECK(kernel_table_size(*find_kernel("none"), few(3)) == 0);
  CHECK(kernel_flops(call("potrf", 1), few(1)) == doctest::Approx(std::pow(2048.0, 3) / 3.0));
  CHECK(kernel_flops(call("trmm", 2), few(2)) == doctest::Approx(std::pow(2048.0, 3)));
  CHECK(kernel_flops(call("trtri", 2), few(2)) == doctest::Approx(std::pow(2048.0, 3) / 3.0));
  CHECK(kernel_flops(call("syrk", 2), few(2)) == doctest::Approx(std::pow(2048.0, 3)));
  CHECK(kernel_flops(call("axpy", 2), few(2)) == doctest::Approx(2.0 * 2048 * 2048));
  CHECK(kernel_flops(call("fill", 1), few(1)) == 0.0);
  CHECK(kernel_flops(call("stencil", 2), Shapes{{12, 12}, {10, 10}}) == doctest::Approx(400.0));
  CHECK(kernel_table_size(*find_kernel("sum"), Shapes{{4, 5}, {}}) == 20);
}
