// format_workload and parse_workload are inverse: random programs, with everything that a program
// can have, come back equal.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "workloads/workload.h"

namespace {

using namespace parley;

/// A random program whose reads are all of initialised arrays.
class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed) : random_(seed) {}

  core::Program make() {
    const auto mode = static_cast<core::DependencyMode>(below(3));
    core::Program program("random \"quoted\" \xc3\xa4", mode);
    program.description = chance(2) ? "two\nlines\t\x01" : "";
    for (std::size_t i = 0; i < 3; ++i) {
      REQUIRE(program.add_array(array("A" + std::to_string(i))));
    }
    for (std::size_t i = 0, end = 1 + below(12); i < end; ++i) {
      REQUIRE(program.spawn(task(program)));
    }
    REQUIRE(program.close());
    return program;
  }

 private:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }

  core::ArraySpec array(const std::string& name) {
    core::ArraySpec spec;
    spec.name = name;
    spec.dtype = static_cast<core::DType>(below(core::kDTypeNames.size()));
    if (chance(5)) {
      spec.is_opaque = true;
      spec.dtype = core::DType::kUint8;
      spec.shape = {static_cast<std::int64_t>(below(5))};
    } else {
      for (std::size_t d = below(4); d > 0; --d) {
        spec.shape.push_back(static_cast<std::int64_t>(chance(8) ? 0 : 1 + below(6)));
      }
    }
    if (chance(4)) spec.homes = {"gpu0"};
    if (chance(4)) spec.homes = {"host", "gpu1"};
    spec.at_end = static_cast<core::AtEnd>(below(3));
    spec.initial.kind = static_cast<core::Initial::Kind>(1 + below(4));
    spec.initial.seed = random_();
    std::size_t bytes = static_cast<std::size_t>(core::element_bytes(spec.dtype));
    if (spec.initial.kind == core::Initial::Kind::kValues) {
      for (const std::int64_t extent : spec.shape) bytes *= static_cast<std::size_t>(extent);
    }
    const bool has_data = spec.initial.kind == core::Initial::Kind::kFill ||
                          spec.initial.kind == core::Initial::Kind::kValues;
    if (has_data) spec.initial.data = elements(spec.dtype, bytes);
    if (spec.initial.kind != core::Initial::Kind::kRandom) {
      spec.initial.seed = 0;
    } else if (chance(2)) {
      spec.initial.diagonal = static_cast<double>(below(9)) - 2.5;
    }
    return spec;
  }

  /// Random bytes, of which bools are 0 or 1 and NaNs do not occur (their bits may change).
  std::vector<std::byte> elements(core::DType dtype, std::size_t bytes) {
    std::vector<std::byte> data(bytes);
    for (std::byte& byte : data) {
      byte = static_cast<std::byte>(dtype == core::DType::kBool ? below(2) : below(256));
    }
    if (dtype < core::DType::kFloat16) return data;
    // Little-endian: the last byte of each number has the sign and high bits of the exponent.
    const std::size_t number = dtype >= core::DType::kComplex64
                                   ? static_cast<std::size_t>(core::element_bytes(dtype)) / 2
                                   : static_cast<std::size_t>(core::element_bytes(dtype));
    for (std::size_t last = number - 1; last < bytes; last += number) {
      data[last] &= std::byte{0xbb};
    }
    return data;
  }

  core::RegionView region(core::Program& program) {
    const core::ArrayId array(below(program.array_count()));
    core::RegionView view = program.whole(array);
    const core::ArraySpec spec = program.array(array).spec;
    if (spec.is_opaque || program.array(array).bytes == core::Bytes(0) || chance(3)) return view;
    std::vector<core::Index> indices;
    for (const std::int64_t extent : spec.shape) {
      if (extent > 0 && chance(3)) {
        indices.emplace_back(static_cast<std::int64_t>(below(static_cast<std::size_t>(extent))));
        continue;
      }
      core::Slice slice;
      if (chance(2)) slice.start = static_cast<std::int64_t>(below(7));
      if (chance(2)) slice.stop = static_cast<std::int64_t>(below(7));
      if (chance(2)) slice.step = static_cast<std::int64_t>(1 + below(3));
      if (slice.step && chance(3)) slice.step = -*slice.step;
      indices.emplace_back(slice);
    }
    const auto selected = program.slice(view, indices);
    REQUIRE(selected.has_value());
    return *selected;
  }

  core::Cost cost() {
    core::Cost cost;
    for (const std::string on : {"", "gpu", "cpu", "gpu:1"}) {
      if (!chance(3)) continue;
      core::CostEntry entry;
      entry.on = on;
      if (chance(2)) {
        entry.stated = core::Duration(static_cast<std::int64_t>(below(1'000'000)));
      } else {
        entry.flops = static_cast<double>(below(1000)) / 7.0;
        entry.bytes = 1e8;
      }
      cost.push_back(entry);
    }
    return cost;
  }

  core::Placement placement(std::size_t members) {
    core::Placement placement;
    const std::vector<std::string> names = {"cpu", "gpu", "any", "gpu:0", "gpu:1"};
    for (std::size_t i = 0, end = 1 + below(3); i < end; ++i) {
      core::Alternative one;
      one.members = {names[below(names.size())]};
      if (members > 1 || chance(4)) {
        one.is_group = true;
        one.members.assign(std::max<std::size_t>(members, 1 + below(3)), "gpu");
      }
      if (chance(3)) one.milli_vcus = static_cast<std::int32_t>(below(3000));
      if (chance(3)) one.scratch_bytes = core::Bytes(static_cast<std::int64_t>(below(1000)));
      one.scratch.push_back({"t", {2, 3}, core::DType::kFloat32});
      if (chance(3)) one.scratch.push_back({"u", {}, core::DType::kInt8});
      if (chance(3)) one.cost = cost();
      if (chance(3)) one.expected_cost = cost();
      if (chance(4)) one.kernel = core::Kernel{{"none", {}, {}}};
      placement.push_back(one);
    }
    return placement;
  }

  core::TaskSpec task(core::Program& program) {
    core::TaskSpec spec;
    const std::size_t id = program.task_count();
    spec.name = chance(5) ? "" : "T[" + std::to_string(id) + "," + std::to_string(below(9)) + "]";
    if (id > 0 && chance(2)) spec.after.emplace_back(below(id));
    if (id > 2 && chance(3)) spec.after.emplace_back(below(id));
    spec.priority = static_cast<std::int32_t>(below(3)) - 1;
    spec.release = core::Time(chance(4) ? static_cast<std::int64_t>(below(1000)) : 0);
    if (chance(8)) {
      const core::RegionView view = region(program);
      spec.kind = core::TaskKind::kEvict;
      spec.accesses = {{view.region, core::AccessMode::kInout, 0, view.view}};
      spec.evict_space = "gpu0";
      spec.keep_last = chance(2);
      return spec;
    }
    const std::size_t members = 1 + below(2);
    accesses(program, members, spec);
    if (members > 1 || chance(2)) spec.placement = placement(members);
    spec.cost = cost();
    if (chance(3)) spec.expected_cost = cost();
    spec.is_lazy = chance(4);
    kernel(spec);
    extras(program, spec);
    return spec;
  }

  void accesses(core::Program& program, std::size_t members, core::TaskSpec& spec) {
    for (std::size_t i = below(4); i > 0; --i) {
      const core::RegionView view = region(program);
      const core::Access access{view.region, core::AccessMode::kIn,
                                static_cast<std::uint8_t>(below(members)), view.view};
      spec.accesses.push_back(access);
    }
    // At most one written operand an array, so that none overlap.
    const core::RegionView written = region(program);
    if (chance(4)) return;
    const auto mode = chance(2) ? core::AccessMode::kOut : core::AccessMode::kInout;
    spec.accesses.insert(
        spec.accesses.begin() + static_cast<std::ptrdiff_t>(below(spec.accesses.size() + 1)),
        {written.region, mode, 0, written.view});
  }

  void kernel(core::TaskSpec& spec) {
    const bool has_scratch = !spec.placement.empty();
    for (std::size_t i = 0; i < spec.accesses.size(); ++i) {
      if (spec.accesses[i].mode != core::AccessMode::kInout || chance(3)) continue;
      core::KernelCall call{"add_scalar", {{"value", static_cast<double>(below(100)) / 3.0}}, {}};
      call.arguments.push_back({false, static_cast<std::uint16_t>(i), spec.accesses[i].view});
      spec.kernel.push_back(call);
    }
    if (has_scratch && chance(2))
      spec.kernel.push_back({"fill", {{"value", 1.0}}, {{true, 0, {}}}});
    if (chance(4)) spec.kernel.push_back({"hash_mix", {}, {}});
  }

  void extras(core::Program& program, core::TaskSpec& spec) {
    if (chance(4)) {
      core::Show show;
      show.array = core::ArrayId(below(program.array_count()));
      show.values = static_cast<core::Show::Values>(below(3));
      spec.show.push_back(show);
      show.is_print = true;
      if (chance(2)) spec.show.push_back(show);
    }
    if (!chance(4)) return;
    const core::RegionView view = region(program);
    const core::Region seen = program.region(view.region);
    spec.expect.push_back({view.region, elements(program.array(seen.array).spec.dtype,
                                                 static_cast<std::size_t>(seen.bytes.count()))});
  }

  std::mt19937_64 random_;
};

