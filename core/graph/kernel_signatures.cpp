// The table of all kernels.

#include <algorithm>
#include <limits>

#include "core/graph/kernel.h"

namespace parley::core {
namespace {

constexpr ArgumentMode kIn = ArgumentMode::kRead;
constexpr ArgumentMode kOut = ArgumentMode::kWrite;
constexpr ArgumentMode kInout = ArgumentMode::kReadWrite;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kLargestExact = 9007199254740992.0;  // 2^53

KernelParameter number(std::string name, std::string meaning) {
  return {.name = std::move(name), .meaning = std::move(meaning)};
}

KernelParameter factor(std::string name, std::string meaning) {
  return {.name = std::move(name),
          .is_required = false,
          .default_value = 1.0,
          .meaning = std::move(meaning)};
}

KernelParameter flag(std::string name, bool is_on, std::string meaning) {
  return {.name = std::move(name),
          .is_required = false,
          .default_value = is_on ? 1.0 : 0.0,
          .meaning = std::move(meaning),
          .is_integer = true,
          .lowest = 0.0,
          .highest = 1.0};
}

KernelParameter axis() {
  return {.name = "axis",
          .is_required = false,
          .default_value = kNone,
          .meaning = "dimension that is reduced, from the end when negative; without it all are",
          .is_integer = true,
          .lowest = -8.0,
          .highest = 7.0};
}

KernelSignature elementwise(std::string name, std::string meaning,
                            std::vector<ArgumentMode> arguments,
                            std::vector<KernelParameter> parameters, double flops) {
  return {.name = std::move(name),
          .meaning = std::move(meaning),
          .arguments = std::move(arguments),
          .parameters = std::move(parameters),
          .size_meaning = "elements of the target",
          .shapes = ShapeRule::kElementwise,
          .flops_per_work = flops};
}

/// One inout operand, or a source and a target.
KernelSignature one_or_two(std::string name, std::string meaning,
                           std::vector<KernelParameter> parameters) {
  KernelSignature signature =
      elementwise(std::move(name), std::move(meaning), {kIn, kOut}, std::move(parameters), 1.0);
  signature.optional_arguments = 1;
  return signature;
}

KernelSignature reduction(std::string name, std::string meaning) {
  return {.name = std::move(name),
          .meaning = std::move(meaning),
          .arguments = {kIn, kOut},
          .parameters = {axis()},
          .size_meaning = "elements of the source",
          .shapes = ShapeRule::kReduction,
          .flops_per_work = 1.0};
}

/// Takes whatever operands a task has.
KernelSignature any_operands(std::string name, std::string meaning) {
  return {.name = std::move(name),
          .meaning = std::move(meaning),
          .arguments = {ArgumentMode::kAny},
          .last_argument_repeats = true,
          .optional_arguments = 1};
}

KernelSignature tile(std::string name, std::string meaning, std::vector<ArgumentMode> arguments,
                     std::vector<KernelParameter> parameters, ShapeRule shapes, double flops) {
  return {.name = std::move(name),
          .meaning = std::move(meaning),
          .arguments = std::move(arguments),
          .parameters = std::move(parameters),
          .size_meaning = "edge of the tile; for unequal extents the cube root of their product",
          .shapes = shapes,
          .flops_per_work = flops};
}

void add_elementwise(std::vector<KernelSignature>& all) {
  const KernelParameter seed = {.name = "seed",
                                .is_required = false,
                                .meaning = "where the sequence starts",
                                .is_integer = true,
                                .lowest = 0.0,
                                .highest = kLargestExact};
  const KernelParameter diagonal = {.name = "diagonal",
                                    .is_required = false,
                                    .meaning = "added to the elements whose indices are all equal",
                                    .lowest = -kLargestExact,
                                    .highest = kLargestExact};
  all.push_back(
      elementwise("fill", "target = value", {kOut}, {number("value", "what to write")}, 0.0));
  all.push_back(
      elementwise("random",
                  "target = uniform in [0, 1) (integers: all values alike), element i from "
                  "splitmix64 of seed + i, as an array's initial contents are",
                  {kOut}, {seed, diagonal}, 0.0));
  all.push_back(one_or_two("add_scalar", "target = source + value; with one operand in place",
                           {number("value", "what to add")}));
  all.push_back(one_or_two("scale", "target = source * value; with one operand in place",
                           {number("value", "what to multiply by")}));
  all.push_back(
      one_or_two("sqrt", "target = square root of source; with one operand in place", {}));
  all.push_back(
      elementwise("copy", "target = source, cast to the target's type", {kIn, kOut}, {}, 0.0));
  all.push_back(elementwise("add", "target = first + second", {kIn, kIn, kOut}, {}, 1.0));
  all.push_back(elementwise("multiply", "target = first * second", {kIn, kIn, kOut}, {}, 1.0));
  all.push_back(elementwise("axpy", "y = value * x + y", {kIn, kInout},
                            {number("value", "what to multiply x by")}, 2.0));
  all.push_back(elementwise("clone_here",
                            "the source on the task's own device as $local, moved when the task "
                            "starts and aliased when it is already there",
                            {kIn, kOut}, {}, 0.0));
}

void add_reductions(std::vector<KernelSignature>& all) {
  all.push_back(reduction("sum", "target = sum of source over the axis"));
  all.push_back(reduction("max", "target = greatest element of source over the axis"));
  all.push_back(reduction("mean", "target = mean of source over the axis"));
  all.push_back(reduction("argmax",
                          "target = index of the first greatest element over the axis "
                          "(of the flattened source without one)"));
}

void add_abstract(std::vector<KernelSignature>& all) {
  all.push_back(any_operands("none", "touches nothing: an inout operand keeps its bytes"));
  all.push_back(any_operands("hash_mix",
                             "writes into each written operand a hash of the bytes of all "
                             "read ones, so that any stale byte changes the result"));
  all.back().size_meaning =
      "bytes read plus bytes written; the dtype is uint8 for elements of one or two bytes, else "
      "float64";
  all.push_back(any_operands("spin", "keeps the device busy for a time and touches nothing"));
  all.back().parameters.push_back({.name = "ns",
                                   .is_required = false,
                                   .default_value = kNone,
                                   .meaning = "how long; without it as the task's cost says",
                                   .is_integer = true,
                                   .lowest = 0.0,
                                   .highest = kLargestExact});
}

void add_tile_kernels(std::vector<KernelSignature>& all) {
  all.push_back(
      tile("gemm", "C = alpha op(A) op(B) + beta C", {kIn, kIn, kInout},
           {factor("alpha", "factor of the product"), factor("beta", "factor of the old C"),
            flag("transpose_a", false, "1: op(A) is the transpose of A"),
            flag("transpose_b", false, "1: op(B) is the transpose of B")},
           ShapeRule::kGemm, 2.0));
  all.back().target_scale = "beta";
  all.push_back(
      tile("syrk", "lower triangle of C = alpha op(A) op(A)^T + beta C; the rest of C is kept",
           {kIn, kInout},
           {factor("alpha", "factor of the product"), factor("beta", "factor of the old C"),
            flag("transpose", false, "1: op(A) is the transpose of A")},
           ShapeRule::kSyrk, 1.0));
  all.push_back(tile("trsm",
                     "B = alpha B op(T)^-1, or from the left B = alpha op(T)^-1 B, T triangular",
                     {kIn, kInout},
                     {factor("alpha", "factor of B"), flag("left", false, "1: T stands left of B"),
                      flag("upper", false, "1: T is upper triangular"),
                      flag("transpose", true, "1: op(T) is the transpose of T"),
                      flag("unit", false, "1: the diagonal of T is taken as ones")},
                     ShapeRule::kTrsm, 1.0));
  all.back().divides = true;
  all.push_back(
      tile("trmm",
           "X = alpha X op(T), or from the left X = alpha op(T) X, T triangular; with a "
           "third operand the product goes there and X is kept",
           {kIn, kIn, kOut},
           {factor("alpha", "factor of the product"), flag("left", false, "1: T stands left of X"),
            flag("upper", false, "1: T is upper triangular"),
            flag("transpose", true, "1: op(T) is the transpose of T"),
            flag("unit", false, "1: the diagonal of T is taken as ones")},
           ShapeRule::kTrsm, 1.0));
  all.back().optional_arguments = 1;
  all.push_back(tile("trtri", "W = T^-1, T triangular; the other triangle of W becomes 0",
                     {kIn, kOut},
                     {flag("upper", false, "1: T is upper triangular"),
                      flag("unit", false, "1: the diagonal of T is taken as ones")},
                     ShapeRule::kSquare, 1.0 / 3.0));
  all.back().divides = true;
  all.push_back(tile("potrf",
                     "A = L with L L^T = A in its lower triangle (Cholesky); the rest is kept",
                     {kInout}, {}, ShapeRule::kSquare, 1.0 / 3.0));
  all.back().divides = true;
  all.push_back(tile("getrf", "A = L U without pivoting, L with unit diagonal below, U above",
                     {kInout}, {}, ShapeRule::kSquare, 2.0 / 3.0));
  all.back().divides = true;
}

KernelSignature stencil() {
  return {.name = "stencil",
          .meaning =
              "target = mean of each element's neighbours along every axis; the source is the "
              "target's region and a halo of `radius` on every side",
          .arguments = {kIn, kOut},
          .parameters = {{.name = "radius",
                          .is_required = false,
                          .default_value = 1.0,
                          .meaning = "neighbours on each side of each axis",
                          .is_integer = true,
                          .lowest = 1.0,
                          .highest = 64.0}},
          .size_meaning = "elements of the target",
          .shapes = ShapeRule::kStencil,
          .flops_per_work = 1.0};
}

std::vector<KernelSignature> all_signatures() {
  std::vector<KernelSignature> all;
  add_elementwise(all);
  add_reductions(all);
  add_abstract(all);
  add_tile_kernels(all);
  all.push_back(stencil());
  std::sort(all.begin(), all.end(),
            [](const KernelSignature& a, const KernelSignature& b) { return a.name < b.name; });
  return all;
}

}  // namespace

std::span<const KernelSignature> kernel_signatures() {
  static const std::vector<KernelSignature> all = all_signatures();
  return all;
}

}  // namespace parley::core
