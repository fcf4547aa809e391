#include "exec/verify/verification.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <set>

#include "core/graph/kernel.h"
#include "exec/task_kernel.h"
#include "exec/user_kernels.h"
#include "exec/verify/comparison.h"
#include "exec/verify/operand_shape.h"
#include "exec/verify/parallel.h"
#include "exec/verify/product.h"
#include "exec/verify/rounding.h"
#include "exec/verify/sequential.h"

namespace parley::exec {
namespace {

using core::ArrayId;
using core::TaskId;
using Method = ArrayVerdict::Method;
using Alternatives = core::IdVector<TaskId, std::uint16_t>;

std::string short_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2g", value);
  return text.data();
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

bool is_compared(const core::Program& program, ArrayId array) {
  return program.array(array).spec.at_end != core::AtEnd::kDiscard;
}

/// Whether it leaves hashes behind, which are any bytes: a task without a kernel does.
bool hashes(const core::Program& program, TaskId task, std::uint16_t alternative) {
  if (program.task(task).kind != core::TaskKind::kCompute) return false;
  const core::Kernel& kernel = kernel_of(program, task, alternative);
  return kernel.empty() || std::ranges::any_of(kernel, [](const core::KernelCall& call) {
           return call.name == "hash_mix";
         });
}

double flops_of(const core::Program& program, const Alternatives& alternatives) {
  double flops = 0.0;
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    const TaskId task(i);
    if (program.task(task).kind != core::TaskKind::kCompute) continue;
    for (const core::KernelCall& call : kernel_of(program, task, alternatives[task])) {
      flops += core::kernel_flops(call, argument_shapes(program, task, alternatives[task], call));
    }
  }
  return flops;
}

/// The program executed a second time, beside what the run showed and left behind.
class SecondExecution {
 public:
  SecondExecution(const core::Program& program, const ExecResult& executed,
                  const Alternatives& alternatives, const VerifyOptions& options)
      : program_(program),
        executed_(executed),
        alternatives_(alternatives),
        options_(options),
        kernels_(kernels_of(program)),
        execution_(program, kernels_),
        trace_(program, execution_) {
    for (const ShownValues& shown : executed.shown) shown_[shown.task].push_back(&shown);
  }

  void run(VerificationReport& report) {
    std::size_t finished = 0;
    for (const TaskId task : sequential_order(program_)) {
      compare_shown(task, core::Show::Values::kStart, report);
      is_hashing_ |= hashes(program_, task, alternatives_[task]);
      if (has_bodies(task)) {
        trace_.before(task, alternatives_[task]);
        execution_.run(task, alternatives_[task]);
        trace_.after(task, alternatives_[task]);
      } else {
        trace_.skip(task);
        ++report.skipped_tasks;
      }
      compare_shown(task, core::Show::Values::kEnd, report);
      if (options_.progress) options_.progress(++finished, program_.task_count());
    }
    report.arrays = compared();
    for (const ArrayVerdict& verdict : report.arrays) {
      if (!verdict.holds) report.differences.push_back(verdict.text);
    }
  }

 private:
  /// Whether all kernels of the task can be executed on the host; a program's own may be for GPUs
  /// only.
  [[nodiscard]] bool has_bodies(TaskId task) const {
    const core::Kernel& kernel = kernel_of(program_, task, alternatives_[task]);
    return std::all_of(kernel.begin(), kernel.end(), [&](const core::KernelCall& call) {
      return kernels_.find(call.name) != nullptr;
    });
  }

  /// All arrays that the run kept, several at a time.
  std::vector<ArrayVerdict> compared() {
    std::vector<ArrayVerdict> verdicts(program_.array_count());
    std::atomic<std::size_t> next{0};
    in_parallel(thread_count(options_.threads), [&](unsigned) {
      for (std::size_t i = next++; i < verdicts.size(); i = next++) {
        const ArrayId array(i);
        verdicts[i].array = array;
        verdicts[i].method = Method::kNone;
        if (!is_compared(program_, array)) continue;
        const ArrayContents& found = executed_.arrays[array];
        verdicts[i] = compare(program_, array, execution_.array(array), found.bytes,
                              {trace_.elements(array), trace_.rounding(array)});
        if (!is_hashing_) {
          verdicts[i].not_finite =
              not_finite_text(program_, array, found.bytes, trace_.elements(array));
        }
        if (found.is_complete) continue;
        verdicts[i].holds = false;
        verdicts[i].text =
            program_.array(array).spec.name + ": some of its elements could not be read";
      }
    });
    return verdicts;
  }

