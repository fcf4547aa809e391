#include "cli/report/explanation.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/report/names.h"
#include "cli/report/overview_text.h"
#include "cli/report/quantities.h"
#include "cli/report/text_table.h"
#include "cli/report/wait_chain.h"
#include "core/graph/task_graph.h"
#include "core/policy/view.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMostListed = 12;

class Explanation {
 public:
  Explanation(const RunResult& result, const core::Engine& engine, const CommandLog& log,
              const core::TaskRecord& task, std::ostream& stream)
      : result_(result),
        engine_(engine),
        log_(log),
        task_(task),
        stream_(stream),
        chain_(result, log),
        self_{&task, nullptr} {}

  void print() {
    print_place();
    print_operands();
    print_waits();
    print_chain();
    print_neighbours();
  }

 private:
  void print_place();
  void print_candidates();
  void print_operands();
  void print_waits();
  void print_device_wait(core::Time ready);
  void print_chain();
  void print_neighbours();
  void print_names(const char* title, std::span<const core::TaskId> tasks);
  [[nodiscard]] std::vector<const core::CopyRecord*> copies_into(core::ReplicaId replica) const;
  [[nodiscard]] std::string origin(const core::Access& access, const WatchedOperand& operand) const;
  [[nodiscard]] std::string name(core::TaskId task) const {
    return std::string(result_.program.task_name(task));
  }

  const RunResult& result_;
  const core::Engine& engine_;
  const CommandLog& log_;
  const core::TaskRecord& task_;
  std::ostream& stream_;
  WaitChain chain_;
  Interval self_;
};

void Explanation::print_place() {
  stream_ << name(task_.task) << " ran on " << devices_text(result_.machine, task_.devices)
          << " from " << text_of(task_.start) << " to " << text_of(task_.end) << " ("
          << text_of(task_.end - task_.start) << ")\n\nWhy there\n";
  const std::string reason = engine_.mapping_reason(task_.task);
  stream_ << "  " << policy_choice(result_.options).front().second << ": "
          << (reason.empty() ? "gives no reason" : reason) << '\n';
  print_candidates();
}

void Explanation::print_candidates() {
  const core::View view(engine_.state());
  const std::span<const core::Candidate> candidates = view.candidates(task_.task);
  stream_ << "  could run on:";
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostListed); ++i) {
    stream_ << (i == 0 ? " " : ", ") << devices_text(result_.machine, candidates[i].devices)
            << " (expected " << text_of(view.expected_duration(task_.task, candidates[i])) << ")";
  }
  if (candidates.size() > kMostListed) {
    stream_ << " and " << candidates.size() - kMostListed << " more";
  }
  stream_ << '\n';
}

/// Copies made for this task into one of its buffers, in order of their starts.
std::vector<const core::CopyRecord*> Explanation::copies_into(core::ReplicaId replica) const {
  std::vector<const core::CopyRecord*> copies;
  for (const core::CopyRecord& copy : result_.run.copies) {
    if (copy.task == task_.task && log_.target(copy.command) == replica &&
        copy.command < task_.command) {
      copies.push_back(&copy);
    }
  }
  std::sort(copies.begin(), copies.end(),
            [](const auto* a, const auto* b) { return a->command < b->command; });
  return copies;
}

/// How the contents of an operand came to where the task found them.
std::string Explanation::origin(const core::Access& access, const WatchedOperand& operand) const {
  if (!reads(access.mode)) return "written here; nothing is moved in";
  if (operand.binding.replica.is_none()) return "empty";
  const std::vector<const core::CopyRecord*> copies = copies_into(operand.binding.replica);
  std::string text;
  for (std::size_t i = 0; i < std::min(copies.size(), kMostListed); ++i) {
    const core::CopyRecord& copy = *copies[i];
    text += (i == 0 ? "" : "; ") + std::string(name_of(copy.reason)) + " of " +
            text_of(copy.bytes) + " from " + result_.machine.space(copy.from).name + ", " +
            text_of(copy.start) + " to " + text_of(copy.end);
    if (copy.start > copy.issued) {
      text += " after " + text_of(copy.start - copy.issued) + " of waiting";
    }
  }
  if (copies.size() > kMostListed) {
    text += "; and " + std::to_string(copies.size() - kMostListed) + " more copies";
  }
  if (!copies.empty()) return text;
  if (operand.writer.is_none()) return "here from the start";
  const Interval writer = chain_.interval(operand.writer);
  if (!writer.is_known()) return "here already";
  if (writer.task != nullptr) return "left here by " + name(writer.task->task);
  const std::string for_whom = writer.copy->task.is_none() ? "" : " for " + name(writer.copy->task);
  return "brought here before" + for_whom + " from " +
         result_.machine.space(writer.copy->from).name;
}

void Explanation::print_operands() {
  stream_ << "\nOperands\n";
  const std::span<const core::Access> accesses = result_.program.accesses(task_.task);
  TextTable table;
  table.add_column("");
  table.add_column("region");
  table.add_column("bytes", Align::kRight);
  table.add_column("in");
  table.add_column("at offset", Align::kRight);
  table.add_column("how it got there");
  for (std::size_t i = 0; i < accesses.size() && i < log_.operands().size(); ++i) {
    const WatchedOperand& operand = log_.operands()[i];
    const core::SpaceId space = operand.binding.space;
    table.add_row({std::string(name_of(accesses[i].mode)),
                   result_.program.region_text(accesses[i].region, accesses[i].view),
                   text_of(result_.program.region(accesses[i].region).bytes),
                   space.is_none() ? "" : result_.machine.space(space).name,
                   std::to_string(operand.binding.offset.count()), origin(accesses[i], operand)});
  }
  if (table.has_rows()) {
    table.print(stream_, 2);
  } else {
    stream_ << "  none\n";
  }
}

