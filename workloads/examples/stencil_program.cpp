// A program of one's own, without a workload file: a one-dimensional stencil in blocks, built
// through core's C++ interface, then simulated on a shipped machine under several mappers.
//
//   example_stencil_program [MACHINE]
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "core/graph/program.h"
#include "sim/simulator.h"
#include "workloads/machine_file.h"

namespace {

using namespace parley;

constexpr std::int64_t kBlocks = 16, kBlock = 1 << 22, kSweeps = 12;

core::RegionView slice(core::Program& program, core::ArrayId array, std::int64_t start,
                       std::int64_t stop) {
  const std::vector<core::Index> indices = {core::Slice{start, stop, {}}};
  return program.slice(program.whole(array), indices).value();
}

core::ArrayId add_vector(core::Program& program, const std::string& name) {
  core::ArraySpec spec;
  spec.name = name;
  spec.shape = {kBlocks * kBlock + 2};  // a border element on each side
  spec.initial.kind = core::Initial::Kind::kRandom;
  spec.initial.seed = 1;
  return program.add_array(spec).value();
}

/// One task: block `b` of `target` from the same block of `source` and its two neighbours.
core::TaskSpec sweep(core::Program& program, const std::string& name, core::ArrayId source,
                     core::ArrayId target, std::int64_t b) {
  const core::RegionView halo = slice(program, source, b * kBlock, (b + 1) * kBlock + 2);
  const core::RegionView block = slice(program, target, b * kBlock + 1, (b + 1) * kBlock + 1);
  core::TaskSpec task;
  task.name = name;
  task.accesses = {{halo.region, core::AccessMode::kIn, 0, halo.view},
                   {block.region, core::AccessMode::kOut, 0, block.view}};
  core::KernelCall call;
  call.name = "stencil";
  task.kernel = {call};
  core::Alternative any_gpu;
  any_gpu.members = {"gpu"};
  task.placement = {any_gpu};
  core::CostEntry work;  // for machines without a table for "stencil"
  work.flops = 2.0 * static_cast<double>(kBlock);
  work.bytes = 16.0 * static_cast<double>(kBlock);
  task.cost = {work};
  return task;
}

core::Program make_program() {
  core::Program program("stencil program");  // dependencies are inferred from the accesses
  const core::ArrayId arrays[] = {add_vector(program, "even"), add_vector(program, "odd")};
  const core::TaskSpace names("sweep");
  for (std::int64_t t = 0; t < kSweeps; ++t) {
    for (std::int64_t b = 0; b < kBlocks; ++b) {
      program.spawn(sweep(program, names(t, b), arrays[t % 2], arrays[(t + 1) % 2], b)).value();
    }
  }
  program.close().value();
  return program;
}

int print_faults(const core::Faults& faults) {
  for (const core::Fault& fault : faults) std::cerr << fault.where << ": " << fault.what << '\n';
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const auto machine = workloads::load_machine(argc > 1 ? argv[1] : "h200x4");
  if (!machine) return print_faults(machine.faults());
  const core::Program program = make_program();
  std::cout << program.task_count() << " tasks on " << machine->name() << '\n';
  for (const std::string mapper : {"round_robin", "parla", "earliest_finish"}) {
    sim::SimOptions options;
    options.engine.mapper = mapper;
    const auto result = sim::simulate(program, *machine, options);
    if (!result) return print_faults(result.faults());
    std::cout << mapper << ": " << result->run.makespan.ns() << " ns, " << result->run.copies.size()
              << " copies, at best " << result->bounds.best().count() << " ns\n";
  }
  return 0;
}
