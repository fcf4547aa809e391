// Verification accepts what is right and names what is wrong. Most cases take the contents of a
// sequential execution for those of a run, and spoil them.
#include "exec/verify/verification.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "exec/host/host_backend.h"
#include "exec/verify/comparison.h"
#include "exec/verify/sequential.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::exec {
namespace {

using core::ArrayId;
using core::Program;
using Method = ArrayVerdict::Method;

Program generated(const std::string& spec) {
  auto program = workloads::load_workload(spec);
  REQUIRE_MESSAGE(program.has_value(), spec);
  return *std::move(program);
}

Program written(const std::string& arrays, const std::string& tasks, const std::string& more = "") {
  auto program =
      workloads::parse_workload(R"({"format": "parley-workload", "version": 1, "arrays": [)" +
                                    arrays + R"(], "tasks": [)" + tasks + "]" + more + "}",
                                "test.json");
  REQUIRE_MESSAGE(program.has_value(), program.faults().front().what);
  return *std::move(program);
}

/// What a faultless run would leave behind.
ExecResult faultless(const Program& program) {
  const KernelRegistry kernels;
  SequentialResult sequential = execute_sequentially(program, kernels);
  ExecResult result;
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    result.arrays.push_back({std::move(sequential.arrays[ArrayId(i)]), true});
  }
  result.shown = std::move(sequential.shown);
  return result;
}

std::vector<std::byte>& bytes_of(const Program& program, ExecResult& result,
                                 const std::string& array) {
  const auto id = program.find_array(array);
  REQUIRE(id.has_value());
  return result.arrays[*id].bytes;
}

template <class T>
T element(const Program& program, ExecResult& result, const std::string& array, std::size_t at) {
  T value;
  std::memcpy(&value, bytes_of(program, result, array).data() + at * sizeof value, sizeof value);
  return value;
}

template <class T>
void set_element(const Program& program, ExecResult& result, const std::string& array,
                 std::size_t at, T value) {
  std::memcpy(bytes_of(program, result, array).data() + at * sizeof value, &value, sizeof value);
}

Method method_of(const Program& program, const VerificationReport& report,
                 const std::string& array) {
  return report.arrays.at(program.find_array(array)->index()).method;
}

VerifyOptions residual_alone() {
  VerifyOptions options;
  options.most_flops = 0.0;
  options.threads = 3;
  return options;
}

// ---- runs ----

TEST_CASE("runs on real threads are verified, whatever they compute") {
  auto machine = workloads::load_machine("h200x2");
  REQUIRE(machine.has_value());
  for (const std::string spec :
       {"cholesky:tiles=4,tile=12", "cholesky:tiles=4,tile=12,solve=inverse",
        "cholesky:tiles=3,tile=8,storage=matrix,dtype=float32", "lu:tiles=3,tile=10",
        "gemm:tiles=3,depth=2,tile=8", "stencil:blocks=3,points=8,iterations=3",
        "random:levels=5,width=6,blocks=8,block=512",
        "nearest:width=5,steps=4,kernel=spin,task_ns=0",
        "cholesky:tiles=3,tile=8,home=block_cyclic,gpus=2"}) {
    CAPTURE(spec);
    const Program program = generated(spec);
    const auto backend = create_host_backend({});
    const auto result = execute(program, *machine, {}, *backend);
    REQUIRE(result.has_value());
    const VerificationReport report = verify(program, *result);
    CAPTURE(report.method);
    CHECK_MESSAGE(report.holds, (report.differences.empty() ? "" : report.differences[0]));
    CHECK(report.residual.has_value() == program.factorization().has_value());
  }
}

// ---- exact elements ----

TEST_CASE("one flipped bit of an exact array fails, with the element named") {
  const Program program = generated("wavefront:rows=3,columns=3,block=64");
  ExecResult result = faultless(program);
  CHECK(verify(program, result).holds);
  bytes_of(program, result, "B_4")[17] ^= std::byte{4};
  const VerificationReport report = verify(program, result);
  CHECK_FALSE(report.holds);
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0].starts_with("B_4[17]: found bytes"));
  CHECK(report.arrays[4].holds == false);
  CHECK(report.arrays[5].holds);
}

