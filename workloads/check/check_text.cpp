// The report of a check in words.
#include <array>
#include <iomanip>
#include <sstream>

#include "workloads/check/check.h"

namespace parley::workloads {
namespace {

constexpr std::size_t kMostExamples = 5;  // of each problem

std::string size_text(core::Bytes bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes.count());
  std::size_t unit = 0;
  for (; value >= 1024.0 && unit + 1 < kUnits.size(); ++unit) value /= 1024.0;
  std::ostringstream text;
  text << std::fixed << std::setprecision(unit == 0 ? 0 : 1) << value << " " << kUnits[unit];
  return text.str();
}

/// "1 task", "3 tasks"; `plural` where it does not just end in s.
std::string count_text(std::size_t count, const std::string& what, const std::string& plural = "") {
  const std::string many = plural.empty() ? what + "s" : plural;
  return std::to_string(count) + " " + (count == 1 ? what : many);
}

void write_statistics(std::ostream& out, const core::Program& program,
                      const ProgramStatistics& statistics) {
  out << program.name() << "\n  " << count_text(statistics.tasks, "task");
  if (statistics.evictions > 0) out << ", " << statistics.evictions << " of them evictions";
  out << "; " << count_text(statistics.accesses, "access", "accesses") << "; "
      << count_text(statistics.dependencies, "dependency", "dependencies") << " ("
      << core::name_of(program.mode()) << ")\n";
  out << "  " << count_text(statistics.arrays, "array") << ", " << size_text(statistics.array_bytes)
      << "; " << count_text(statistics.regions, "region") << " in use; "
      << count_text(statistics.pieces, "piece");
  if (statistics.most_pieces > 1) {
    out << " (" << statistics.most_pieces << " in " << program.region_text(statistics.finest)
        << ")";
  }
  out << "\n  depth " << statistics.shape.depth << "; width " << std::fixed << std::setprecision(1)
      << statistics.shape.average_width << " on average, " << statistics.shape.widest
      << " at most\n";
  if (statistics.largest_task.is_none()) return;
  out << "  working sets from " << size_text(statistics.smallest_working_set) << " to "
      << size_text(statistics.largest_working_set) << " ("
      << program.task_name(statistics.largest_task) << "), median "
      << size_text(statistics.median_working_set) << "\n";
}

void write_faults(std::ostream& out, const core::Faults& faults) {
  for (const core::Fault& fault : faults) {
    out << "  " << fault.where << (fault.where.empty() ? "" : ": ") << fault.what << "\n";
  }
}

void write_soundness(std::ostream& out, const core::Program& program, const CheckReport& report) {
  if (program.mode() != core::DependencyMode::kExplicit) {
    out << "No data races: dependencies follow from the accesses.\n";
  } else if (report.races.is_clean()) {
    out << "No data races, and no reads of contents that nobody wrote.\n";
  } else {
    out << count_text(report.races.races.size(), "data race") << ", "
        << count_text(report.races.undefined_reads.size(), "undefined read")
        << (report.races.is_cut_short ? " and more" : "") << ":\n";
    write_faults(out, core::faults_of(program, report.races));
  }
  if (report.machine_faults.empty()) return;
  out << "Cannot run on this machine:\n";
  write_faults(out, report.machine_faults);
}

/// Examples of one problem, and why.
void write_problem(std::ostream& out, const core::Program& program, const ParlaReport& report,
                   ParlaProblem problem) {
  const std::size_t total = report.total(problem);
  if (total == 0) return;
  out << "  " << name_of(problem) << ", " << count_text(total, "time") << ":\n";
  std::size_t shown = 0;
  for (const ParlaFinding& finding : report.findings) {
    if (finding.problem != problem || shown == kMostExamples) continue;
    ++shown;
    out << "    " << finding_text(program, finding) << "\n";
  }
  if (shown < total) out << "    and " << total - shown << " more\n";
  out << "    " << explanation_of(problem) << "\n";
}

std::string_view placement_text(ParlaPlacement placement) {
  switch (placement) {
    case ParlaPlacement::kGiven:
      return "placed by a mapper";
    case ParlaPlacement::kFirst:
      return "each task on the first device that it names";
    case ParlaPlacement::kInTurn:
      return "tasks that may run on any GPU placed on the GPUs in turn";
  }
  return "";
}

void write_parla(std::ostream& out, const core::Program& program, const CheckReport& check) {
  const ParlaReport& report = check.parla;
  out << "What Parla would do (" << placement_text(check.parla_placement) << "):\n";
  for (const ParlaGeneration generation : kParlaGenerations) {
    out << "  " << name_of(generation) << ": "
        << (report.is_right(generation) ? "the right results" : "wrong results are possible")
        << "\n";
  }
  for (std::size_t p = 0; p < kParlaProblems; ++p) {
    write_problem(out, program, report, static_cast<ParlaProblem>(p));
  }
}

}  // namespace

std::string check_text(const core::Program& program, const CheckReport& report) {
  std::ostringstream out;
  write_statistics(out, program, report.statistics);
  write_soundness(out, program, report);
  // An order that leaves races open has no one meaning to compare Parla with.
  if (report.races.races.empty()) write_parla(out, program, report);
  return out.str();
}

}  // namespace parley::workloads
