#include "sim/noise.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/simulator.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/required.h"

namespace parley::sim {
namespace {

using core::Duration;

Noise noise(const std::string& text) { return required(Noise::parse(text)); }

std::vector<double> factors(const std::string& text, std::size_t count) {
  const Noise drawn = noise(text);
  std::vector<double> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(drawn.factor(7, NoiseStream::kTasks, i));
  return all;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  const double centre = mean(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double share_above(const std::vector<double>& values, double limit) {
  const auto above = std::ranges::count_if(values, [&](double value) { return value > limit; });
  return static_cast<double>(above) / static_cast<double>(values.size());
}

TEST_CASE("factors have the mean, the spread and the tail that their distribution has") {
  constexpr std::size_t kDraws = 200000;  // standard error of a mean: sigma / 447
  const std::vector<double> normal = factors("normal:sigma=0.2", kDraws);
  CHECK(std::abs(mean(normal) - 1.0) < 0.002);
  CHECK(std::abs(deviation(normal) - 0.2) < 0.002);
  CHECK(std::abs(share_above(normal, 1.4) - 0.02275) < 0.0015);  // two sigmas
  const std::vector<double> lognormal = factors("lognormal:sigma=0.5", kDraws);
  CHECK(std::abs(mean(lognormal) - 1.0) < 0.006);
  CHECK(std::abs(deviation(lognormal) - std::sqrt(std::exp(0.25) - 1.0)) < 0.02);
  CHECK(std::abs(share_above(lognormal, std::exp(-0.125)) - 0.5) < 0.005);  // the median
  const std::vector<double> pareto = factors("pareto:alpha=3", kDraws);
  CHECK(std::abs(mean(pareto) - 1.0) < 0.01);
  CHECK(*std::ranges::min_element(pareto) >= 2.0 / 3.0);
  CHECK(std::abs(share_above(pareto, 2.0) - std::pow(3.0, -3.0)) < 0.0015);
  const std::vector<double> cut = factors("normal:sigma=1", kDraws);
  CHECK(*std::ranges::min_element(cut) == doctest::Approx(0.0));
}

TEST_CASE("a factor depends on the seed, the stream and the number, and on nothing else") {
  const Noise drawn = noise("lognormal");
  std::set<double> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (const NoiseStream stream : {NoiseStream::kTasks, NoiseStream::kCopies}) {
      for (std::uint64_t number = 0; number < 100; ++number) {
        seen.insert(drawn.factor(seed, stream, number));
        CHECK(drawn.factor(seed, stream, number) == drawn.factor(seed, stream, number));
      }
    }
  }
  CHECK(seen.size() == 2000);
}

TEST_CASE("the same numbers come from every compiler") {
  // Computed independently, in Python with its own normal quantile.
  const auto ns = [](const char* text, std::uint64_t number) {
    return scaled(Duration(1000000), noise(text).factor(1, NoiseStream::kTasks, number)).count();
  };
  CHECK(std::vector{ns("normal", 0), ns("normal", 1), ns("normal", 2)} ==
        std::vector<std::int64_t>{1050583, 980632, 861554});
  CHECK(std::vector{ns("lognormal:sigma=0.3", 0), ns("lognormal:sigma=0.3", 1)} ==
        std::vector<std::int64_t>{1112655, 902032});
  CHECK(std::vector{ns("pareto", 0), ns("pareto", 1)} == std::vector<std::int64_t>{753166, 887952});
}

TEST_CASE("noise as text: defaults, what is read back, and what is refused") {
  CHECK(noise("").is_none());
  CHECK(noise("").text().empty());
  CHECK(noise("normal").text() == "normal:sigma=0.1");
  CHECK(noise("pareto:alpha=2.5").text() == "pareto:alpha=2.5");
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"norml", R"(unknown distribution "norml"; allowed: normal, lognormal, pareto; did you mean )"
                R"("normal"?)"},
      {"normal:", R"(found "" after normal; allowed: sigma=0 to 1)"},
      {"normal:sigma", R"(found "sigma" after normal; allowed: sigma=0 to 1)"},
      {"pareto:sigma=3", R"(found "sigma=3" after pareto; allowed: alpha=1.1 to 1000)"},
      {"pareto:alpha=1", "alpha=1; allowed: a number from 1.1 to 1000"},
      {"normal:sigma=-0.1", "sigma=-0.1; allowed: a number from 0 to 1"},
      {"lognormal:sigma=nan", "sigma=nan; allowed: a number from 0 to 2"},
      {"lognormal:sigma=0.1,x", "sigma=0.1,x; allowed: a number from 0 to 2"}};
  for (const auto& [text, what] : wrong) {
    const std::string expected = what;
    const core::Result<Noise> read = Noise::parse(text);
    REQUIRE(read.faults().size() == 1);
    CHECK(read.faults().front().what == expected);
  }
}

// ---- in a run ----

core::Program independent_tasks(int count) {
  ProgramBuilder builder;
  for (int i = 0; i < count; ++i) {
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu", 1000));
  }
  builder.close();
  return std::move(builder.program);
}

std::vector<Duration> durations(const core::Program& program, const SimOptions& options) {
  const core::Machine machine = MachineBuilder(3).build();
  const SimResult result = required(simulate(program, machine, options));
  std::vector<Duration> by_task(program.task_count());
  for (const core::TaskRecord& task : result.run.tasks) {
    by_task[task.task.index()] = task.end - task.start;
  }
  return by_task;
}

TEST_CASE("a task takes the same time under every policy, another under another seed") {
  const core::Program program = independent_tasks(40);
  SimOptions options;
  options.task_noise = noise("lognormal:sigma=0.5");
  options.engine.seed = 3;
  const std::vector<Duration> first = durations(program, options);
  options.engine.mapper = "round_robin";
  options.engine.window = 1;
  CHECK(durations(program, options) == first);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i] == scaled(Duration(1000), options.task_noise.factor(3, NoiseStream::kTasks, i)));
  }
  options.engine.seed = 4;
  CHECK(durations(program, options) != first);
}

