// The words for what the model of Parla finds.
#include "workloads/check/parla_model.h"

namespace parley::workloads {

std::string_view name_of(ParlaGeneration generation) {
  switch (generation) {
    case ParlaGeneration::kPython:
      return "Parla 0.2";
    case ParlaGeneration::kCpp:
      return "parla-experimental";
    case ParlaGeneration::kCppAsItStands:
      return "parla-experimental, outputs silent";
  }
  return "";
}

std::string_view name_of(ParlaProblem problem) {
  switch (problem) {
    case ParlaProblem::kMissingWriteBack:
      return "missing write-back";
    case ParlaProblem::kStaleSlice:
      return "stale slice";
    case ParlaProblem::kStaleMerge:
      return "stale merge";
    case ParlaProblem::kStaleWhole:
      return "stale whole";
    case ParlaProblem::kOldVersion:
      return "old version";
    case ParlaProblem::kOverlap:
      return "overlapping slices";
    case ParlaProblem::kSilentOutput:
      return "silent output";
    case ParlaProblem::kPrefetchHole:
      return "prefetch hole";
    case ParlaProblem::kNeedlessCopy:
      return "needless copy";
    case ParlaProblem::kFailure:
      return "failure";
  }
  return "";
}

std::string_view explanation_of(ParlaProblem problem) {
  switch (problem) {
    case ParlaProblem::kMissingWriteBack:
      return "A slice comes from the copy that the array's owner has of the whole, and what "
             "another "
             "device wrote to a slice is not there yet. Documented: there, put a task with "
             "inout=[the whole array] in between, to write it back.";
    case ParlaProblem::kStaleSlice:
      return "A slice that was fetched once counts as valid for good: a later write by the owner "
             "of "
             "the whole tells it nothing. There, do not mix slices and the whole of an array.";
    case ParlaProblem::kStaleMerge:
      return "Whoever asks for the whole gets every device's slices copied over it, unchanged and "
             "outdated ones too. There, do not mix slices and the whole of an array.";
    case ParlaProblem::kStaleWhole:
      return "A write to a slice invalidates the owner's copy of the whole but not the others, "
             "which "
             "go on being read.";
    case ParlaProblem::kOldVersion:
      return "A write to the whole on a device that held slices gives it no new version number, "
             "and "
             "among copies of equal number the last device's is taken.";
    case ParlaProblem::kOverlap:
      return "Slices of one array are taken to be disjoint; what happens to common elements is "
             "undefined. Documented: there, write the whole back between the two.";
    case ParlaProblem::kSilentOutput:
      return "As it stands (2025), the C++ generation only reads an output in before its task; "
             "other copies stay valid unless the body calls update() on the whole array. There, "
             "declare it inout.";
    case ParlaProblem::kPrefetchHole:
      return "A prefetch waits for those direct dependencies that name the array themselves (in "
             "Parla 0.2, for a slice, those that name the same slice); another writer is "
             "overlooked, and the copy may start before it ends. There, name the writer as a "
             "dependency, or the whole array.";
    case ParlaProblem::kNeedlessCopy:
      return "An output is brought in like an input, although its old contents are of no use.";
    case ParlaProblem::kFailure:
      return "The protocol is about to copy from a buffer that is gone.";
  }
  return "";
}

bool is_wrong_result(ParlaProblem problem) {
  switch (problem) {
    case ParlaProblem::kMissingWriteBack:
    case ParlaProblem::kStaleSlice:
    case ParlaProblem::kStaleMerge:
    case ParlaProblem::kStaleWhole:
    case ParlaProblem::kOldVersion:
    case ParlaProblem::kOverlap:
    case ParlaProblem::kSilentOutput:
    case ParlaProblem::kPrefetchHole:
    case ParlaProblem::kFailure:
      return true;
    case ParlaProblem::kNeedlessCopy:
      return false;
  }
  return false;
}

namespace {

std::string task_text(const core::Program& program, core::TaskId task) {
  return std::string(program.task_name(task));
}

/// "the contents from before T[2] (those of T[0])".
std::string contents_text(const core::Program& program, const ParlaFinding& finding) {
  std::string text = "the contents ";
  if (finding.missed.is_none()) {
    text += "of " + task_text(program, finding.found) + " instead of the initial ones";
    return text;
  }
  text += "from before " + task_text(program, finding.missed) + " (";
  text += finding.found.is_none() ? "the initial ones"
                                  : "those of " + task_text(program, finding.found);
  return text + ")";
}

std::string generations_text(const ParlaFinding& finding) {
  const auto is_in = [&](ParlaGeneration generation) {
    return finding.generations[static_cast<std::size_t>(generation)];
  };
  const bool is_in_cpp = is_in(ParlaGeneration::kCpp) || is_in(ParlaGeneration::kCppAsItStands);
  if (is_in(ParlaGeneration::kPython) && !is_in_cpp) return " [Parla 0.2 only]";
  if (!is_in(ParlaGeneration::kPython) && is_in_cpp) return " [parla-experimental only]";
  return "";
}

}  // namespace

std::string finding_text(const core::Program& program, const ParlaFinding& finding) {
  const std::string task = task_text(program, finding.task);
  const std::string region = program.region_text(finding.region, finding.view);
  const bool is_in_part = finding.part != program.region(finding.region).box;
  const std::string part =
      is_in_part
          ? "in " + program.box_text(program.region(finding.region).array, finding.part) + " "
          : "";
  std::string text = task + " ";
  switch (finding.problem) {
    case ParlaProblem::kMissingWriteBack:
    case ParlaProblem::kStaleSlice:
    case ParlaProblem::kStaleMerge:
    case ParlaProblem::kStaleWhole:
    case ParlaProblem::kOldVersion:
    case ParlaProblem::kSilentOutput:
      text += "reads " + region + " on " + finding.device + ": Parla returns " + part +
              contents_text(program, finding);
      break;
    case ParlaProblem::kOverlap:
      text += "uses " + region + ", which overlaps a slice that " +
              task_text(program, finding.missed) + " uses";
      break;
    case ParlaProblem::kPrefetchHole:
      text += "reads " + region + " on " + finding.device +
              ": Parla's prefetch of it does not wait for " + task_text(program, finding.missed);
      break;
    case ParlaProblem::kNeedlessCopy:
      text += "only writes " + region + " on " + finding.device + ": Parla copies the old " +
              std::to_string(finding.bytes.count()) + " bytes there first";
      break;
    case ParlaProblem::kFailure:
      text += "needs " + region + " on " + finding.device + ": Parla finds no copy and fails";
      break;
  }
  return text + generations_text(finding);
}

}  // namespace parley::workloads
