#include "cli/report/quantities.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace parley::cli {
namespace {

TEST_CASE("durations have three significant digits and the unit that suits them") {
  const std::pair<std::int64_t, std::string> cases[] = {{0, "0 ns"},
                                                        {999, "999 ns"},
                                                        {1000, "1.00 us"},
                                                        {12345, "12.3 us"},
                                                        {123456, "123 us"},
                                                        {999499, "999 us"},
                                                        {999500, "1.00 ms"},
                                                        {4560000, "4.56 ms"},
                                                        {999500000, "1.00 s"},
                                                        {2345000000, "2.35 s"},
                                                        {98765000000000, "98765 s"},
                                                        {-1500, "-1.50 us"}};
  for (const auto& [ns, text] : cases) CHECK(text_of(core::Duration(ns)) == text);
}

TEST_CASE("bytes are counted in powers of 1024") {
  const std::pair<std::int64_t, std::string> cases[] = {
      {0, "0 B"},         {1023, "1023 B"},      {1024, "1.00 KiB"},
      {1536, "1.50 KiB"}, {1048575, "1.00 MiB"}, {150109880320, "140 GiB"}};
  for (const auto& [bytes, text] : cases) CHECK(text_of(core::Bytes(bytes)) == text);
}

TEST_CASE("counts are grouped by thousands, shares are percentages") {
  CHECK(text_of_count(0) == "0");
  CHECK(text_of_count(999) == "999");
  CHECK(text_of_count(5984) == "5,984");
  CHECK(text_of_count(1234567) == "1,234,567");
  CHECK(text_of_share(0.9345) == "93.5%");
}

}  // namespace
}  // namespace parley::cli