// ---- equality ----

void check_same_array(const core::Array& a, const core::Array& b) {
  CHECK(a.spec.name == b.spec.name);
  CHECK(a.spec.shape == b.spec.shape);
  CHECK(a.spec.dtype == b.spec.dtype);
  CHECK(a.spec.is_opaque == b.spec.is_opaque);
  CHECK(a.spec.homes == b.spec.homes);
  CHECK(a.spec.at_end == b.spec.at_end);
  CHECK(a.spec.initial.kind == b.spec.initial.kind);
  CHECK(a.spec.initial.seed == b.spec.initial.seed);
  CHECK(a.spec.initial.data == b.spec.initial.data);
  CHECK(a.spec.initial.diagonal == b.spec.initial.diagonal);
}

bool same_region(const core::Program& a, core::RegionId in_a, const core::Program& b,
                 core::RegionId in_b) {
  return a.region(in_a).array == b.region(in_b).array && a.region(in_a).box == b.region(in_b).box;
}

void check_same_extras(const core::Program& a, const core::Program& b, core::TaskId id) {
  const core::TaskExtras& x = a.extras(id);
  const core::TaskExtras& y = b.extras(id);
  CHECK(x.evict_space == y.evict_space);
  CHECK(x.keep_last == y.keep_last);
  REQUIRE(x.show.size() == y.show.size());
  for (std::size_t i = 0; i < x.show.size(); ++i) {
    CHECK(x.show[i].array == y.show[i].array);
    CHECK(x.show[i].values == y.show[i].values);
    CHECK(x.show[i].is_print == y.show[i].is_print);
  }
  REQUIRE(x.expect.size() == y.expect.size());
  for (std::size_t i = 0; i < x.expect.size(); ++i) {
    CHECK(same_region(a, x.expect[i].region, b, y.expect[i].region));
    CHECK(x.expect[i].bytes == y.expect[i].bytes);
  }
}