  /// What the task showed of arrays. Only the elements that the task itself accesses: in what order
  /// it and others come is not said for the rest.
  void compare_shown(TaskId task, core::Show::Values when, VerificationReport& report) {
    const auto found = shown_.find(task);
    for (const core::Show& show : program_.extras(task).show) {
      if (show.values != when) continue;
      const std::string who = std::string(program_.task_name(task)) + " shows ";
      std::size_t& position = next_shown_[task];
      if (found == shown_.end() || position >= found->second.size() ||
          found->second[position]->array != show.array) {
        report.differences.push_back(who + program_.array(show.array).spec.name +
                                     ": the run has no values of it");
        continue;
      }
      const std::vector<Certainty> certainties = certainties_of(task, show.array);
      const ArrayVerdict verdict =
          compare(program_, show.array, execution_.array(show.array),
                  found->second[position++]->bytes, {certainties, trace_.rounding(show.array)});
      if (!verdict.holds) report.differences.push_back(who + verdict.text);
    }
  }

  /// Of the elements of `array` that the task accesses, as the trace has them; others unknown.
  [[nodiscard]] std::vector<Certainty> certainties_of(TaskId task, ArrayId array) const {
    const core::Array& described = program_.array(array);
    const std::int64_t element = std::max<std::int64_t>(described.element_bytes, 1);
    std::vector<Certainty> certainties(static_cast<std::size_t>(described.bytes.count() / element),
                                       Certainty::kUnknown);
    for (const core::Access& access : program_.accesses(task)) {
      if (program_.region(access.region).array != array) continue;
      for_each_element_index(program_, access.region, [&](std::size_t at) {
        const std::span<const Certainty> known = trace_.elements(array);
        certainties[at] = known.empty() ? Certainty::kExact : known[at];
      });
    }
    return certainties;
  }

  const core::Program& program_;
  const ExecResult& executed_;
  const Alternatives& alternatives_;
  const VerifyOptions& options_;
  KernelRegistry kernels_;
  SequentialExecution execution_;
  RoundingTrace trace_;
  bool is_hashing_ = false;  // any bytes may come of that
  std::map<TaskId, std::vector<const ShownValues*>> shown_;
  std::map<TaskId, std::size_t> next_shown_;
};

void describe_comparison(VerificationReport& report) {
  std::size_t same = 0, close = 0, unknown = 0, not_finite = 0;
  std::string first_not_finite;
  double worst = 0.0;
  for (const ArrayVerdict& verdict : report.arrays) {
    if (!verdict.holds) continue;
    same += verdict.method == Method::kBytes ? 1 : 0;
    close += verdict.method == Method::kRounding ? 1 : 0;
    unknown += verdict.unknown > 0 ? 1 : 0;
    if (!verdict.not_finite.empty() && not_finite++ == 0) first_not_finite = verdict.not_finite;
    if (verdict.allowed > 0.0) worst = std::max(worst, verdict.error / verdict.allowed);
  }
  report.method =
      "compared with sequential execution: " + counted(same, "array") + " equal byte for byte";
  if (close > 0) {
    report.method += ", " + std::to_string(close) + " within rounding (at most " +
                     short_text(worst) + " of what is allowed)";
  }
  if (report.skipped_tasks > 0) {
    report.method += ", " + counted(report.skipped_tasks, "task") + " without a host body left out";
  }
  if (unknown > 0) {
    report.method += ", " + counted(unknown, "array") + " with elements that no task defines";
  }
  if (not_finite > 0) {
    report.method += ", " + counted(not_finite, "array") + " with elements that are not finite (" +
                     first_not_finite + "), as in sequential execution";
  }
}

/// Arrays that hold tiles, where nothing else has been said of them.
void judge_by_residual(const core::Program& program, const ExecResult& executed,
                       VerificationReport& report) {
  std::set<ArrayId> factors;
  for (const core::RegionId tile : program.factorization()->tiles) {
    if (!tile.is_none()) factors.insert(program.region(tile).array);
  }
  std::size_t others = 0;
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    ArrayVerdict verdict;
    verdict.array = ArrayId(i);
    const bool is_factor = factors.contains(verdict.array);
    verdict.method = is_factor ? Method::kResidual : Method::kNone;
    verdict.holds = !is_factor || report.residual->holds();
    others += is_factor ? 0 : 1;
    if (is_factor && !executed.arrays[verdict.array].is_complete) {
      verdict.holds = false;
      verdict.text =
          program.array(verdict.array).spec.name + ": some of its elements could not be read";
      report.differences.push_back(verdict.text);
    }
    report.arrays.push_back(std::move(verdict));
  }
  report.method = "by its residual alone, since executing it again would take " +
                  short_text(report.flops) + " flops";
  if (others > 0) report.method += "; " + counted(others, "array") + " not compared";
}