TEST_CASE("products of what has no elements are zero, or nothing") {
  const Program program = written(
      R"({"name": "A", "shape": [0, 5], "init": {"fill": 1}},
         {"name": "B", "shape": [5, 6], "init": {"fill": 1}},
         {"name": "C", "shape": [0, 6], "init": {"fill": 1}},
         {"name": "D", "shape": [4, 6], "init": {"fill": 2}})",
      R"({"in": ["A", "B"], "inout": ["C"], "kernel": {"name": "gemm", "args": ["A", "B", "C"]}},
         {"in": ["B[2:2]", "B[0:4, 3:3]"], "inout": ["D"],
          "kernel": {"name": "gemm", "beta": 3, "args": ["B[0:4, 3:3]", "B[2:2]", "D"]}})");
  auto machine = workloads::load_machine("h200x2");
  REQUIRE(machine.has_value());
  const auto backend = create_host_backend({});
  auto result = execute(program, *machine, {}, *backend);
  REQUIRE(result.has_value());
  CHECK(verify(program, *result).holds);
  CHECK(element<double>(program, *result, "D", 23) == 6.0);
}

TEST_CASE("what is not finite is told, unless any bytes may come of the program") {
  const std::string array = R"({"name": "A", "shape": [2, 3], "init": {"fill": -1}})";
  const auto method = [&](const std::string& tasks) {
    const Program program = written(array, tasks);
    ExecResult result = faultless(program);
    const VerificationReport report = verify(program, result);
    CHECK(report.holds);
    return report.method;
  };
  const std::string root = R"({"inout": ["A[1, 1:]"], "kernel": {"name": "sqrt"}})";
  CHECK(method(root).ends_with(
      ", 1 array with elements that are not finite (A[1, 1]: nan), as in sequential execution"));
  CHECK(method(root + R"(, {"inout": ["A"]})").ends_with("1 array equal byte for byte"));
  CHECK(method(R"({"inout": ["A"], "kernel": {"name": "scale", "value": 1e308}},
                  {"inout": ["A[0, 2]"], "kernel": {"name": "scale", "value": 1e308}})")
            .ends_with("not finite (A[0, 2]: inf), as in sequential execution"));
  CHECK(method(R"({"inout": ["A"], "kernel": {"name": "scale", "value": 2}})")
            .ends_with("1 array equal byte for byte"));
}

TEST_CASE("what is not finite is found in every type, in either part, where it means something") {
  for (const core::DType dtype :
       {core::DType::kFloat16, core::DType::kBfloat16, core::DType::kFloat32, core::DType::kFloat64,
        core::DType::kComplex64, core::DType::kComplex128}) {
    const std::string name(core::name_of(dtype));
    CAPTURE(name);
    const Program program = written(
        R"({"name": "A", "shape": [2, 40], "dtype": ")" + name + R"(", "init": {"fill": 1}})",
        R"({"inout": ["A"], "kernel": {"name": "scale", "value": 3}})");
    std::vector<std::byte> contents = faultless(program).arrays[ArrayId(0)].bytes;
    const std::size_t element = contents.size() / 80;
    const std::size_t part = core::is_complex(dtype) ? element / 2 : element;
    const auto text = [&](std::span<const Certainty> certainties = {}) {
      return not_finite_text(program, ArrayId(0), contents, certainties);
    };
    CHECK(text() == "");
    // The last part of an element is its imaginary one; the two highest bytes are sign and
    // exponent.
    const auto spoil = [&](std::size_t at, unsigned char high, unsigned char next) {
      contents[at * element + element - 1] = std::byte{high};
      contents[at * element + element - 2] = std::byte{next};
      for (std::size_t i = 3; i <= part; ++i) contents[at * element + element - i] = std::byte{0};
    };
    const bool is_half = dtype == core::DType::kFloat16;
    const bool is_double = part == 8;
    spoil(79, 0xff, is_half ? 0 : is_double ? 0xf0 : 0x80);
    if (is_half) spoil(79, 0xfc, 0);
    CHECK(text() == "A[1, 39]: inf");
    spoil(41, 0x7f, 0xff);
    CHECK(text() == "A[1, 1]: nan");
    std::vector<Certainty> certainties(80, Certainty::kExact);
    certainties[41] = Certainty::kUnknown;
    CHECK(text(certainties) == "A[1, 39]: inf");
    certainties[79] = Certainty::kUnknown;
    CHECK(text(certainties) == "");
    spoil(41, 0x7b, 0xff);  // large, and finite
    certainties.assign(80, Certainty::kRounded);
    CHECK(text(certainties) == "A[1, 39]: inf");
  }
}

