// The machine of a problem: hosts, GPUs, a link between each GPU and its node's host, and links
// between those pairs of GPUs that the draft names. Copies between other pairs go by the home slot.
#pragma once

#include <span>
#include <string>

#include "core/machine/machine.h"
#include "tests/property/random_problem.h"

namespace parley::test {

std::string gpu_space(std::size_t gpu);
std::string host_space(std::size_t node);

/// `gpu_bytes`: capacity by GPU.
core::MachineSpec machine_of(const ProblemDraft& draft, core::Bytes host_bytes,
                             std::span<const core::Bytes> gpu_bytes);

}  // namespace parley::test
