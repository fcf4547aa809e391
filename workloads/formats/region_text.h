// Regions as text, the way numpy writes selections: "A", "A[0]", "A[-1]", "A[2:5, ::2]", "A[...,
// 0]", "A[::-1]", and slices of slices, "A[0][1:3]". Different spellings of the same elements give
// the same region; the view tells which dimensions an integer dropped and which are walked
// backwards.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/graph/program.h"

namespace parley::workloads {

/// Without spaces and tabs at either end.
std::string_view trimmed(std::string_view text);


/// "A[0][1:3]" as "A" and "[0][1:3]", without the spaces around; no brackets: all is the name.
struct RegionText {
  std::string_view array;
  std::string_view selections;
};
RegionText split_region_text(std::string_view text);

/// The selections of `text` applied to `array`. The fault's `what` quotes the text and counts
/// characters from 1. Requires: `text` was split from a region's text; the array exists.
core::Result<core::RegionView> select_region(core::Program& program, core::ArrayId array,
                                             std::string_view selections);

/// Both, with the nearest array when the name is unknown.
core::Result<core::RegionView> parse_region(core::Program& program, std::string_view text);

}  // namespace parley::workloads