TEST_CASE("elements that could not be read, and contents that were not kept, fail") {
  const Program program = generated("wavefront:rows=2,columns=2,block=64");
  ExecResult result = faultless(program);
  result.arrays[ArrayId(1)].is_complete = false;
  VerificationReport report = verify(program, result);
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0] == "B_1: some of its elements could not be read");
  result.arrays[ArrayId(1)].is_complete = true;
  result.arrays[ArrayId(3)].bytes.clear();
  report = verify(program, result);
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0] == "B_3: found 0 bytes, expected 64");
}

TEST_CASE("elementwise kernels, stencils, integer sums and maxima are exact") {
  const Program program = written(
      R"({"name": "x", "shape": [64], "init": {"random": 1}},
         {"name": "i", "shape": [64], "dtype": "int32", "init": {"random": 1}},
         {"name": "s", "shape": [], "dtype": "int64"}, {"name": "m", "shape": []},
         {"name": "y", "shape": [62]})",
      R"({"inout": ["x"], "kernel": {"name": "scale", "value": 3}},
         {"in": ["x"], "out": ["y"], "kernel": {"name": "stencil"}},
         {"in": ["i"], "out": ["s"], "kernel": {"name": "sum"}},
         {"in": ["x"], "out": ["m"], "kernel": {"name": "max"}})");
  for (const std::string array : {"x", "i", "s", "m", "y"}) {
    CAPTURE(array);
    ExecResult result = faultless(program);
    CHECK(verify(program, result).holds);
    bytes_of(program, result, array)[0] ^= std::byte{1};
    CHECK_FALSE(verify(program, result).holds);
  }
}

// ---- rounded elements ----

const std::string kProductArrays =
    R"({"name": "A", "shape": [8, 8], "init": {"random": 1}},
       {"name": "B", "shape": [8, 8], "init": {"random": 2}}, {"name": "C", "shape": [8, 8]},
       {"name": "D", "shape": [8, 8]}, {"name": "h", "shape": [8]})";
const std::string kProductTasks =
    R"({"in": ["A", "B"], "out": ["C"], "kernel": {"name": "gemm", "beta": 0}},
       {"in": ["C"], "out": ["D"], "kernel": {"name": "scale", "value": 2}},
       {"in": ["D"], "out": ["h"]})";

TEST_CASE("rounded elements may differ as rounding does, and no more") {
  const Program program = written(kProductArrays, kProductTasks);
  for (const std::string array : {"C", "D"}) {
    CAPTURE(array);
    ExecResult result = faultless(program);
    const double right = element<double>(program, result, array, 9);
    set_element(program, result, array, 9, std::nextafter(right, 0.0));
    VerificationReport report = verify(program, result);
    CHECK(report.holds);
    CHECK(method_of(program, report, array) == Method::kRounding);
    set_element(program, result, array, 9, right * (1.0 + 1e-11));
    report = verify(program, result);
    REQUIRE(report.differences.size() == 1);
    CHECK(report.differences[0].starts_with(array + "[1, 1]: found "));
    CHECK(report.differences[0].find("rounding explains") != std::string::npos);
    for (const double wrong :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 0.0}) {
      set_element(program, result, array, 9, wrong);
      CHECK_FALSE(verify(program, result).holds);
    }
  }
}

