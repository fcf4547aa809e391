// Every generator's program, made small, computes with real threads what it computes one task after
// another: with room for all, and with so little memory that replicas must be evicted.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tests/golden/case_file.h"
#include "tests/support/threaded_driver.h"
#include "workloads/generator.h"

namespace parley::test {
namespace {

/// Each with about as much memory as its largest task needs.
struct Small {
  const char* spec;
  const char* little;
};
constexpr Small kSmall[] = {
    {"all_to_all:rounds=2,block=100", "gpu=2KiB"},
    {"allgather:rounds=2,block=100", "gpu=2KiB"},
    {"broadcast:rounds=3,block=100", "gpu=1KiB"},
    {"butterfly:stages=3,block=100", "gpu=1KiB"},
    {"cholesky:tiles=5,tile=8", "gpu=2KiB"},
    {"cholesky:tiles=5,tile=8,storage=matrix,dtype=float32", "gpu=2KiB"},
    {"cholesky:tiles=5,tile=8,solve=inverse", "gpu=2KiB"},
    {"copies:pattern=all_to_all,block=100,count=2", "gpu=2KiB"},
    {"fully_connected:layers=3,width=4,block=100", "gpu=2KiB"},
    {"gather:rounds=2,block=100", "gpu=1KiB"},
    {"gemm:tiles=3,depth=3,tile=8", "gpu=2KiB"},
    {"independent:width=9,block=100", "gpu=1KiB"},
    {"jacobi:blocks=4,rows=3,columns=8,iterations=4,check=2", "gpu=2KiB"},
    {"kmeans:blocks=3,points=16,dims=2,clusters=3,iterations=3", "gpu=2KiB"},
    {"lu:tiles=4,tile=8", "gpu=2KiB"},
    {"map_reduce:maps=4,reducers=3,block=100", "gpu=2KiB"},
    {"nearest:steps=4,width=5,block=100", "gpu=1KiB"},
    {"pingpong:rounds=4,block=100", "gpu=1KiB"},
    {"pingpong:rounds=4,block=100,between=host", "gpu=1KiB"},
    {"pipeline:stages=3,micro_batches=2,steps=2,weights=100,block=100", "gpu=2KiB"},
    {"prefetch:tasks=8,block=100", "gpu=1KiB"},
    {"qr:tiles=3,tile=8", "gpu=4KiB"},
    {"random:levels=5,width=6,blocks=8,block=100", "gpu=2KiB"},
    {"reduce:levels=4,block=100", "gpu=1KiB"},
    {"reduction_scatter:width=4,rounds=3,block=100", "gpu=1KiB"},
    {"ring:steps=5,block=100", "gpu=1KiB"},
    {"scatter:rounds=2,block=100", "gpu=1KiB"},
    {"serial:steps=6,chains=2,back=2,block=100", "gpu=1KiB"},
    {"stencil:dims=2,blocks=3,points=4,iterations=4", "gpu=1KiB"},
    {"stencil:dims=1,blocks=4,points=3,radius=4,iterations=4", "gpu=1KiB"},
    {"sweep:width=3,angles=1,block=100,face=50", "gpu=1KiB"},
    {"tree:levels=4,block=100,overlap=shared", "gpu=1KiB"},
    {"wavefront:rows=3,columns=4,block=100", "gpu=1KiB"},
};

TEST_CASE("every generator has a small program here") {
  std::set<std::string> covered;
  for (const Small& small : kSmall) {
    const std::string spec = small.spec;
    covered.insert(spec.substr(0, spec.find(':')));
  }
  const workloads::GeneratorRegistry registry;
  for (const workloads::Generator& generator : registry.generators()) {
    CHECK_MESSAGE(covered.contains(generator.name), generator.name);
  }
}

TEST_CASE("small programs of all generators, with room and with little memory") {
  const workloads::GeneratorRegistry registry;
  const core::Machine roomy = machine_or_fail("h200x4");
  std::size_t evictions = 0;
  for (const Small& small : kSmall) {
    const std::string spec = small.spec;
    CAPTURE(spec);
    const auto program = registry.make(spec);
    REQUIRE(program.has_value());
    CHECK(run_threaded(*program, roomy).tasks.size() == program->task_count());
    const ThreadedResult tight = run_threaded(*program, machine_or_fail("h200x4", {small.little}));
    CHECK(tight.tasks.size() == program->task_count());
    evictions += tight.statistics.evictions;
  }
  CHECK(evictions > 100);
}

}  // namespace
}  // namespace parley::test
