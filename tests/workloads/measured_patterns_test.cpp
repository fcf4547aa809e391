// Every pattern of copies that was measured on four H200 (2026-11-21, copies of 256 MiB unless a
// size is named), simulated from the one shipped machine. A flow's rate is its bytes over the time
// from the common start to its own end, so that a copy that queues shows half of the full rate.
// Within 3 % for what figures of the machine file were fitted to, 5 % for the rest, or the spread
// between repeats of a measurement where that is larger.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/program.h"
#include "sim/simulator.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::workloads {
namespace {

enum class Kind { kFitted, kFollows };

struct Flow {
  std::string array;  // of the workload file
  double gb_per_s;    // measured
};

/// One line of the measurements: a workload of workloads/patterns, whose gpu0, gpu1, ... stand for
/// the GPUs given.
struct Measured {
  std::string workload;
  Kind kind;
  std::vector<int> gpus;
  std::vector<Flow> flows;
};

const std::vector<Measured>& measurements() {
  static const std::vector<Measured> kAll = {
      {"h2d", Kind::kFitted, {0}, {{"host_gpu0", 54.62}}},
      {"h2d", Kind::kFitted, {1}, {{"host_gpu0", 54.67}}},
      {"h2d", Kind::kFitted, {2}, {{"host_gpu0", 54.66}}},
      {"h2d", Kind::kFitted, {3}, {{"host_gpu0", 55.03}}},
      {"d2h", Kind::kFitted, {0}, {{"gpu0_host", 53.89}}},
      {"d2h", Kind::kFitted, {1}, {{"gpu0_host", 55.07}}},
      {"d2h", Kind::kFitted, {2}, {{"gpu0_host", 55.09}}},
      {"d2h", Kind::kFitted, {3}, {{"gpu0_host", 55.15}}},
      {"h2d_d2h", Kind::kFitted, {0}, {{"host_gpu0", 46.49}, {"gpu0_host", 50.70}}},
      {"h2d_d2h", Kind::kFitted, {1}, {{"host_gpu0", 46.73}, {"gpu0_host", 51.13}}},
      {"h2d_d2h", Kind::kFitted, {2}, {{"host_gpu0", 49.39}, {"gpu0_host", 50.91}}},
      {"h2d_d2h", Kind::kFitted, {3}, {{"host_gpu0", 50.68}, {"gpu0_host", 50.57}}},
      {"p2p", Kind::kFitted, {0, 1}, {{"gpu0_gpu1", 395.44}}},
      {"p2p", Kind::kFollows, {0, 2}, {{"gpu0_gpu1", 395.29}}},
      {"p2p", Kind::kFollows, {0, 3}, {{"gpu0_gpu1", 395.14}}},
      {"p2p", Kind::kFollows, {1, 0}, {{"gpu0_gpu1", 395.45}}},
      {"p2p", Kind::kFollows, {1, 2}, {{"gpu0_gpu1", 395.26}}},
      {"p2p", Kind::kFollows, {1, 3}, {{"gpu0_gpu1", 395.24}}},
      {"p2p", Kind::kFollows, {2, 0}, {{"gpu0_gpu1", 395.58}}},
      {"p2p", Kind::kFollows, {2, 1}, {{"gpu0_gpu1", 395.09}}},
      {"p2p", Kind::kFollows, {2, 3}, {{"gpu0_gpu1", 395.25}}},
      {"p2p", Kind::kFollows, {3, 0}, {{"gpu0_gpu1", 395.42}}},
      {"p2p", Kind::kFollows, {3, 1}, {{"gpu0_gpu1", 395.39}}},
      {"p2p", Kind::kFollows, {3, 2}, {{"gpu0_gpu1", 395.09}}},
      {"p2p_bidir", Kind::kFitted, {0, 1}, {{"gpu0_gpu1", 390.55}, {"gpu1_gpu0", 390.16}}},
      {"p2p_two_flows_same_link",
       Kind::kFollows,
       {0, 1},
       {{"gpu0_gpu1", 395.34}, {"gpu0_gpu1_2", 197.64}}},
      {"broadcast",
       Kind::kFollows,
       {0, 1, 2, 3},
       {{"gpu0_gpu1", 395.03}, {"gpu0_gpu2", 197.61}, {"gpu0_gpu3", 131.78}}},
      {"gather",
       Kind::kFitted,
       {0, 1, 2, 3},
       {{"gpu1_gpu0", 133.24}, {"gpu2_gpu0", 133.06}, {"gpu3_gpu0", 135.12}}},
      {"ring",
       Kind::kFollows,
       {0, 1, 2, 3},
       {{"gpu0_gpu1", 390.33},
        {"gpu1_gpu2", 390.08},
        {"gpu2_gpu3", 390.18},
        {"gpu3_gpu0", 389.66}}},
      {"h2d_two", Kind::kFollows, {0, 1}, {{"host_gpu0", 55.12}, {"host_gpu1", 55.14}}},
      {"h2d_all",
       Kind::kFitted,
       {0, 1, 2, 3},
       {{"host_gpu0", 42.86}, {"host_gpu1", 42.53}, {"host_gpu2", 42.53}, {"host_gpu3", 42.90}}},
      {"h2d_all",
       Kind::kFitted,
       {0, 1, 2, 3},
       {{"host_gpu0", 41.59}, {"host_gpu1", 41.63}, {"host_gpu2", 41.47}, {"host_gpu3", 41.88}}},
      {"d2h_all",
       Kind::kFitted,
       {0, 1, 2, 3},
       {{"gpu0_host", 34.93}, {"gpu1_host", 35.17}, {"gpu2_host", 35.22}, {"gpu3_host", 35.21}}},
      {"h2d_d2h_all",
       Kind::kFitted,
       {0, 1, 2, 3},
       {{"host_gpu0", 22},
        {"host_gpu1", 22},
        {"host_gpu2", 22},
        {"host_gpu3", 22},
        {"gpu0_host", 26},
        {"gpu1_host", 26},
        {"gpu2_host", 26},
        {"gpu3_host", 26}}},
      // Alone, each is as fast as this.
      {"p2p_h2d", Kind::kFollows, {0, 1}, {{"gpu0_gpu1", 395.44}, {"host_gpu1", 54.67}}},
  };
  return kAll;
}

/// The workload's text with the first of `gpus` in the place of gpu0 and gpu:0, and so on.
std::string text_of(const std::string& workload, const std::vector<int>& gpus) {
  std::ifstream file(PARLEY_SOURCE_DIR "/workloads/patterns/" + workload + ".json");
  std::ostringstream read;
  read << file.rdbuf();
  std::string text = read.str();
  for (std::size_t at = text.find("gpu"); at != std::string::npos; at = text.find("gpu", at + 3)) {
    const bool is_device = text[at + 3] == ':';
    const bool is_home = text.compare(at - 9, 9, "\"home\": \"") == 0;
    if (!is_device && !is_home) continue;  // names stay as they are
    char& digit = text[at + (is_device ? 4 : 3)];
    digit = static_cast<char>('0' + gpus.at(static_cast<std::size_t>(digit - '0')));
  }
  return text;
}

/// GB/s by array.
std::map<std::string, double> simulated(const core::Program& program) {
  static const core::Machine machine = *load_machine("h200x4");
  const core::Result<sim::SimResult> result = sim::simulate(program, machine, {});
  REQUIRE(result.has_value());
  core::Time start = core::Time::max();
  for (const core::CopyRecord& copy : result->run.copies) start = std::min(start, copy.start);
  std::map<std::string, double> rates;
  for (const core::CopyRecord& copy : result->run.copies) {
    rates[program.array(copy.array).spec.name] =
        static_cast<double>(copy.bytes.count()) / static_cast<double>((copy.end - start).count());
  }
  REQUIRE(rates.size() == result->run.copies.size());
  return rates;
}

/// Of all measurements of one flow of a workload: how far the extremes are apart.
double spread(const std::string& workload, std::size_t flow) {
  double lowest = 1e9, highest = 0.0;
  for (const Measured& measured : measurements()) {
    if (measured.workload != workload) continue;
    lowest = std::min(lowest, measured.flows[flow].gb_per_s);
    highest = std::max(highest, measured.flows[flow].gb_per_s);
  }
  return highest / lowest - 1.0;
}

TEST_CASE("copies that run together on h200x4 queue and share as measured") {
  for (const Measured& measured : measurements()) {
    CAPTURE(measured.workload);
    CAPTURE(measured.gpus.front());
    const auto program =
        parse_workload(text_of(measured.workload, measured.gpus), measured.workload);
    REQUIRE(program.has_value());
    const std::map<std::string, double> rates = simulated(*program);
    REQUIRE(rates.size() == measured.flows.size());
    for (std::size_t i = 0; i < measured.flows.size(); ++i) {
      const Flow& flow = measured.flows[i];
      CAPTURE(flow.array);
      const double stated = measured.kind == Kind::kFitted ? 0.03 : 0.05;
      const double tolerance = std::max(stated, spread(measured.workload, i));
      const double rate = rates.at(flow.array);
      CAPTURE(rate);
      CAPTURE(flow.gb_per_s);
      CHECK(std::abs(rate / flow.gb_per_s - 1.0) <= tolerance);
    }
  }
}

TEST_CASE("one copy at a time on h200x4, of any size, takes what was measured") {
  struct Sweep {
    const char* pattern;
    std::vector<double> gb_per_s;  // by size
  };
  const std::vector<const char*> sizes = {"4KiB",  "64KiB", "256KiB", "1MiB", "4MiB",
                                          "16MiB", "64MiB", "256MiB", "1GiB"};
  const std::vector<Sweep> sweeps = {
      {"host_to_gpu,gpus=1", {1.53, 17.01, 35.91, 48.02, 53.16, 54.70, 54.47, 54.25, 55.33}},
      {"gpu_to_host,gpus=1", {1.82, 19.34, 37.34, 48.00, 53.53, 54.40, 54.79, 54.93, 55.25}},
      {"peer,gpus=2", {1.43, 22.18, 94.51, 219.27, 324.75, 366.58, 388.36, 394.82, 396.79}},
  };
  for (const Sweep& sweep : sweeps) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const std::string workload =
          "copies:pattern=" + std::string(sweep.pattern) + ",count=1,block=" + sizes[i];
      CAPTURE(workload);
      const auto program = load_workload(workload);
      REQUIRE(program.has_value());
      const std::map<std::string, double> rates = simulated(*program);
      REQUIRE(rates.size() == 1);
      // Up to 256 KiB between GPUs, the curve is flat, at the time of 4 KiB: 64 KiB took 3 % more,
      // 256 KiB 3 % less, and time does not fall with size.
      const bool is_fitted = sweep.gb_per_s.front() != 1.43 || i == 0 || i > 2;
      CHECK(std::abs(rates.begin()->second / sweep.gb_per_s[i] - 1.0) <= (is_fitted ? 0.03 : 0.05));
    }
  }
}

