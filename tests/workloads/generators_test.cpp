#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/task_graph.h"
#include "workloads/generator.h"
#include "workloads/workload.h"

namespace parley::workloads {
namespace {

core::Program made(const std::string& spec) {
  auto program = GeneratorRegistry().make(spec);
  REQUIRE_MESSAGE(program.has_value(),
                  spec << ": " << (program.faults().empty() ? "" : program.faults()[0].what));
  return std::move(program).value();
}

std::string fault_of(const std::string& spec) {
  const auto program = GeneratorRegistry().make(spec);
  std::string text;
  for (const core::Fault& fault : program.faults()) text += fault.where + ": " + fault.what + "\n";
  return text;
}

/// "trsm[1,0] syrk[1,0]": names of the tasks that the named one directly depends on.
std::string after(const core::Program& program, const std::string& name) {
  const auto task = program.find_task(name);
  REQUIRE_MESSAGE(task.has_value(), name);
  std::string text;
  for (const core::TaskId on : program.dependencies(*task)) {
    text += (text.empty() ? "" : " ") + std::string(program.task_name(on));
  }
  return text;
}

std::map<std::string, int> tasks_by_family(const core::Program& program) {
  std::map<std::string, int> counts;
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    const std::string_view name = program.task_name(core::TaskId(i));
    ++counts[std::string(name.substr(0, name.find('[')))];
  }
  return counts;
}

// ---- all generators ----

TEST_CASE("every generator: the size that it states is the size of its program") {
  const GeneratorRegistry registry;
  CHECK(registry.generators().size() >= 20);
  for (const Generator& generator : registry.generators()) {
    CAPTURE(generator.name);
    GeneratorValues values;
    for (const GeneratorParameter& parameter : generator.parameters) {
      values[parameter.name] = parameter.default_value;
    }
    const GeneratorSize size = generator.size(values);
    const core::Program program = made(generator.name);
    CHECK(program.is_closed());
    CHECK(static_cast<double>(program.task_count()) == size.tasks);
    CHECK(static_cast<double>(program.access_count()) <= size.accesses);
    CHECK(static_cast<double>(program.access_count()) >= size.tasks);
    CHECK(program.description != "");
  }
}

TEST_CASE(
    "every generator: defaults are in range, and every bound of every parameter is enforced") {
  const GeneratorRegistry registry;
  for (const Generator& generator : registry.generators()) {
    CAPTURE(generator.name);
    CHECK(generator.sentence != "");
    std::set<std::string> names;
    for (const GeneratorParameter& parameter : generator.parameters) {
      CAPTURE(parameter.name);
      CHECK(names.insert(parameter.name).second);
      CHECK(parameter.meaning != "");
      CHECK(parameter.lowest <= parameter.default_value);
      CHECK(parameter.default_value <= parameter.highest);
      const std::string assignment = generator.name + ":" + parameter.name + "=";
      if (!parameter.choices.empty()) {
        CHECK(parameter.highest + 1 == static_cast<std::int64_t>(parameter.choices.size()));
        CHECK(fault_of(assignment + "no_such_word").find("is none of") != std::string::npos);
        continue;
      }
      for (const std::int64_t wrong : {parameter.lowest - 1, parameter.highest + 1}) {
        CHECK(fault_of(assignment + std::to_string(wrong)).find("out of range") !=
              std::string::npos);
      }
    }
  }
}

TEST_CASE("every generator: the least of everything is a program, too") {
  const GeneratorRegistry registry;
  for (const Generator& generator : registry.generators()) {
    std::string spec;
    for (const GeneratorParameter& parameter : generator.parameters) {
      if (!parameter.choices.empty()) continue;
      spec += (spec.empty() ? ":" : ",") + parameter.name + "=" + std::to_string(parameter.lowest);
    }
    CAPTURE(spec);
    const core::Program program = made(generator.name + spec);
    CHECK(program.is_closed());
    CHECK(program.task_count() <= 8);
  }
}

TEST_CASE("every generator: its default program survives the workload format") {
  const GeneratorRegistry registry;
  for (const Generator& generator : registry.generators()) {
    CAPTURE(generator.name);
    const core::Program program = made(generator.name);
    const std::string text = format_workload(program);
    const auto again = parse_workload(text, generator.name);
    REQUIRE_MESSAGE(again.has_value(), again.faults()[0].where << ": " << again.faults()[0].what);
    CHECK(again->task_count() == program.task_count());
    CHECK(again->access_count() == program.access_count());
    CHECK(format_workload(*again) == text);
  }
}

TEST_CASE("every generator: the same specification gives the same program") {
  const GeneratorRegistry registry;
  for (const Generator& generator : registry.generators()) {
    CAPTURE(generator.name);
    CHECK(format_workload(made(generator.name)) == format_workload(made(generator.name)));
  }
  CHECK(format_workload(made("random:seed=1")) != format_workload(made("random:seed=2")));
}

TEST_CASE("every generator: priorities never fall below those of the tasks that wait") {
  const GeneratorRegistry registry;
  for (const Generator& generator : registry.generators()) {
    CAPTURE(generator.name);
    if (generator.name == "pipeline") continue;  // prefers its backward tasks on purpose
    const core::Program program = made(generator.name);
    std::size_t inversions = 0;
    for (std::size_t i = 0; i < program.task_count(); ++i) {
      for (const core::TaskId on : program.dependencies(core::TaskId(i))) {
        if (program.task(on).priority < program.task(core::TaskId(i)).priority) ++inversions;
      }
    }
    CHECK(inversions == 0);
  }
}

// ---- specifications ----

TEST_CASE("a specification's faults name the nearest match and what is allowed, all at once") {
  CHECK(fault_of("choleksy").find("did you mean \"cholesky\"?") != std::string::npos);
  const std::string all = fault_of("cholesky:tils=3,tile=0,dtype=flat64,tiles=9x,storage");
  for (const char* part :
       {"unknown parameter \"tils\"", "did you mean \"tiles\"?",
        "tile: 0 is out of range: 1 to 1048576 elements", "\"flat64\" is none of float64",
        "did you mean \"float64\"?", "\"9x\" is not a whole number (1 to 1024)",
        "storage: has no value: write storage=tiles"}) {
    const std::string wanted = part;
    CAPTURE(wanted);
    CHECK(all.find(part) != std::string::npos);
  }
  CHECK(fault_of("cholesky:tiles=3,tiles=4").find("is given twice") != std::string::npos);
  CHECK(fault_of("cholesky:tiles=99999999999999999999").find("whole number") != std::string::npos);
  CHECK(fault_of("cholesky:tiles=").find("whole number") != std::string::npos);
}

TEST_CASE("a program that is too large is refused before anything is built") {
  CHECK(fault_of("cholesky:tiles=1024").find("would have 179 million tasks") != std::string::npos);
  CHECK(fault_of("serial:steps=10000000,chains=100000").find("million tasks") != std::string::npos);
  CHECK(fault_of("fully_connected:layers=10000,width=1024").find("million accesses") !=
        std::string::npos);
  CHECK(fault_of("gemm:tiles=1,depth=1,tile=1048576,dtype=float64").empty());
}

TEST_CASE("sizes in bytes may carry a unit") {
  const core::Program program = made("pingpong:block=3KiB,rounds=1");
  CHECK(program.array(*program.find_array("B")).bytes == core::Bytes(3072));
  CHECK(fault_of("pingpong:block=3parsecs").find("not a whole number") != std::string::npos);
}

// ---- linear algebra ----

TEST_CASE("cholesky: so many tasks and tiles") {
  for (const int n : {1, 2, 5, 12}) {
    CAPTURE(n);
    const core::Program program = made("cholesky:tile=4,tiles=" + std::to_string(n));
    CHECK(program.array_count() == static_cast<std::size_t>(n * (n + 1) / 2));
    auto counts = tasks_by_family(program);
    CHECK(counts["potrf"] == n);
    CHECK(counts["trsm"] == n * (n - 1) / 2);
    CHECK(counts["syrk"] == n * (n - 1) / 2);
    CHECK(counts["gemm"] == n * (n - 1) * (n - 2) / 6);
  }
}

TEST_CASE("cholesky: dependencies of three by three tiles") {
  const core::Program program = made("cholesky:tile=4,tiles=3");
  const std::pair<const char*, const char*> expected[] = {
      {"potrf[0]", ""},
      {"trsm[1,0]", "potrf[0]"},
      {"trsm[2,0]", "potrf[0]"},
      {"syrk[1,0]", "trsm[1,0]"},
      {"gemm[2,1,0]", "trsm[1,0] trsm[2,0]"},
      {"syrk[2,0]", "trsm[2,0]"},
      {"potrf[1]", "syrk[1,0]"},
      {"trsm[2,1]", "gemm[2,1,0] potrf[1]"},
      {"syrk[2,1]", "syrk[2,0] trsm[2,1]"},
      {"potrf[2]", "syrk[2,1]"},
  };
  CHECK(program.task_count() == std::size(expected));
  for (const auto& [task, tasks] : expected) {
    const std::string name = task;
    CAPTURE(name);
    CHECK(after(program, name) == tasks);
  }
}

TEST_CASE("cholesky: with inverted diagonal tiles, products in place of solves") {
  const core::Program program = made("cholesky:tile=4,tiles=3,solve=inverse");
  const std::pair<const char*, const char*> expected[] = {
      {"invert[0]", "potrf[0]"},
      {"trmm[1,0]", "invert[0]"},
      {"trmm[2,0]", "invert[0]"},
      {"invert[1]", "potrf[1]"},
      {"trmm[2,1]", "gemm[2,1,0] invert[1]"},
  };
  CHECK(program.task_count() == 12);
  CHECK(!program.find_task("invert[2]").has_value());  // nothing below the last tile
  for (const auto& [task, tasks] : expected) {
    const std::string name = task;
    CAPTURE(name);
    CHECK(after(program, name) == tasks);
  }
}

/// Contents of a tile at the start.
std::vector<double> tile_values(const core::Program& program, core::RegionId tile) {
  const core::Array& array = program.array(program.region(tile).array);
  std::vector<double> values(static_cast<std::size_t>(array.bytes.count()) / sizeof(double));
  core::initial_bytes(array.spec, std::as_writable_bytes(std::span<double>(values)));
  return values;
}

TEST_CASE("cholesky and lu: each row is strictly dominated by its diagonal, and factorised") {
  constexpr std::size_t kTiles = 4, kTile = 3;
  for (const std::string spec : {"cholesky:tile=3,tiles=4", "lu:tile=3,tiles=4"}) {
    CAPTURE(spec);
    const core::Program program = made(spec);
    REQUIRE(program.factorization().has_value());
    const core::Factorization& matrix = *program.factorization();
    CHECK(core::name_of(matrix.kind) == spec.substr(0, spec.find(':')));
    REQUIRE(matrix.rows == kTiles);
    const bool is_lower = matrix.kind == core::Factorization::Kind::kCholesky;
    const auto element = [&](std::size_t i, std::size_t j) {
      if (is_lower && j > i) std::swap(i, j);
      const auto values = tile_values(program, matrix.tile(i / kTile, j / kTile));
      return values[i % kTile * kTile + j % kTile];
    };
    for (std::size_t i = 0; i < kTiles * kTile; ++i) {
      double others = 0.0;
      for (std::size_t j = 0; j < kTiles * kTile; ++j) others += j == i ? 0.0 : element(i, j);
      CHECK(element(i, i) > others);
      CHECK(others > 1.0);
    }
  }
}

TEST_CASE("home: tiles start on the GPUs of a grid, which must fit") {
  const auto homes = [](const std::string& spec) {
    const core::Program program = made(spec);
    std::string text;
    for (std::size_t i = 0; i < program.array_count(); ++i) {
      const core::ArraySpec& array = program.array(core::ArrayId(i)).spec;
      if (array.name.starts_with("A_")) text += array.name + "@" + array.homes.front() + " ";
    }
    return text;
  };
  CHECK(homes("cholesky:tiles=2,tile=2") == "A_0_0@host A_1_0@host A_1_1@host ");
  CHECK(homes("lu:tiles=2,tile=2,home=block_cyclic,gpus=4") ==
        "A_0_0@gpu0 A_0_1@gpu1 A_1_0@gpu2 A_1_1@gpu3 ");
  CHECK(homes("cholesky:tiles=3,tile=2,home=block_cyclic,gpus=2,grid_rows=1") ==
        "A_0_0@gpu0 A_1_0@gpu0 A_1_1@gpu1 A_2_0@gpu0 A_2_1@gpu1 A_2_2@gpu0 ");
  CHECK(fault_of("lu:home=block_cyclic,gpus=4,grid_rows=3") ==
        "grid_rows: 3 does not divide gpus=4\n");
  CHECK(fault_of("gemm:home=block_cyclic,storage=matrix") ==
        "home: block_cyclic needs storage=tiles: one array starts in one place\n");
  const core::Program jacobi = made("jacobi:blocks=3,rows=4,columns=4,home=block_cyclic,gpus=2");
  CHECK(jacobi.array(*jacobi.find_array("U_1")).spec.homes == std::vector<std::string>{"gpu1"});
  CHECK(jacobi.array(*jacobi.find_array("V_2")).spec.homes == std::vector<std::string>{"gpu0"});
}

TEST_CASE("cholesky and lu: priorities are the lengths of the longest paths") {
  for (const std::string spec :
       {"cholesky:tile=4,tiles=9", "lu:tile=4,tiles=7", "cholesky:tile=4,tiles=9,solve=inverse"}) {
    CAPTURE(spec);
    const core::Program program = made(spec);
    const core::TaskGraph graph(program);
    const core::IdVector<core::TaskId, core::Duration> one(program.task_count(), core::Duration(1));
    const auto longest = graph.bottom_levels(one);
    for (std::size_t i = 0; i < program.task_count(); ++i) {
      CAPTURE(program.task_name(core::TaskId(i)));
      CHECK(program.task(core::TaskId(i)).priority == longest[core::TaskId(i)].count());
    }
  }
}

TEST_CASE("one array with regions gives the same tasks as one array a tile") {
  for (const std::string name : {"cholesky", "lu", "qr", "gemm"}) {
    CAPTURE(name);
    const core::Program tiles = made(name + ":tiles=5,tile=8");
    const core::Program matrix = made(name + ":tiles=5,tile=8,storage=matrix");
    REQUIRE(tiles.task_count() == matrix.task_count());
    CHECK(matrix.array_count() < tiles.array_count());
    for (std::size_t i = 0; i < tiles.task_count(); ++i) {
      const core::TaskId task(i);
      CHECK(tiles.task_name(task) == matrix.task_name(task));
      CHECK(std::ranges::equal(tiles.dependencies(task), matrix.dependencies(task)));
    }
  }
}

TEST_CASE("gemm: the first update of a tile writes only") {
  const core::Program program = made("gemm:tiles=2,depth=3,tile=4");
  for (const auto& [name, mode] : {std::pair{"gemm[1,0,0]", core::AccessMode::kOut},
                                   std::pair{"gemm[1,0,1]", core::AccessMode::kInout}}) {
    CHECK(program.accesses(*program.find_task(name)).back().mode == mode);
  }
  CHECK(after(program, "gemm[1,0,0]") == "");
  CHECK(after(program, "gemm[1,0,2]") == "gemm[1,0,1]");
}

// ---- stencils ----

TEST_CASE("stencil: a block waits for the blocks that its halo touches") {
  const core::Program line = made("stencil:dims=1,blocks=4,points=8,iterations=2");
  CHECK(line.array_count() == 2);
  CHECK(after(line, "average[1,0,0]") == "average[0,0,0] average[0,1,0]");
  CHECK(after(line, "average[1,2,0]") == "average[0,1,0] average[0,2,0] average[0,3,0]");
  const core::Program plane = made("stencil:dims=2,blocks=3,points=8,iterations=2");
  CHECK(plane.dependencies(*plane.find_task("average[1,1,1]")).size() == 9);
  CHECK(plane.dependencies(*plane.find_task("average[1,0,0]")).size() == 4);
  // A halo wider than a block reaches the next but one.
  const core::Program wide = made("stencil:dims=1,blocks=5,points=2,radius=3,iterations=2");
  CHECK(wide.dependencies(*wide.find_task("average[1,2,0]")).size() == 5);
}

TEST_CASE("jacobi: halo rows are slices of the neighbours' arrays, and checks join all blocks") {
  const core::Program program = made("jacobi:blocks=3,rows=4,columns=5,iterations=4,check=2");
  CHECK(after(program, "relax[1,0]") == "relax[0,0] relax[0,1]");
  CHECK(after(program, "relax[1,1]") == "relax[0,0] relax[0,1] relax[0,2]");
  const auto accesses = program.accesses(*program.find_task("relax[0,1]"));
  REQUIRE(accesses.size() == 4);
  CHECK(program.region_text(accesses[1].region, accesses[1].view) == "U_0[3, :]");
  CHECK(program.region_text(accesses[2].region, accesses[2].view) == "U_2[0, :]");
  CHECK(tasks_by_family(program)["decide"] == 2);
  CHECK(program.dependencies(*program.find_task("decide[1]")).size() == 3);
}

// ---- task graphs ----

struct GraphCase {
  const char* spec;
  std::size_t tasks, edges, depth, widest;
};

TEST_CASE("task graphs: tasks, edges, depth and width by formula") {
  const GraphCase cases[] = {
      {"serial:steps=7,chains=1", 7, 6, 7, 1},
      {"serial:steps=6,chains=2,back=3", 12, 2 * (1 + 2 + 3 + 3 + 3), 6, 2},
      {"serial:steps=6,chains=2,overlap=shared", 12, 10, 6, 2},
      {"independent:width=9", 9, 0, 1, 9},
      {"independent:width=9,overlap=shared,blocks=2", 9, 0, 1, 9},
      {"tree:levels=4,branch=2", 15, 14, 4, 8},
      {"tree:levels=3,branch=3", 13, 12, 3, 9},
      {"reduce:levels=4,branch=2", 15, 14, 4, 8},
      {"reduction_scatter:width=5,rounds=2", 12, 15, 4, 5},
      {"butterfly:stages=3", 24, 2 * 3 * 8, 3, 8},  // two reads and an overwritten block
      {"map_reduce:maps=4,reducers=3", 7, 12, 2, 4},
      {"fully_connected:layers=3,width=4", 12, 2 * 16, 3, 4},
      {"wavefront:rows=3,columns=4", 12, 17, 6, 3},
      {"independent:width=9,overlap=none", 9, 0, 1, 9},
      {"nearest:steps=3,width=4", 12, 2 * (2 * 4 + 2), 3, 4},
      {"nearest:steps=2,width=4,radius=0", 8, 4, 2, 4},
      {"prefetch:tasks=10", 10, 9 + 4, 10, 1},  // the chain, and the common block
      {"pingpong:rounds=5", 10, 9, 10, 1},
      {"copies:pattern=all_to_all,gpus=4,count=2", 24, 0, 1, 24},
      {"copies:pattern=both_ways,gpus=3,count=1", 6, 0, 1, 6},
      {"copies:pattern=peer,gpus=5,count=1", 2, 0, 1, 2},
      {"gather:gpus=4,rounds=1", 5, 4, 2, 4},
      {"scatter:gpus=4,rounds=1", 5, 4, 2, 4},
      {"allgather:gpus=4,rounds=1", 8, 16, 2, 4},
      {"all_to_all:gpus=3,rounds=1", 6, 9, 2, 3},
      {"broadcast:gpus=4,rounds=1", 4, 3, 2, 3},
      {"kmeans:blocks=4,iterations=1,points=8", 5, 4, 2, 4},
  };
  for (const GraphCase& one : cases) {
    const std::string spec = one.spec;
    CAPTURE(spec);
    const core::Program program = made(spec);
    const core::TaskGraph graph(program);
    CHECK(program.task_count() == one.tasks);
    CHECK(graph.edge_count() == one.edges);
    CHECK(graph.shape().depth == one.depth);
    CHECK(graph.shape().widest == one.widest);
  }
}

TEST_CASE("kernel: tasks that execute nothing but time, or nothing at all") {
  for (const std::string name :
       {"independent", "serial", "wavefront", "nearest", "pingpong", "copies", "all_to_all"}) {
    CAPTURE(name);
    const auto kernel_of_first = [&](const std::string& parameters) {
      const core::Program program = made(name + parameters);
      return program.kernel(program.task(core::TaskId(0)).kernel);
    };
    CHECK(kernel_of_first("").empty());
    const std::string duration = name == "copies" ? "" : ",task_ns=70";
    const core::Kernel spin = kernel_of_first(":kernel=spin" + duration);
    REQUIRE(spin.size() == 1);
    CHECK(spin[0].name == "spin");
    CHECK(core::parameter_of(spin[0], "ns") == (name == "copies" ? 0.0 : 70.0));
    CHECK(kernel_of_first(":kernel=none").at(0).name == "none");
  }
}

TEST_CASE("tree: with shared blocks the first child updates its parent's") {
  const core::Program program = made("tree:levels=3,branch=2,overlap=shared");
  CHECK(program.array_count() == 4);
  CHECK(after(program, "T[2,1]") == "T[1,0]");
  CHECK(after(program, "T[2,0]") == "T[2,1]");  // whose read must see the block before the update
}

TEST_CASE("prefetch: the common block changes GPUs after every two tasks") {
  const core::Program program = made("prefetch:tasks=8,gpus=2");
  const std::vector<std::string> gpus = {"gpu:0", "gpu:0", "gpu:1", "gpu:1",
                                         "gpu:0", "gpu:0", "gpu:1", "gpu:1"};
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const core::Task& task = program.task(core::TaskId(i));
    CHECK(program.placement(task.placement).front().members.front() == gpus[i]);
  }
}