TEST_CASE(
    "what is exact in a program with rounding stays exact; hashes of rounded bytes may differ") {
  const Program program = written(kProductArrays, kProductTasks);
  ExecResult result = faultless(program);
  set_element(program, result, "h", 3, 1.25);
  const VerificationReport report = verify(program, result);
  CHECK(report.holds);
  CHECK(report.arrays[4].unknown == 1);
  set_element(program, result, "A", 0,
              std::nextafter(element<double>(program, result, "A", 0), 9.0));
  CHECK_FALSE(verify(program, result).holds);
}

TEST_CASE("certainty is kept element by element") {
  const Program program = written(
      R"({"name": "x", "shape": [100], "init": {"random": 1}},
         {"name": "t", "shape": [3], "init": {"fill": 0}})",
      R"({"in": ["x"], "out": ["t[1]"], "kernel": {"name": "sum"}})");
  for (const std::size_t at : {0U, 1U, 2U}) {
    CAPTURE(at);
    ExecResult result = faultless(program);
    set_element(program, result, "t", at,
                std::nextafter(element<double>(program, result, "t", at), 1e9));
    CHECK(verify(program, result).holds == (at == 1));
  }
}

TEST_CASE("sums in any order are within what rounding allows") {
  const Program program = written(
      R"({"name": "x", "shape": [100000], "dtype": "float32", "init": {"random": 5}},
         {"name": "s", "shape": [], "dtype": "float32"})",
      R"({"in": ["x"], "out": ["s"], "kernel": {"name": "sum"}})");
  ExecResult result = faultless(program);
  float sum = 0.0F;  // one after the other, from the back, in single precision
  for (std::size_t i = 100000; i-- > 0;) sum += element<float>(program, result, "x", i);
  CHECK(sum != element<float>(program, result, "s", 0));
  set_element(program, result, "s", 0, sum);
  CHECK(verify(program, result).holds);
  set_element(program, result, "s", 0, sum * 0.5F);
  CHECK_FALSE(verify(program, result).holds);
}

TEST_CASE("operands that a task declares to write and does not, mean nothing") {
  const Program program =
      written(R"({"name": "x", "shape": [4]}, {"name": "y", "shape": [4], "init": {"fill": 1}})",
              R"({"out": ["x"], "inout": ["y"], "kernel": {"name": "spin", "ns": 0}})");
  ExecResult result = faultless(program);
  set_element(program, result, "x", 2, 7.0);
  CHECK(verify(program, result).holds);
  set_element(program, result, "y", 2, 7.0);
  CHECK_FALSE(verify(program, result).holds);
}

TEST_CASE("a task whose kernel is for GPUs alone is left out, and what it leads to is not judged") {
  const Program program = written(
      R"({"name": "x", "shape": [4], "init": {"fill": 1}},
         {"name": "y", "shape": [4], "init": {"fill": 1}})",
      R"({"inout": ["x[:2]"], "kernel": {"name": "damped"}},
         {"inout": ["x[:3]"], "kernel": {"name": "scale", "value": 2}},
         {"inout": ["y"], "kernel": {"name": "scale", "value": 2}})",
      R"(, "kernels": {"damped": {"source": "damped.cu", "arguments": ["inout"]}})");
  ExecResult result;
  for (int i = 0; i < 2; ++i) result.arrays.push_back({std::vector<std::byte>(32), true});
  for (std::size_t i = 0; i < 4; ++i) {
    set_element(program, result, "x", i, i < 3 ? 0.123 : 1.0);
    set_element(program, result, "y", i, 2.0);
  }
  VerificationReport report = verify(program, result);
  CHECK(report.holds);
  CHECK(report.skipped_tasks == 1);
  set_element(program, result, "x", 3, 0.123);
  report = verify(program, result);
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0].starts_with("x[3]: found"));
}

// ---- residuals ----