TEST_CASE("recorded durations have noise too, on the class of device that they were recorded on") {
  ProgramBuilder builder;
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 1000));
  builder.spawn(ProgramBuilder::task("U", "gpu:1", 1000));
  builder.spawn(ProgramBuilder::task("V", "gpu:1", 1000));
  SimOptions options;
  options.recorded_durations = core::IdVector<core::TaskId, Duration>(3, Duration(50));
  CHECK(durations(builder.close(), options) == std::vector(3, Duration(50)));
  options.recorded_devices = core::IdVector<core::TaskId, core::DeviceId>(3);
  options.recorded_devices[core::TaskId(0)] = gpu_device(2);  // of the same class
  options.recorded_devices[core::TaskId(1)] = cpu_device();   // of another; the last: of none here
  CHECK(durations(builder.program, options) ==
        std::vector{Duration(50), Duration(1000), Duration(1000)});
  options.task_noise = noise("normal:sigma=0.2");
  CHECK(durations(builder.program, options)[0] ==
        scaled(Duration(50), options.task_noise.factor(1, NoiseStream::kTasks, 0)));
}

TEST_CASE("bounds are of the durations that tasks have, so that they hold with noise too") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 8, "gpu0");
  for (int i = 0; i < 9; ++i) {
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu:0", 1000, {inout(a)}));
  }
  builder.close();
  const core::Machine machine = MachineBuilder(1).build();
  SimOptions options;
  options.task_noise = noise("pareto:alpha=1.5");
  options.recorded_durations = core::IdVector<core::TaskId, Duration>(9, Duration(-1));
  options.recorded_durations[core::TaskId(3)] = Duration(70);
  for (options.engine.seed = 1; options.engine.seed < 10; ++options.engine.seed) {
    const SimResult result = required(simulate(builder.program, machine, options));
    CHECK(result.bounds.critical_path == result.run.makespan - core::Time(0));
    CHECK(result.bounds.work == result.bounds.critical_path);
  }
}

TEST_CASE("a copy's factor counts alone and beside others, and its bytes stay what they are") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000);
  const core::RegionId b = builder.array("B", 1000);
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 1, {in(a)}));
  builder.spawn(ProgramBuilder::task("U", "gpu:1", 1, {in(b)}));
  builder.close();
  MachineBuilder machine(2);
  const core::ResourceId link = machine.resource("link", 1e9);  // 1 byte/ns for both together
  machine.route(host_space(), gpu_space(0), {link});
  machine.route(host_space(), gpu_space(1), {link});
  const core::Machine built = machine.build();
  SimOptions options;
  options.copy_noise = noise("lognormal:sigma=0.5");
  for (options.engine.seed = 1; options.engine.seed < 20; ++options.engine.seed) {
    const SimResult result = required(simulate(builder.program, built, options));
    REQUIRE(result.run.copies.size() == 2);
    std::vector<double> bytes;
    for (const core::CopyRecord& copy : result.run.copies) {
      CHECK(copy.bytes == core::Bytes(1000));
      bytes.push_back(1000 * options.copy_noise.factor(options.engine.seed, NoiseStream::kCopies,
                                                       copy.command.index()));
    }
    // The first to end had half of the link, the other all of it from then on.
    CHECK(std::abs(static_cast<double>(result.run.copies[0].end.ns()) - 2 * bytes[0]) <= 2);
    CHECK(std::abs(static_cast<double>(result.run.copies[1].end.ns()) - bytes[0] - bytes[1]) <= 2);
  }
}

TEST_CASE("however unlucky a copy, it takes no longer than one of the most bytes") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", core::kMostBytes.count());
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 1, {in(a)}));
  builder.close();
  MachineBuilder machine(1, core::kMostBytes + core::kMostBytes);
  machine.spec.spaces[host_space()].capacity = core::kMostBytes + core::kMostBytes;
  machine.route(host_space(), gpu_space(0)).rate_cap = core::Bandwidth(1e13);
  SimOptions options;
  options.copy_noise = noise("pareto:alpha=1.1");
  const auto factor = [&] {
    return options.copy_noise.factor(options.engine.seed, NoiseStream::kCopies, 0);
  };
  while (factor() < 1e4) ++options.engine.seed;  // 2^50 times as much overflows
  const SimResult result = required(simulate(builder.program, machine.build(), options));
  REQUIRE(result.run.copies.size() == 1);
  REQUIRE(result.run.copies[0].command == core::CommandId(0));
  CHECK(result.run.copies[0].end - result.run.copies[0].start ==
        Duration((core::kMostBytes.count() + 9999) / 10000));
}

}  // namespace
}  // namespace parley::sim
