#include "cli/report/overview_text.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace parley::cli {
namespace {

using core::MsiState;

/// Two GPUs and a host, spaces in the order host, gpu0, gpu1.
core::Machine two_gpus() {
  core::MachineSpec spec;
  spec.name = "two";
  const core::SpaceId host = spec.spaces.push_back({"host", core::Bytes(1 << 20), "", true});
  spec.devices.push_back({"cpu", "cpu", host, 1, {}, 1e9, {}});
  for (int i = 0; i < 2; ++i) {
    const std::string n = std::to_string(i);
    const core::SpaceId gpu = spec.spaces.push_back({"gpu" + n, core::Bytes(1 << 20), "", false});
    spec.devices.push_back({"gpu:" + n, "gpu", gpu, 1, {}, 1e9, {}});
    for (const auto& [from, to] : {std::pair(host, gpu), std::pair(gpu, host)}) {
      core::Route route;
      route.from = from;
      route.to = to;
      spec.routes.push_back(route);
    }
  }
  core::Result<core::Machine> machine = core::Machine::create(std::move(spec));
  REQUIRE(machine);
  return std::move(*machine);
}

core::Program vector_of_five() {
  core::Program program("five");
  core::ArraySpec spec;
  spec.name = "A";
  spec.shape = {5};
  REQUIRE(program.add_array(spec));
  return program;
}

core::Box range(std::int64_t start, std::int64_t count) {
  const core::Range ranges[] = {{start, 1, count}};
  return core::Box(ranges);
}

core::PieceOverview piece(core::Box box, std::size_t owner, std::vector<MsiState> states) {
  return {{box}, core::RegionId::none(), core::SpaceId(owner), std::move(states)};
}

core::Overview overview(std::vector<core::PieceOverview> pieces) {
  core::Overview result;
  result.array = core::ArrayId(0);
  result.pieces = std::move(pieces);
  return result;
}

constexpr auto kI = MsiState::kInvalid;
constexpr auto kS = MsiState::kShared;
constexpr auto kM = MsiState::kModified;

TEST_CASE("an array in one piece is shown as in the lesson") {
  const std::string text =
      overview_text(vector_of_five(), two_gpus(), overview({piece(range(0, 5), 1, {kS, kS, kI})}));
  CHECK(text ==
        "---Overview of PArray\n"
        "ID: 0, Name: A, Parent_ID: None, Slice: None, Bytes: 40, Owner: GPU 0\n"
        "At GPU 0: state: SHARED\n"
        "At GPU 1: state: INVALID\n"
        "At CPU: state: SHARED\n"
        "---End of Overview\n");
}

TEST_CASE("pieces are listed under the spaces that hold some of them") {
  const std::string text = overview_text(
      vector_of_five(), two_gpus(),
      overview({piece(range(0, 2), 1, {kI, kM, kI}), piece(range(2, 3), 0, {kS, kI, kS})}));
  CHECK(text ==
        "---Overview of PArray\n"
        "ID: 0, Name: A, Parent_ID: None, Slice: None, Bytes: 40, Owner: by piece\n"
        "At GPU 0: state: MODIFIED, in pieces:\n"
        "\tA[0:2] - state: MODIFIED, bytes: 16, owner: GPU 0\n"
        "At GPU 1: state: SHARED, in pieces:\n"
        "\tA[2:5] - state: SHARED, bytes: 24, owner: CPU\n"
        "At CPU: state: SHARED, in pieces:\n"
        "\tA[2:5] - state: SHARED, bytes: 24, owner: CPU\n"
        "---End of Overview\n");
}

TEST_CASE("pieces in one state with one owner need no list") {
  const std::string text = overview_text(
      vector_of_five(), two_gpus(),
      overview({piece(range(0, 2), 1, {kS, kS, kI}), piece(range(2, 3), 1, {kS, kS, kI})}));
  CHECK(text.find("in pieces") == std::string::npos);
}

TEST_CASE("print gives the lesson's dictionary") {
  const core::Program program = vector_of_five();
  const core::Machine machine = two_gpus();
  CHECK(print_text(program, machine, overview({piece(range(0, 5), 1, {kS, kS, kI})})) ==
        "{0: valid, 1: None, -1: valid}\n");
  CHECK(print_text(
            program, machine,
            overview({piece(range(0, 2), 1, {kI, kM, kI}), piece(range(2, 3), 0, {kM, kI, kI})})) ==
        "{0: [A[0:2]], 1: None, -1: [A[2:5]]}\n");
}

TEST_CASE("a task is announced as Parla announces it") {
  core::Program program("names");
  core::TaskSpec spec;
  spec.name = "T[1,2]";
  REQUIRE(program.spawn(spec));
  core::TaskRecord record;
  record.task = core::TaskId(0);
  record.devices = {core::DeviceId(1)};
  CHECK(running_text(program, two_gpus(), record) ==
        "Task(T_1_2)  running on  GPUEnvironment(GPU:0)");
  record.devices = {core::DeviceId(0)};
  CHECK(running_text(program, two_gpus(), record) ==
        "Task(T_1_2)  running on  CPUEnvironment(CPU:0)");
}

}  // namespace
}  // namespace parley::cli