void check_same_task(const core::Program& a, const core::Program& b, core::TaskId id) {
  const core::Task& x = a.task(id);
  const core::Task& y = b.task(id);
  CAPTURE(a.task_name(id));
  CHECK(a.task_name(id) == b.task_name(id));
  CHECK(x.kind == y.kind);
  CHECK(x.is_lazy == y.is_lazy);
  CHECK(x.priority == y.priority);
  CHECK(x.release == y.release);
  const auto after_x = a.timed_dependencies(id);
  const auto after_y = b.timed_dependencies(id);
  CHECK(std::vector(after_x.begin(), after_x.end()) == std::vector(after_y.begin(), after_y.end()));
  const auto all_x = a.dependencies(id);
  const auto all_y = b.dependencies(id);
  CHECK(std::vector(all_x.begin(), all_x.end()) == std::vector(all_y.begin(), all_y.end()));
  REQUIRE(a.accesses(id).size() == b.accesses(id).size());
  for (std::size_t i = 0; i < a.accesses(id).size(); ++i) {
    const core::Access& p = a.accesses(id)[i];
    const core::Access& q = b.accesses(id)[i];
    CHECK(same_region(a, p.region, b, q.region));
    CHECK(p.mode == q.mode);
    CHECK(p.member == q.member);
    CHECK(p.view == q.view);
  }
  CHECK(a.placement(x.placement) == b.placement(y.placement));
  CHECK(a.cost(x.cost) == b.cost(y.cost));
  CHECK(x.expected_cost.is_none() == y.expected_cost.is_none());
  if (!x.expected_cost.is_none()) CHECK(a.cost(x.expected_cost) == b.cost(y.expected_cost));
  CHECK(a.kernel(x.kernel) == b.kernel(y.kernel));
  check_same_extras(a, b, id);
}

