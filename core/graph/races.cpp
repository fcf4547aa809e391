#include "core/graph/races.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/graph/piece_map.h"
#include "core/graph/reachability.h"
#include "core/graph/task_graph.h"

namespace parley::core {
namespace {

struct PastAccess {
  TaskId task;
  RegionId region;
  AccessMode mode = AccessMode::kIn;
  bool is_after_writers = false;  // a reader that waits for every writer kept
};

/// The accesses of a piece that may be the nearest conflict of one to come, in topological order.
/// An access that a kept writer waits for is not needed: a later task that does not wait for the
/// access does not wait for that writer either, which is nearer. Likewise a reader that a reader
/// waits for. So without races there are one writer, and the readers since; and each race adds at
/// most one more writer and rescans the readers once, which bounds the work on racy programs too.
struct PieceHistory {
  std::vector<PastAccess> writers;
  std::vector<PastAccess> readers;
  bool has_contents = false;
};

/// Visits the tasks in topological order and compares each access with the histories of its pieces.
class RaceSearch {
 public:
  RaceSearch(const Program& program, std::size_t most)
      : program_(program),
        most_(most),
        graph_(program),
        reachability_(graph_),
        asked_by_(program.task_count()),
        answers_(program.task_count(), false) {
    for (std::size_t i = 0; i < program.array_count(); ++i) {
      const Array& array = program.array(ArrayId(i));
      map_.add_array(ArrayId(i), array.whole, program.region(array.whole).box);
      histories_.push_back({{}, {}, array.spec.initial.kind != Initial::Kind::kNone});
    }
  }

  RaceReport run() {
    for (const TaskId task : graph_.topological_order()) {
      visit(task);
      if (report_.races.size() > most_) break;
    }
    report_.is_cut_short = report_.races.size() > most_ || report_.undefined_reads.size() > most_;
    report_.races.resize(std::min(report_.races.size(), most_));
    report_.undefined_reads.resize(std::min(report_.undefined_reads.size(), most_));
    return std::move(report_);
  }

 private:
  using Nearest = std::optional<PastAccess>;

  void visit(TaskId task) {
    // An eviction changes where contents are, never what they are.
    if (program_.task(task).kind == TaskKind::kEvict) return;
    const std::size_t before = report_.races.size();
    for (const Access& access : program_.accesses(task)) {
      if (!writes(access.mode)) compare(task, access);
    }
    for (const Access& access : program_.accesses(task)) {
      if (writes(access.mode)) compare(task, access);
    }
    std::sort(report_.races.begin() + static_cast<std::ptrdiff_t>(before), report_.races.end(),
              [](const Race& a, const Race& b) { return a.second_region < b.second_region; });
  }

  void compare(TaskId task, const Access& access) {
    const Region& region = program_.region(access.region);
    if (region.bytes == Bytes(0)) return;  // no elements, no conflict
    for (const PieceCut& cut : map_.activate(access.region, region.array, region.box)) {
      PieceHistory copy = histories_[cut.from];
      histories_.push_back(std::move(copy));
    }
    Nearest nearest;
    bool is_defined = true;
    for (const PieceId piece : map_.pieces(access.region)) {
      PieceHistory& history = histories_[piece];
      if (reads(access.mode) && !history.has_contents && is_defined) {
        is_defined = false;
        report_undefined(task, access.region, piece);
      }
      if (writes(access.mode)) {
        write(history, {task, access.region, access.mode}, nearest);
      } else {
        read(history, {task, access.region, access.mode}, nearest);
      }
    }
    if (nearest) report(task, access, *nearest);
  }

  void read(PieceHistory& history, PastAccess access, Nearest& nearest) {
    access.is_after_writers = true;
    for (std::size_t i = history.writers.size(); i-- > 0 && access.is_after_writers;) {
      if (waits_for(access.task, history.writers[i].task)) continue;
      access.is_after_writers = false;
      consider(nearest, history.writers[i]);
    }
    std::vector<PastAccess>& readers = history.readers;
    if (readers.empty()) {
      readers.push_back(access);
    } else if (readers.back().task == access.task) {
      readers.back().region = std::min(readers.back().region, access.region);
    } else if (reachability_.surely_reaches(readers.back().task, access.task)) {
      readers.back() = access;
    } else {
      readers.push_back(access);
    }
  }