void Explanation::print_waits() {
  const core::Time issued = log_.issued(task_.command);
  const core::Time ready = chain_.ready(self_);
  stream_ << "\nWaiting\n  " << text_of(issued) << "  issued";
  std::vector<Interval> after;
  for (const core::CommandId id : log_.after(task_.command)) {
    if (chain_.interval(id).is_known()) after.push_back(chain_.interval(id));
  }
  std::stable_sort(after.begin(), after.end(),
                   [](const Interval& a, const Interval& b) { return a.end() > b.end(); });
  stream_ << (after.empty() ? ", with nothing to wait for\n" : "; waits for\n");
  for (std::size_t i = 0; i < std::min(after.size(), kMostListed); ++i) {
    stream_ << "            " << chain_.name_of(after[i]) << ", ended at "
            << text_of(after[i].end()) << '\n';
  }
  if (after.size() > kMostListed) {
    stream_ << "            and " << after.size() - kMostListed << " more that ended before\n";
  }
  if (ready > issued) {
    stream_ << "  " << text_of(ready) << "  ready, " << text_of(ready - issued) << " later\n";
  }
  print_device_wait(ready);
}

void Explanation::print_device_wait(core::Time ready) {
  stream_ << "  " << text_of(task_.start) << "  started";
  if (task_.start == ready) {
    stream_ << " at once\n";
    return;
  }
  stream_ << ", " << text_of(task_.start - ready) << " later; meanwhile its device ran";
  std::size_t count = 0;
  for (const core::TaskRecord& other : result_.run.tasks) {
    if (other.command == task_.command || other.end <= ready || other.start >= task_.start)
      continue;
    if (std::find_first_of(other.devices.begin(), other.devices.end(), task_.devices.begin(),
                           task_.devices.end()) == other.devices.end()) {
      continue;
    }
    if (count < kMostListed) stream_ << (count == 0 ? " " : ", ") << name(other.task);
    ++count;
  }
  if (count == 0) stream_ << " nothing: the host was still passing the launch on";
  if (count > kMostListed) stream_ << " and " << count - kMostListed << " more";
  stream_ << '\n';
}

/// From the start of the task back to what nothing held up.
void Explanation::print_chain() {
  stream_ << "\nWhat set its start, from there back\n";
  TextTable table;
  table.add_column("from", Align::kRight);
  table.add_column("to", Align::kRight);
  table.add_column("what");
  table.add_column("started when");
  Interval link = self_;
  for (std::size_t i = 0; i < kMostListed && link.is_known(); ++i) {
    const Wait wait = chain_.wait_of(link);
    std::string cause;
    switch (wait.kind) {
      case WaitKind::kNothing:
        cause = "it was issued";
        break;
      case WaitKind::kBytes:
        cause = chain_.name_of(wait.for_what) + " had ended";
        break;
      case WaitKind::kHeld:
        cause = chain_.name_of(wait.for_what) +
                (link.task != nullptr ? " left the device" : " left the copy engine");
        break;
      case WaitKind::kIssue:
        cause = "it was issued, after " + chain_.name_of(wait.for_what) + " had ended";
        break;
    }
    table.add_row({text_of(link.start()), text_of(link.end()), chain_.name_of(link), cause});
    // Commands without duration could lead round in a circle; every link must lie further back.
    const bool goes_back = wait.for_what.is_known() && wait.for_what.id() < link.id();
    const bool is_earlier = wait.for_what.is_known() && wait.for_what.start() < link.start();
    link = goes_back || is_earlier ? wait.for_what : Interval();
  }
  table.print(stream_, 2);
  if (link.is_known()) stream_ << "  ... and so on\n";
}

void Explanation::print_names(const char* title, std::span<const core::TaskId> tasks) {
  stream_ << "  " << title;
  for (std::size_t i = 0; i < std::min(tasks.size(), kMostListed); ++i) {
    stream_ << (i == 0 ? " " : ", ") << name(tasks[i]);
  }
  if (tasks.empty()) stream_ << " none";
  if (tasks.size() > kMostListed) stream_ << " and " << tasks.size() - kMostListed << " more";
  stream_ << '\n';
}

void Explanation::print_neighbours() {
  const core::TaskGraph graph(result_.program);
  stream_ << "\nIn the graph\n";
  print_names("depends on:", graph.predecessors(task_.task));
  print_names("needed by:", graph.successors(task_.task));
}

}  // namespace

void explain_task(const RunResult& result, const core::Engine& engine, const CommandLog& log,
                  core::TaskId task, std::ostream& stream) {
  for (const core::TaskRecord& record : result.run.tasks) {
    if (record.task != task) continue;
    Explanation(result, engine, log, record, stream).print();
    return;
  }
  stream << eviction_text(result.program, task) << ": it takes no time and runs on no device\n";
}

}  // namespace parley::cli
