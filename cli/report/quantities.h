// Times, bytes and counts as people read them. Only for text; files carry integers.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/units.h"

namespace parley::cli {

/// "431 ns", "12.3 us", "4.56 ms", "2.35 s": three significant digits.
std::string text_of(core::Duration duration);
std::string text_of(core::Time time);
/// "40 B", "1.5 KiB", "24.0 GiB".
std::string text_of(core::Bytes bytes);
/// "5,984".
std::string text_of_count(std::uint64_t count);
/// "1 task", "5,984 tasks".
std::string counted(std::uint64_t count, const std::string& noun);
/// 0.934 -> "93.4%".
std::string text_of_share(double share);
/// The shortest that reads back as the same number: "0.1", "1e+06".
std::string text_of_number(double number);
/// 1.234 -> "1.23 x".
std::string text_of_factor(double factor);

}  // namespace parley::cli
