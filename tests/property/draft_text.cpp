// A draft as a listing that a person can read.
#include <sstream>

#include "tests/property/random_problem.h"

namespace parley::test {
namespace {

std::string text_of(const SliceDraft& slice) {
  std::string text = "[";
  for (const IndexDraft& index : slice) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(index.start);
    if (index.is_integer) continue;
    text += ":" + std::to_string(index.stop);
    if (index.step != 1) text += ":" + std::to_string(index.step);
  }
  return text + "]";
}

std::string text_of(const AccessDraft& access) {
  std::string text =
      std::string(core::name_of(access.mode)) + " " + static_cast<char>('A' + access.array);
  for (const SliceDraft& slice : access.slices) text += text_of(slice);
  if (access.member > 0) text += " for member " + std::to_string(access.member);
  return text;
}

std::string text_of(const PlacementDraft& placement) {
  std::string text;
  for (const std::string& member : placement.members) text += (text.empty() ? "" : "+") + member;
  if (placement.scratch_bytes > 0) {
    text += " with " + std::to_string(placement.scratch_bytes) + " scratch";
  }
  if (placement.milli_vcus != 1000) {
    text += " of " + std::to_string(placement.milli_vcus) + " milli vcus";
  }
  return text;
}

void list_arrays(const ProblemDraft& draft, std::ostringstream& out) {
  for (std::size_t a = 0; a < draft.arrays.size(); ++a) {
    const ArrayDraft& array = draft.arrays[a];
    out << "  array " << static_cast<char>('A' + a) << " (";
    for (const std::int64_t extent : array.shape) out << extent << ",";
    out << ") " << core::name_of(array.dtype) << (array.is_opaque ? " opaque" : "")
        << (array.initial == core::Initial::Kind::kNone ? ", undefined" : "");
    for (const std::size_t gpu : array.homes) out << ", at gpu" << gpu;
    if (array.is_at_second_host) out << ", at host1 if there is one";
    if (array.at_end == core::AtEnd::kHome) out << ", home at the end";
    if (array.at_end == core::AtEnd::kDiscard) out << ", discarded at the end";
    out << "\n";
  }
}

void list_tasks(const ProblemDraft& draft, std::ostringstream& out) {
  for (const TaskDraft& task : draft.tasks) {
    out << "  " << (task.kind == core::TaskKind::kEvict ? "evict" : "task") << " T[" << task.number
        << "]";
    for (const AccessDraft& access : task.accesses) out << " " << text_of(access) << ";";
    for (const PlacementDraft& placement : task.placement) out << " on " << text_of(placement);
    if (task.kind == core::TaskKind::kEvict) {
      out << " from " << task.evict_space << (task.keep_last ? "" : ", not the last");
    }
    for (const std::uint32_t on : task.after) out << " after " << on;
    if (!task.kernel.empty()) out << " kernel " << task.kernel;
    if (task.priority != 0) out << " priority " << task.priority;
    if (task.is_held_back) out << " held back";
    if (task.is_lazy) out << " lazy";
    if (task.is_shown) out << " shown";
    if (task.cost_ns != 0) out << " " << task.cost_ns << " ns";
    out << "\n";
  }
}

}  // namespace

std::string text_of(const ProblemDraft& draft) {
  std::ostringstream out;
  out << "  " << core::name_of(draft.mode) << " dependencies, " << draft.nodes << " node(s)\n";
  for (std::size_t g = 0; g < draft.gpus.size(); ++g) {
    out << "  gpu" << g << " on node " << draft.gpus[g].node << ", " << draft.gpus[g].slack
        << " bytes more than the largest working set\n";
  }
  out << "  routes between GPUs:";
  for (const auto& [from, to] : draft.peers) out << " " << from << ">" << to;
  out << "\n";
  list_arrays(draft, out);
  list_tasks(draft, out);
  const core::EngineOptions& options = draft.options;
  out << "  mapper " << options.mapper << ", order " << options.order << ", prefetch "
      << options.prefetch << ", evict " << options.evict << ", source " << options.source
      << ", window " << options.window << ", seed " << options.seed
      << (options.evict_idle_only ? ", idle victims only" : "") << "\n";
  if (!draft.portions.empty()) {
    out << "  submitted in portions" << (draft.is_growing ? " as the program grows:" : ":");
    for (const std::size_t portion : draft.portions) out << " " << portion;
    out << "\n";
  }
  if (draft.is_permuted) out << "  spawned in order " << draft.permutation << "\n";
  if (draft.has_failure) out << "  one command fails after " << draft.fail_after << " ended\n";
  return out.str();
}

}  // namespace parley::test