TEST_CASE("patterns that were not measured follow from the same limits") {
  struct Row {
    const char* what;
    std::vector<std::pair<const char*, const char*>> flows;  // from, to
    std::vector<double> gb_per_s;
  };
  const std::vector<Row> table = {
      {"three GPUs take 55 each of what host memory can give, 169",
       {{"host", "gpu0"}, {"host", "gpu1"}, {"host", "gpu2"}},
       {54.6, 54.6, 54.6}},
      {"two GPUs do not fill what host memory takes, 140.5",
       {{"gpu0", "host"}, {"gpu3", "host"}},
       {54.8, 54.8}},
      {"three do", {{"gpu0", "host"}, {"gpu1", "host"}, {"gpu3", "host"}}, {46.8, 46.8, 46.8}},
      {"a scatter queues on the sender's engine while the host's copies go on",
       {{"gpu0", "gpu1"}, {"gpu0", "gpu2"}, {"host", "gpu0"}},
       {394.8, 197.4, 54.6}},
      {"a gather leaves what goes out of the receiver nearly all of its port",
       {{"gpu1", "gpu0"}, {"gpu2", "gpu0"}, {"gpu3", "gpu0"}, {"gpu0", "gpu1"}},
       {133.7, 133.7, 133.7, 378}},
      {"two senders share the receiver's port", {{"gpu1", "gpu0"}, {"gpu2", "gpu0"}}, {200, 200}},
      // 1.637e11 = 2 out + 0.82 * 2 in, where in = out (1 - 0.57 (1 - out / 55)); what is in rest
      // then goes on at 55.
      {"two GPUs in, two others out: host memory is the limit, and reading it gives way",
       {{"host", "gpu0"}, {"host", "gpu1"}, {"gpu2", "host"}, {"gpu3", "host"}},
       {43.6, 43.6, 46.8, 46.8}},
  };
  for (const Row& row : table) {
    CAPTURE(row.what);
    core::Program program("pattern");
    std::map<std::string, core::TaskSpec> by_receiver;
    std::vector<std::string> names;
    for (const auto& [from, to] : row.flows) {
      core::ArraySpec array;
      array.name = std::string(from) + "_" + to;
      names.push_back(array.name);
      array.shape = {256LL << 20};
      array.dtype = core::DType::kUint8;
      array.initial.kind = core::Initial::Kind::kArange;
      array.homes = {from};
      by_receiver[to].accesses.push_back(
          {program.whole(*program.add_array(std::move(array))).region,
           core::AccessMode::kIn,
           0,
           {}});
    }
    for (auto& [receiver, task] : by_receiver) {
      const std::string device = receiver == "host" ? "cpu" : "gpu:" + receiver.substr(3);
      task.placement.emplace_back();
      task.placement.back().members = {device};
      REQUIRE(program.spawn(std::move(task)).has_value());
    }
    REQUIRE(program.close().has_value());
    const std::map<std::string, double> rates = simulated(program);
    for (std::size_t i = 0; i < names.size(); ++i) {
      CAPTURE(names[i]);
      CHECK(rates.at(names[i]) == doctest::Approx(row.gb_per_s[i]).epsilon(0.01));
    }
  }
}

}  // namespace
}  // namespace parley::workloads
