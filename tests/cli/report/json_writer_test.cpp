#include "cli/report/json_writer.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace parley::cli {
namespace {

TEST_CASE("brackets, commas and line breaks are placed between elements only") {
  std::ostringstream text;
  JsonWriter json(text);
  json.begin_object().member("a", 1).key("b").begin_array();
  json.line_break().value(2).line_break().value("x").end_array();
  json.key("c").begin_object().end_object().key("d").begin_array().end_array().end_object();
  CHECK(text.str() == "{\"a\":1,\"b\":[\n2,\n\"x\"],\"c\":{},\"d\":[]}");
}

TEST_CASE("every byte of a text survives, and is escaped as nlohmann's writer escapes it") {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  all += "\xc3\xa9";
  CHECK(json_string(all) == nlohmann::json(all).dump());
}

TEST_CASE("numbers read back as the same numbers") {
  for (const double number : {0.0, 0.1, 1.0 / 3.0, 1e300, 5e-324, -2.5}) {
    std::ostringstream text;
    JsonWriter(text).value(number);
    CHECK(nlohmann::json::parse(text.str()).get<double>() == number);
  }
  std::ostringstream extremes;
  JsonWriter(extremes)
      .begin_array()
      .value(std::numeric_limits<std::int64_t>::min())
      .value(std::numeric_limits<std::uint64_t>::max())
      .value(std::numeric_limits<double>::quiet_NaN())
      .value(true)
      .end_array();
  CHECK(extremes.str() == "[-9223372036854775808,18446744073709551615,null,true]");
}

TEST_CASE("nanoseconds are written as exact microseconds") {
  CHECK(microseconds(0) == "0.000");
  CHECK(microseconds(7) == "0.007");
  CHECK(microseconds(1500) == "1.500");
  CHECK(microseconds(123456789012) == "123456789.012");
}

}  // namespace
}  // namespace parley::cli
