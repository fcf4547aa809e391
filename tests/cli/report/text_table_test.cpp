#include "cli/report/text_table.h"

#include <doctest/doctest.h>

#include <sstream>

#include "core/base/check.h"

namespace parley::cli {
namespace {

TEST_CASE("columns are as wide as their widest cell and end without blanks") {
  TextTable table;
  table.add_column("name");
  table.add_column("bytes", Align::kRight);
  table.add_column("note");
  table.add_row({"a", "12", "x"});
  table.add_row({"longer", "3", ""});
  std::ostringstream text;
  table.print(text, 2);
  CHECK(text.str() ==
        "  name    bytes  note\n"
        "  a          12  x\n"
        "  longer      3\n");
}

TEST_CASE("letters outside ASCII count once") {
  TextTable table;
  table.add_column("n");
  table.add_column("m");
  table.add_row({"\xc3\xa9\xc3\xa9", "x"});
  std::ostringstream text;
  table.print(text);
  CHECK(text.str() == "n   m\n\xc3\xa9\xc3\xa9  x\n");
}

TEST_CASE("a row without a cell for every column is refused") {
  TextTable table;
  table.add_column("n");
  CHECK_THROWS_AS(table.add_row({"a", "b"}), core::InvariantViolation);
}

}  // namespace
}  // namespace parley::cli