TEST_CASE("sweep: fronts pass from cell to cell, sweeps meet in the cells") {
  const core::Program program = made("sweep:width=2,angles=1");
  CHECK(after(program, "sweep[0,0,1,1]") == "sweep[0,0,0,1] sweep[0,0,1,0]");
  CHECK(after(program, "sweep[1,0,1,0]") == "sweep[0,0,1,0]");
}

TEST_CASE("pipeline: the backward pass needs the forward pass of its own stage") {
  const core::Program program = made("pipeline:stages=3,micro_batches=2,steps=1");
  CHECK(after(program, "forward[0,1,2]") == "forward[0,1,1]");
  CHECK(after(program, "backward[0,0,2]") == "forward[0,0,1] forward[0,0,2]");
  CHECK(after(program, "backward[0,1,1]") ==
        "forward[0,1,0] forward[0,1,1] backward[0,0,1] backward[0,1,2]");
  CHECK(after(program, "update[0,1]") != "");
}

TEST_CASE("place: any GPU, any device, the CPU, or dealt out over some GPUs") {
  const std::map<std::string, std::string> expected = {
      {"gpu", "gpu"}, {"any", "any"}, {"cpu", "cpu"}, {"fixed,gpus=3", "gpu:1"}};
  for (const auto& [place, device] : expected) {
    const core::Program program = made("independent:width=5,place=" + place);
    const core::Task& fifth = program.task(core::TaskId(4));
    CHECK(program.placement(fifth.placement).front().members.front() == device);
  }
}

}  // namespace
}  // namespace parley::workloads