  void write(PieceHistory& history, PastAccess access, Nearest& nearest) {
    bool waits_for_writers = false;
    std::erase_if(history.readers, [&](PastAccess& reader) {
      if (waits_for(access.task, reader.task)) {
        waits_for_writers = waits_for_writers || reader.is_after_writers;
        return true;
      }
      reader.is_after_writers = false;  // not after this one
      consider(nearest, reader);
      return false;
    });
    std::erase_if(history.writers, [&](const PastAccess& writer) {
      if (waits_for_writers || waits_for(access.task, writer.task)) return true;
      consider(nearest, writer);
      return false;
    });
    history.writers.push_back(access);
    history.has_contents = true;
  }

  /// Whether `later` is, or waits for, `earlier`. Remembers the answers for one `later` at a time.
  bool waits_for(TaskId later, TaskId earlier) {
    if (later == earlier) return true;
    if (asked_by_[earlier] != later) {
      asked_by_[earlier] = later;
      answers_[earlier.index()] = reachability_.reaches(earlier, later);
    }
    return answers_[earlier.index()];
  }

  void consider(Nearest& nearest, const PastAccess& conflict) const {
    const auto rank = [&](const PastAccess& access) {
      return std::pair(reachability_.position(access.task),
                       RegionId::kNone - access.region.index());
    };
    if (!nearest || rank(conflict) > rank(*nearest)) nearest = conflict;
  }

  void report(TaskId task, const Access& access, const PastAccess& conflict) {
    const Box& mine = program_.region(access.region).box;
    const auto overlap = intersection(program_.region(conflict.region).box, mine);
    report_.races.push_back({conflict.task, task, conflict.region, access.region, conflict.mode,
                             access.mode, overlap.value_or(Box())});
  }

  void report_undefined(TaskId task, RegionId region, PieceId piece) {
    if (report_.undefined_reads.size() > most_) return;
    report_.undefined_reads.push_back({task, region, map_.boxes(piece).front()});
  }

  const Program& program_;
  std::size_t most_;
  TaskGraph graph_;
  Reachability reachability_;
  PieceMap map_;
  IdVector<PieceId, PieceHistory> histories_;
  IdVector<TaskId, TaskId> asked_by_;
  std::vector<bool> answers_;
  RaceReport report_;
};

const char* verb(AccessMode mode) {
  switch (mode) {
    case AccessMode::kIn:
      return "reads ";
    case AccessMode::kOut:
      return "writes ";
    case AccessMode::kInout:
      return "reads and writes ";
  }
  return "";
}

}  // namespace

RaceReport find_races(const Program& program, std::size_t most) {
  if (program.mode() != DependencyMode::kExplicit) return {};
  return RaceSearch(program, most).run();
}

Faults faults_of(const Program& program, const RaceReport& report) {
  Faults faults;
  for (const Race& race : report.races) {
    const ArrayId array = program.region(race.second_region).array;
    const std::string common = program.box_text(array, race.overlap);
    faults.push_back({std::string(program.task_name(race.second)),
                      "data race: " + std::string(verb(race.second_mode)) +
                          program.region_text(race.second_region) + ", while " +
                          std::string(program.task_name(race.first)) + " " + verb(race.first_mode) +
                          program.region_text(race.first_region) + " (common: " + common +
                          "), and neither waits for the other"});
  }
  for (const UndefinedRead& read : report.undefined_reads) {
    const ArrayId array = program.region(read.region).array;
    faults.push_back({std::string(program.task_name(read.task)),
                      "reads " + program.region_text(read.region) +
                          ", of which nothing before it "
                          "wrote " +
                          program.box_text(array, read.part) +
                          ": give the array \"init\", or write it first"});
  }
  if (faults.empty()) return faults;
  std::string advice;
  if (!report.races.empty()) {
    advice =
        "add the missing \"after\", or let the accesses order the tasks: \"dependencies\": "
        "\"both\"";
  }
  if (report.is_cut_short) advice += advice.empty() ? "there are more" : "; there are more races";
  if (!advice.empty()) faults.push_back({"", advice});
  return faults;
}

}  // namespace parley::core