TEST_CASE("factors are judged by their residual, and a wrong tile fails") {
  for (const std::string spec :
       {"cholesky:tiles=4,tile=32", "lu:tiles=4,tile=32", "cholesky:tiles=3,tile=32,solve=inverse",
        "cholesky:tiles=4,tile=32,storage=matrix", "lu:tiles=4,tile=32,storage=matrix",
        "cholesky:tiles=4,tile=32,dtype=float32", "cholesky:tiles=1,tile=1",
        "lu:tiles=1,tile=64"}) {
    CAPTURE(spec);
    const Program program = generated(spec);
    ExecResult result = faultless(program);
    const VerificationReport report = verify(program, result, residual_alone());
    CHECK(report.holds);
    REQUIRE(report.residual.has_value());
    CHECK(report.residual->value < 1.0);
    CHECK(report.method.find("residual alone") != std::string::npos);
    // One tile after the other as it was at the start: as if its tasks had written elsewhere.
    for (const core::RegionId tile : program.factorization()->tiles) {
      if (tile.is_none()) continue;
      CAPTURE(program.region_text(tile));
      const ArrayId array = program.region(tile).array;
      const std::vector<std::byte> right = result.arrays[array].bytes;
      core::initial_bytes(program.array(array).spec, result.arrays[array].bytes);
      const VerificationReport spoilt = verify(program, result, residual_alone());
      result.arrays[array].bytes = right;
      CHECK_FALSE(spoilt.holds);
      REQUIRE(spoilt.residual.has_value());
      CHECK(spoilt.residual->value > Residual::kMost);
    }
  }
}

TEST_CASE("a single wrong element of a factor fails its residual") {
  const Program program = generated("lu:tiles=3,tile=32");
  for (const std::string array : {"A_0_0", "A_1_2", "A_2_0", "A_2_2"}) {
    CAPTURE(array);
    ExecResult result = faultless(program);
    const double right = element<double>(program, result, array, 5 * 32 + 3);
    set_element(program, result, array, 5 * 32 + 3, right + 1e-3);
    const VerificationReport report = verify(program, result, residual_alone());
    CHECK_FALSE(report.holds);
    REQUIRE(report.differences.size() == 1);
    CHECK(report.differences[0].starts_with("residual of the factorisation is"));
  }
}

TEST_CASE("a factor that is not finite fails, with its first element named") {
  const Program program = generated("cholesky:tiles=3,tile=8");
  ExecResult result = faultless(program);
  set_element(program, result, "A_2_1", 3 * 8 + 4, std::numeric_limits<double>::quiet_NaN());
  set_element(program, result, "A_2_2", 0, std::numeric_limits<double>::infinity());
  const VerificationReport report = verify(program, result, residual_alone());
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0] == "factors are not finite: A_2_1[3, 4]: nan");
  // Above the diagonal there is nothing to look at.
  ExecResult above = faultless(program);
  set_element(program, above, "A_2_2", 1, std::numeric_limits<double>::infinity());
  CHECK(verify(program, above, residual_alone()).holds);
}

TEST_CASE("small factorisations are compared element by element as well") {
  const Program program = generated("cholesky:tiles=3,tile=8");
  ExecResult result = faultless(program);
  const double right = element<double>(program, result, "A_1_0", 0);
  set_element(program, result, "A_1_0", 0, right + 1e-9);
  const VerificationReport report = verify(program, result);
  CHECK_FALSE(report.holds);
  CHECK(report.differences[0].starts_with("A_1_0[0, 0]: found"));
  CHECK(report.residual.has_value());
}

// ---- products ----

