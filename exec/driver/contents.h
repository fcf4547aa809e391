// What arrays hold, read from the slabs of a backend while nothing is in flight.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "exec/backend.h"
#include "exec/executor.h"

namespace parley::exec {

/// The elements at `locations`, in a row-major image of the whole array; others are kUndefined.
/// Pieces that cannot be read make it incomplete.
ArrayContents read_contents(const core::Program& program, core::ArrayId array,
                            std::span<const core::PieceLocation> locations, Backend& backend);

/// The region's elements, row-major without gaps, out of such an image.
std::vector<std::byte> elements_of(const core::Program& program, core::RegionId region,
                                   std::span<const std::byte> image);

}  // namespace parley::exec
