// Mutations: deliberate protocol faults, so that the tests can be seen to catch them. In builds
// with PARLEY_FAULTS one can be switched on at run time; otherwise every question is a constant
// "no".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::core {

enum class Mutation : std::uint8_t {
  kNone,
  kReadIgnoresWriter,       // a reader does not wait for the command that produces the bytes
  kWriteIgnoresReaders,     // an overwrite does not wait for readers
  kWriteIgnoresWriter,      // an overwrite does not wait for the previous write
  kIgnoresResidue,          // reused memory does not wait for its former users
  kFreeForgetsUsers,        // freed memory keeps no residue
  kWriteKeepsOthers,        // a write does not invalidate the other replicas
  kWriteKeepsLastOther,     // a write invalidates all other replicas but one
  kEvictDropsSoleCopy,      // no write-back of the only valid copy
  kEvictTrustsClean,        // write-back only when the owner's copy goes ("clean" ones are dropped)
  kOutCopiesNothingValid,   // inout does not fetch the old contents
  kInvalidatesBeforeReads,  // a task's writes take effect before its own reads are fetched
  kCutForgetsReaders,       // a part of a cut piece loses the readers
  kCutForgetsHolders,       // a part of a cut piece loses the holders
  kCopyMarksNoReader,       // a copy is not recorded as a reader of its source
  kLaunchMarksNoReader,     // a task is not recorded as a reader of its operands
  kIgnoresExplicit,         // explicit dependencies do not enter `after`
  kPartialOverlapStale,     // a write invalidates only replicas of the very same region
  kRollbackLosesResidue,    // memory given back after a failed staging forgets its residue
  kWindowOverrun,           // the window is not respected
  kHomeViewAliasesInput,    // an input that overlaps an output on the host is not copied aside
};

inline constexpr std::array<std::string_view, 21> kMutationNames = {"none",
                                                                    "read_ignores_writer",
                                                                    "write_ignores_readers",
                                                                    "write_ignores_writer",
                                                                    "ignores_residue",
                                                                    "free_forgets_users",
                                                                    "write_keeps_others",
                                                                    "write_keeps_last_other",
                                                                    "evict_drops_sole_copy",
                                                                    "evict_trusts_clean",
                                                                    "out_copies_nothing_valid",
                                                                    "invalidates_before_reads",
                                                                    "cut_forgets_readers",
                                                                    "cut_forgets_holders",
                                                                    "copy_marks_no_reader",
                                                                    "launch_marks_no_reader",
                                                                    "ignores_explicit",
                                                                    "partial_overlap_stale",
                                                                    "rollback_loses_residue",
                                                                    "window_overrun",
                                                                    "home_view_aliases_input"};

#ifdef PARLEY_FAULTS
void set_mutation(Mutation mutation);  // process-wide; for tests of one thread at a time
bool mutation_is_on(Mutation mutation);
#else
constexpr bool mutation_is_on(Mutation) { return false; }
#endif

}  // namespace parley::core