void check_same_factorization(const core::Program& a, const core::Program& b) {
  const core::Factorization& x = *a.factorization();
  const core::Factorization& y = *b.factorization();
  CHECK(x.kind == y.kind);
  REQUIRE(x.tiles.size() == y.tiles.size());
  for (std::size_t i = 0; i < x.tiles.size(); ++i) {
    REQUIRE(x.tiles[i].is_none() == y.tiles[i].is_none());
    if (!x.tiles[i].is_none()) CHECK(same_region(a, x.tiles[i], b, y.tiles[i]));
  }
}

void check_same(const core::Program& a, const core::Program& b) {
  CHECK(a.name() == b.name());
  CHECK(a.description == b.description);
  CHECK(a.mode() == b.mode());
  REQUIRE(a.array_count() == b.array_count());
  for (std::size_t i = 0; i < a.array_count(); ++i) {
    check_same_array(a.array(core::ArrayId(i)), b.array(core::ArrayId(i)));
  }
  REQUIRE(a.factorization().has_value() == b.factorization().has_value());
  if (a.factorization()) check_same_factorization(a, b);
  REQUIRE(a.task_count() == b.task_count());
  for (std::size_t i = 0; i < a.task_count(); ++i) check_same_task(a, b, core::TaskId(i));
}

core::Program reload(const core::Program& program) {
  const std::string text = workloads::format_workload(program);
  auto again = workloads::parse_workload(text, "again.json");
  if (!again) {
    CAPTURE(text);
    CAPTURE(again.faults().front().where);
    FAIL(again.faults().front().what);
  }
  return std::move(*again);
}

}  // namespace

TEST_CASE("random programs are equal after writing and reading") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    const core::Program program = RandomProgram(seed).make();
    check_same(program, reload(program));
  }
}

TEST_CASE("generated programs are equal after writing and reading") {
  for (const std::string spec : {"cholesky:tiles=5", "cholesky:tiles=3,storage=matrix",
                                 "lu:tiles=3", "stencil", "random", "kmeans", "pipeline"}) {
    CAPTURE(spec);
    const auto program = workloads::load_workload(spec);
    REQUIRE(program.has_value());
    check_same(*program, reload(*program));
  }
}

TEST_CASE("every shipped workload loads, and is equal after writing and reading") {
  std::size_t count = 0;
  for (const std::string folder : {"examples", "lessons", "cases"}) {
    const std::filesystem::path root = std::string(PARLEY_SOURCE_DIR) + "/workloads/" + folder;
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".json") continue;
      CAPTURE(entry.path().string());
      const auto program = workloads::load_workload(entry.path().string());
      if (!program) FAIL(program.faults().front().what);
      check_same(*program, reload(*program));
      ++count;
    }
  }
  CHECK(count >= 4);
}
