// The extents of a kernel call's arguments: whether they fit together, and how much work they are.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/graph/kernel.h"

namespace parley::core {
namespace {

using Shape = std::vector<std::int64_t>;
using Shapes = std::span<const Shape>;

double element_count(const Shape& shape) {
  double count = 1.0;
  for (const std::int64_t extent : shape) count *= static_cast<double>(extent);
  return count;
}

std::string text(const Shape& shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  return out + (shape.size() == 1 ? ",)" : ")");
}

std::optional<std::string> expect(const char* what, const Shape& found, const Shape& wanted) {
  if (found == wanted) return std::nullopt;
  return std::string(what) + " has shape " + text(found) + "; it must be " + text(wanted);
}

std::optional<std::string> expect_matrix(const char* what, const Shape& shape) {
  if (shape.size() == 2) return std::nullopt;
  return std::string(what) + " has shape " + text(shape) + "; it must have two dimensions";
}

bool is_on(const KernelCall& call, std::string_view flag) {
  return parameter_of(call, flag).value_or(0.0) > 0.5;
}

std::optional<std::string> elementwise_fault(Shapes shapes) {
  for (std::size_t i = 1; i < shapes.size(); ++i) {
    if (shapes[i] != shapes[0]) {
      return "operand " + std::to_string(i) + " has shape " + text(shapes[i]) + ", operand 0 " +
             text(shapes[0]) + "; they must be equal";
    }
  }
  return std::nullopt;
}

std::optional<std::string> reduction_fault(const KernelCall& call, Shapes shapes) {
  if (element_count(shapes[0]) < 1.0) return "nothing to reduce: the source is empty";
  const std::optional<double> axis = parameter_of(call, "axis");
  if (!axis) {
    if (element_count(shapes[1]) > 0.5 && element_count(shapes[1]) < 1.5) return std::nullopt;
    return "target has shape " + text(shapes[1]) + "; without an axis it must have one element";
  }
  Shape reduced = shapes[0];
  const auto rank = static_cast<std::int64_t>(reduced.size());
  const auto given = static_cast<std::int64_t>(*axis);
  const std::int64_t dim = given < 0 ? given + rank : given;
  if (dim < 0 || dim >= rank) {
    return "axis " + std::to_string(given) + " of an operand with " + std::to_string(rank) +
           " dimensions";
  }
  reduced.erase(reduced.begin() + dim);
  return expect("target", shapes[1], reduced);
}

std::optional<std::string> stencil_fault(const KernelCall& call, Shapes shapes) {
  const auto radius = static_cast<std::int64_t>(*parameter_of(call, "radius"));
  Shape wanted = shapes[1];
  for (std::int64_t& extent : wanted) extent += 2 * radius;
  if (wanted.empty()) return "a stencil needs at least one dimension";
  return expect("source", shapes[0], wanted);
}

std::optional<std::string> gemm_fault(const KernelCall& call, Shapes shapes) {
  for (std::size_t i = 0; i < 3; ++i) {
    constexpr std::array<const char*, 3> kNames = {"A", "B", "C"};
    if (auto fault = expect_matrix(kNames[i], shapes[i])) return fault;
  }
  const bool is_a_transposed = is_on(call, "transpose_a");
  const std::int64_t m = shapes[2][0], n = shapes[2][1];
  const std::int64_t k = shapes[0][is_a_transposed ? 0 : 1];
  if (auto fault = expect("A", shapes[0], is_a_transposed ? Shape{k, m} : Shape{m, k}))
    return fault;
  return expect("B", shapes[1], is_on(call, "transpose_b") ? Shape{n, k} : Shape{k, n});
}

std::optional<std::string> syrk_fault(const KernelCall& call, Shapes shapes) {
  if (auto fault = expect_matrix("A", shapes[0])) return fault;
  const std::int64_t n = shapes[0][is_on(call, "transpose") ? 1 : 0];
  return expect("C", shapes[1], {n, n});
}

std::optional<std::string> trsm_fault(const KernelCall& call, Shapes shapes) {
  if (auto fault = expect_matrix("B", shapes[1])) return fault;
  const std::int64_t n = shapes[1][is_on(call, "left") ? 0 : 1];
  if (shapes.size() > 2) {
    if (auto fault = expect("target", shapes[2], shapes[1])) return fault;
  }
  return expect("T", shapes[0], {n, n});
}

std::optional<std::string> square_fault(Shapes shapes) {
  const char* source = shapes.size() > 1 ? "T" : "A";
  if (auto fault = expect_matrix(source, shapes[0])) return fault;
  const std::int64_t n = shapes[0][0];
  if (auto fault = expect(source, shapes[0], {n, n})) return fault;
  return shapes.size() > 1 ? expect("target", shapes[1], {n, n}) : std::nullopt;
}

/// Units of work, as ShapeRule says. `radius` matters to stencils only.
double work(const KernelSignature& signature, Shapes shapes, double radius) {
  const auto extent = [&](std::size_t argument, std::size_t dim) {
    const Shape& shape = shapes[argument];
    return dim < shape.size() ? static_cast<double>(shape[dim]) : 1.0;
  };
  switch (signature.shapes) {
    case ShapeRule::kAny:
      return 0.0;
    case ShapeRule::kElementwise:
      return element_count(shapes.back());
    case ShapeRule::kReduction:
      return element_count(shapes[0]);
    case ShapeRule::kStencil:
      return element_count(shapes[1]) * 2.0 * radius * static_cast<double>(shapes[1].size());
    case ShapeRule::kGemm:  // m n k = |C| |A| / m whichever of A's extents is k
      return extent(2, 0) > 0.0 ? element_count(shapes[2]) * element_count(shapes[0]) / extent(2, 0)
                                : 0.0;
    case ShapeRule::kSyrk:
      return extent(1, 0) * element_count(shapes[0]);
    case ShapeRule::kTrsm:
      return extent(0, 0) * element_count(shapes[1]);
    case ShapeRule::kSquare:
      return extent(0, 0) * extent(0, 0) * extent(0, 0);
  }
  return 0.0;
}

}  // namespace

std::optional<std::string> shape_fault(const KernelCall& call, Shapes shapes) {
  const KernelSignature* signature = signature_of(call);
  PARLEY_CHECK(signature != nullptr && shapes.size() == call.arguments.size(),
               "extents of another call than " + call.name);
  switch (signature->shapes) {
    case ShapeRule::kAny:
      return std::nullopt;
    case ShapeRule::kElementwise:
      return elementwise_fault(shapes);
    case ShapeRule::kReduction:
      return reduction_fault(call, shapes);
    case ShapeRule::kStencil:
      return stencil_fault(call, shapes);
    case ShapeRule::kGemm:
      return gemm_fault(call, shapes);
    case ShapeRule::kSyrk:
      return syrk_fault(call, shapes);
    case ShapeRule::kTrsm:
      return trsm_fault(call, shapes);
    case ShapeRule::kSquare:
      return square_fault(shapes);
  }
  return std::nullopt;
}

std::optional<std::string> type_fault(const KernelCall& call, std::span<const DType> types) {
  const KernelSignature* signature = signature_of(call);
  PARLEY_CHECK(signature != nullptr && types.size() == call.arguments.size(),
               "types of another call than " + call.name);
  if (!signature->divides || is_on(call, "unit")) return std::nullopt;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] >= DType::kFloat16) continue;
    return "operand " + std::to_string(i) + " has elements of " + std::string(name_of(types[i])) +
           "; it divides, so they must be floating-point or complex ones";
  }
  return std::nullopt;
}

double kernel_flops(const KernelCall& call, Shapes shapes) {
  const KernelSignature* signature = signature_of(call);
  PARLEY_CHECK(signature != nullptr, "unknown kernel " + call.name);
  return signature->flops_per_work *
         work(*signature, shapes, parameter_of(call, "radius").value_or(0.0));
}

std::int64_t kernel_table_size(const KernelSignature& signature, Shapes shapes) {
  if (shapes.empty() || signature.shapes == ShapeRule::kAny) return 0;
  switch (signature.shapes) {
    case ShapeRule::kStencil:
      return std::llround(element_count(shapes.back()));
    case ShapeRule::kAny:
    case ShapeRule::kElementwise:
    case ShapeRule::kReduction:
      return std::llround(work(signature, shapes, 0.0));
    case ShapeRule::kGemm:
    case ShapeRule::kSyrk:
    case ShapeRule::kTrsm:
    case ShapeRule::kSquare:
      return std::llround(std::cbrt(work(signature, shapes, 0.0)));
  }
  return 0;
}

}  // namespace parley::core
