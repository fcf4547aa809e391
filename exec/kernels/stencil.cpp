// stencil: each element of the target becomes the mean of its neighbours up to `radius` away along
// every axis; itself it is not counted. The source is the target's region with a halo on every
// side.
#include <complex>

#include "core/graph/element.h"
#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

void stencil(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const auto radius = static_cast<std::int64_t>(parameter(call, "radius"));
  const HostOperand& source = operands[0];
  const HostOperand& target = operands[1];
  HostOperand centres = source;  // without the halo
  centres.shape = target.shape;
  for (const std::int64_t stride : source.strides) centres.data += radius * stride;
  const double neighbours =
      2.0 * static_cast<double>(radius) * static_cast<double>(target.shape.size());
  const core::DType wide =
      core::is_complex(source.dtype) ? core::DType::kComplex128 : core::DType::kFloat64;
  with_compute_type(wide, [&](auto zero) {
    using C = decltype(zero);
    if constexpr (!std::is_integral_v<C>) {
      for_each_element<2>({&centres, &target}, [&](const auto& at) {
        C total{};
        for (const std::int64_t stride : source.strides) {
          for (std::int64_t distance = 1; distance <= radius; ++distance) {
            total += load_element<C>(source.dtype, at[0] - distance * stride);
            total += load_element<C>(source.dtype, at[0] + distance * stride);
          }
        }
        store_element(target.dtype, at[1], divided(total, neighbours));
      });
    }
  });
}

}  // namespace

void register_kernel_stencil(KernelRegistry& registry);

void register_kernel_stencil(KernelRegistry& registry) { registry.add("stencil", stencil); }

}  // namespace parley::exec