TEST_CASE("large products are judged by products with a random vector, and a wrong element fails") {
  const std::string transposed =
      R"({"in": ["A", "B"], "inout": ["C"],
          "kernel": {"name": "gemm", "alpha": 2, "beta": -1, "transpose_a": 1, "transpose_b": 1}},
         {"in": ["A[:3]", "B[:, 3:]"], "inout": ["C"],
          "kernel": {"name": "gemm", "alpha": 0.5, "beta": 3, "transpose_a": 1, "transpose_b": 1}})";
  std::vector<Program> programs;
  programs.push_back(generated("gemm:tiles=3,depth=4,tile=16"));
  programs.push_back(generated("gemm:tiles=3,depth=2,tile=16,storage=matrix,dtype=float32"));
  programs.push_back(written(
      R"({"name": "A", "shape": [6, 4], "init": {"random": 1}},
         {"name": "B", "shape": [4, 6], "init": {"random": 2}},
         {"name": "C", "shape": [4, 4], "init": {"random": 3}})",
      transposed));
  for (const Program& program : programs) {
    CAPTURE(program.name());
    ExecResult result = faultless(program);
    const VerificationReport report = verify(program, result, residual_alone());
    CAPTURE(report.method);
    CHECK(report.holds);
    CHECK(report.method.find("products with a random vector") != std::string::npos);
    std::size_t judged = 0;
    for (const ArrayVerdict& verdict : report.arrays) {
      if (verdict.method != Method::kProduct) continue;
      ++judged;
      std::vector<std::byte>& bytes = result.arrays[verdict.array].bytes;
      const std::vector<std::byte> right = bytes;
      const bool is_double = program.array(verdict.array).spec.dtype == core::DType::kFloat64;
      const std::size_t last = bytes.size() - (is_double ? 8 : 4);
      if (is_double) {
        double value = 0.0;
        std::memcpy(&value, bytes.data() + last, sizeof value);
        value += 1e-6;
        std::memcpy(bytes.data() + last, &value, sizeof value);
      } else {
        const float value = std::numeric_limits<float>::quiet_NaN();
        std::memcpy(bytes.data() + last, &value, sizeof value);
      }
      const VerificationReport spoilt = verify(program, result, residual_alone());
      bytes = right;
      REQUIRE(spoilt.differences.size() == 1);
      CHECK(spoilt.differences[0].find("times a random vector is") != std::string::npos);
    }
    CHECK(judged > 0);
  }
}

TEST_CASE("what is more than products of kept factors is executed again, however long it takes") {
  const std::string arrays = R"({"name": "A", "shape": [4, 4], "init": {"random": 1}},
                                {"name": "B", "shape": [4, 4], "init": {"random": 2}},
                                {"name": "C", "shape": [4, 4], "init": {"random": 3}})";
  const std::string product = R"({"in": ["A", "B"], "inout": ["C"], "kernel": {"name": "gemm"}})";
  for (const std::string more :
       {R"({"in": ["C", "B"], "inout": ["A"], "kernel": {"name": "gemm"}})",
        R"({"inout": ["A"], "kernel": {"name": "scale", "value": 2}})",
        R"({"in": ["A[:2]", "B"], "inout": ["C[1:3]"], "kernel": {"name": "gemm"}})"}) {
    CAPTURE(more);
    const Program program = written(arrays, product + ", " + more);
    const ExecResult result = faultless(program);
    const VerificationReport report = verify(program, result, residual_alone());
    CHECK(report.holds);
    CHECK(report.method.find("sequential execution") != std::string::npos);
  }
}

// ---- shown values ----

TEST_CASE("values that tasks showed are compared where the task accesses them") {
  const Program program =
      written(R"({"name": "x", "shape": [4], "init": {"fill": 1}})",
              R"({"name": "a", "inout": ["x[:2]"], "kernel": {"name": "scale", "value": 2},
          "show": ["x", {"array": "x", "values": "start"}]},
         {"name": "b", "inout": ["x[2:]"], "kernel": {"name": "scale", "value": 3}, "show": ["x"]})");
  ExecResult result = faultless(program);
  REQUIRE(result.shown.size() == 3);
  // b may come first, so that a shows its results.
  const double early = 3.0;
  std::memcpy(result.shown[1].bytes.data() + 16, &early, sizeof early);
  CHECK(verify(program, result).holds);
  std::memcpy(result.shown[1].bytes.data() + 8, &early, sizeof early);
  const VerificationReport report = verify(program, result);
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0].starts_with("a shows x[1]: found bytes"));
  result.shown.pop_back();
  CHECK(verify(program, result).differences.back() == "b shows x: the run has no values of it");
}

}  // namespace
}  // namespace parley::exec