/// Arrays that are not listed are the factors, or what no task writes.
void judge_by_products(const core::Program& program, const ProductCheck& check,
                       VerificationReport& report) {
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    ArrayVerdict verdict;
    verdict.array = ArrayId(i);
    const bool is_product = std::ranges::binary_search(check.arrays, verdict.array);
    verdict.method = is_product ? Method::kProduct : Method::kNone;
    report.arrays.push_back(std::move(verdict));
  }
  report.differences = check.failures;
  report.method = "by products with a random vector (error at most " + short_text(check.worst) +
                  " of what is allowed), since executing it again would take " +
                  short_text(report.flops) + " flops; " +
                  counted(program.array_count() - check.arrays.size(), "array") + " not compared";
}

bool has_contents(const core::Program& program, const ExecResult& executed) {
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const auto bytes = static_cast<std::size_t>(program.array(ArrayId(i)).bytes.count());
    const ArrayContents& found = executed.arrays[ArrayId(i)];
    if (found.bytes.size() != bytes || !found.is_complete) return false;
  }
  return true;
}

void add_residual(const core::Program& program, const ExecResult& executed, unsigned threads,
                  VerificationReport& report) {
  for (const core::RegionId tile : program.factorization()->tiles) {
    if (tile.is_none()) continue;
    const ArrayId array = program.region(tile).array;
    if (executed.arrays[array].bytes.size() ==
        static_cast<std::size_t>(program.array(array).bytes.count())) {
      continue;
    }
    report.differences.push_back(program.array(array).spec.name + ": its contents were not kept");
    return;
  }
  report.residual = factorization_residual(program, executed.arrays, threads);
  const Residual& residual = *report.residual;
  if (residual.not_finite) {
    report.differences.push_back("factors are not finite: " + *residual.not_finite);
  } else if (!residual.holds()) {
    report.differences.push_back("residual of the factorisation is " + short_text(residual.value) +
                                 " times n eps; at most " + short_text(Residual::kMost) +
                                 " is rounding");
  }
}

}  // namespace

VerificationReport verify(const core::Program& program, const ExecResult& executed,
                          const VerifyOptions& options) {
  VerificationReport report;
  Alternatives alternatives(program.task_count());
  for (const core::TaskRecord& task : executed.run.tasks)
    alternatives[task.task] = task.alternative;
  report.flops = flops_of(program, alternatives);
  const bool has_factors = program.factorization().has_value();
  const bool is_affordable = report.flops <= options.most_flops;
  if (!is_affordable && !has_factors && has_contents(program, executed)) {
    if (const auto check =
            check_products(program, alternatives, executed.arrays, options.threads)) {
      judge_by_products(program, *check, report);
      report.holds = report.differences.empty();
      return report;
    }
  }
  const bool is_repeated = is_affordable || !has_factors;
  if (is_repeated) {
    try {
      SecondExecution(program, executed, alternatives, options).run(report);
    } catch (const SequentialFailure& failure) {
      report.method = "sequential execution, which failed";
      report.differences.push_back("executed once more, one task after another, " +
                                   std::string(failure.what()));
      report.holds = false;
      return report;
    }
    describe_comparison(report);
  }
  if (has_factors) add_residual(program, executed, options.threads, report);
  if (report.residual) {
    if (!is_repeated) judge_by_residual(program, executed, report);
    report.method += "; residual " + short_text(report.residual->value) + " of " +
                     short_text(Residual::kMost) + " allowed";
  }
  report.holds = report.differences.empty();
  return report;
}

}  // namespace parley::exec
