// How long it takes to certify that a program with explicit dependencies has no data race, and to
// list the first 100 of one that has. Programs of the shipped generators, about 1e6 accesses each:
//   all      every inferred dependency stated
//   reduced  without those that another one implies (found by way of paths)
//   racy     every thousandth task waits for nothing
#include "core/graph/races.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/graph/task_graph.h"
#include "workloads/generator.h"

namespace {

using namespace parley;

enum class Edges : std::uint8_t { kAll, kReduced, kRacy };

core::RegionId copy_region(core::Program& to, const core::Region& region) {
  std::vector<core::Index> indices;
  for (const core::Range& range : region.box.ranges()) {
    indices.push_back(core::Slice{range.start, range.last() + 1, range.step});
  }
  return to.slice(to.whole(region.array), indices)->region;
}

/// Leaves out what a dependency of a dependency is.
std::vector<core::TaskId> reduced(const core::Program& program, core::TaskId task) {
  const auto all = program.dependencies(task);
  std::vector<core::TaskId> kept(all.begin(), all.end());
  std::erase_if(kept, [&](core::TaskId on) {
    return std::any_of(all.begin(), all.end(), [&](core::TaskId other) {
      const auto further = program.dependencies(other);
      return std::find(further.begin(), further.end(), on) != further.end();
    });
  });
  return kept;
}

core::Program with_explicit(const core::Program& from, Edges edges) {
  core::Program to(from.name(), core::DependencyMode::kExplicit);
  for (std::size_t a = 0; a < from.array_count(); ++a) {
    (void)to.add_array(from.array(core::ArrayId(a)).spec);
  }
  std::vector<core::RegionId> regions(from.region_count());
  for (std::size_t r = 0; r < regions.size(); ++r) {
    regions[r] = copy_region(to, from.region(core::RegionId(r)));
  }
  for (std::size_t t = 0; t < from.task_count(); ++t) {
    const core::TaskId task(t);
    core::TaskSpec spec;
    const auto accesses = from.accesses(task);
    spec.accesses.assign(accesses.begin(), accesses.end());
    for (core::Access& access : spec.accesses) access.region = regions[access.region.index()];
    const auto dependencies = from.dependencies(task);
    if (edges == Edges::kReduced) {
      spec.after = reduced(from, task);
    } else if (edges == Edges::kAll || t % 1000 != 999) {
      spec.after.assign(dependencies.begin(), dependencies.end());
    }
    (void)to.spawn(std::move(spec));
  }
  (void)to.close();
  return to;
}

/// Blocks that all tasks of a phase update, and that nothing but a barrier between phases orders.
core::Program barriers(std::size_t phases, std::size_t width) {
  core::Program program("barriers", core::DependencyMode::kExplicit);
  std::vector<core::RegionId> blocks;
  for (std::size_t b = 0; b < width; ++b) {
    core::ArraySpec spec;
    spec.name = "block_" + std::to_string(b);
    spec.shape = {1};
    spec.initial.kind = core::Initial::Kind::kArange;
    blocks.push_back(program.whole(*program.add_array(spec)).region);
  }
  std::vector<core::TaskId> barrier;
  for (std::size_t phase = 0; phase < phases; ++phase) {
    core::TaskSpec gather;
    for (std::size_t i = 0; i < width; ++i) {
      core::TaskSpec task;
      task.accesses = {{blocks[(i + phase) % width], core::AccessMode::kInout, 0, {}}};
      task.after = barrier;
      gather.after.push_back(*program.spawn(std::move(task)));
    }
    barrier = {*program.spawn(std::move(gather))};
  }
  (void)program.close();
  return program;
}

/// Each task waits for three of the layer before; a block is updated every `stride` layers only, so
/// that what orders its accesses are long paths.
core::Program long_paths(std::size_t layers, std::size_t width, std::size_t stride) {
  core::Program program("long paths", core::DependencyMode::kExplicit);
  std::vector<core::RegionId> blocks;
  for (std::size_t b = 0; b < width; ++b) {
    core::ArraySpec spec;
    spec.name = "block_" + std::to_string(b);
    spec.shape = {1};
    spec.initial.kind = core::Initial::Kind::kArange;
    blocks.push_back(program.whole(*program.add_array(spec)).region);
  }
  std::mt19937_64 random(1);
  std::vector<core::TaskId> before, layer;
  for (std::size_t l = 0; l < layers; ++l) {
    layer.clear();
    for (std::size_t i = 0; i < width; ++i) {
      core::TaskSpec task;
      if (l % stride == 0) task.accesses = {{blocks[i], core::AccessMode::kInout, 0, {}}};
      if (l > 0) task.after = {before[i], before[random() % width], before[random() % width]};
      layer.push_back(*program.spawn(std::move(task)));
    }
    before = layer;
  }
  (void)program.close();
  return program;
}

const core::Program& program_of(const std::string& spec) {
  static std::map<std::string, core::Program> programs;
  auto found = programs.find(spec);
  if (found == programs.end()) {
    programs.clear();  // one at a time fits
    auto made = workloads::GeneratorRegistry().make(spec);
    if (!made) {
      for (const core::Fault& fault : made.faults()) std::cerr << fault.what << "\n";
      std::exit(1);
    }
    found = programs.emplace(spec, std::move(made).value()).first;
  }
  return found->second;
}

void find(benchmark::State& state, const core::Program& program, Edges edges) {
  std::size_t races = 0;
  for (auto _ : state) {
    const core::RaceReport report = core::find_races(program);
    races = report.races.size();
    if (edges != Edges::kRacy && !report.is_clean())
      state.SkipWithError("races in a sound program");
  }
  state.counters["tasks"] = static_cast<double>(program.task_count());
  state.counters["accesses"] = static_cast<double>(program.access_count());
  state.counters["races"] = static_cast<double>(races);
  state.SetItemsProcessed(static_cast<std::int64_t>(program.access_count()) * state.iterations());
}

void find_in_generated(benchmark::State& state, const std::string& spec, Edges edges) {
  find(state, with_explicit(program_of(spec), edges), edges);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> specs = {
      "cholesky:tiles=126",
      "lu:tiles=98",
      "stencil:dims=2,blocks=64,iterations=120",
      "jacobi:blocks=1000,iterations=250",
      "independent:width=1000000",
      "independent:width=1000000,overlap=shared",
      "reduce:levels=19",
      "serial:steps=500000",
      "serial:steps=5000,chains=100",
      "random:levels=2000,width=150,blocks=1000",
      "wavefront:rows=600,columns=600",
      "sweep:width=128,angles=8",
      "map_reduce:maps=700,reducers=700",
      "butterfly:stages=14,rounds=2",
  };
  for (const std::string& spec : specs) {
    benchmark::RegisterBenchmark((spec + "/all").c_str(), find_in_generated, spec, Edges::kAll)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((spec + "/reduced").c_str(), find_in_generated, spec,
                                 Edges::kReduced)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((spec + "/racy").c_str(), find_in_generated, spec, Edges::kRacy)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("barriers:phases=1000,width=1000", [](benchmark::State& state) {
    find(state, barriers(1000, 1000), Edges::kAll);
  })->Unit(benchmark::kMillisecond);
  for (const std::size_t stride : {15U, 100U}) {
    benchmark::RegisterBenchmark(
        ("long_paths:layers=6000,width=150,stride=" + std::to_string(stride)).c_str(),
        [stride](benchmark::State& state) {
          find(state, long_paths(6000, 150, stride), Edges::kAll);
        })
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
