// A table of text with aligned columns, as printed by reports and comparisons.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace parley::cli {

enum class Align { kLeft, kRight };

class TextTable {
 public:
  void add_column(std::string title, Align align = Align::kLeft);
  /// Requires: one cell a column.
  void add_row(std::vector<std::string> cells);
  [[nodiscard]] bool has_rows() const { return !rows_.empty(); }
  /// Two spaces between columns, no trailing blanks. `indent`: blanks before every line.
  void print(std::ostream& stream, std::size_t indent = 0) const;

 private:
  struct Column {
    std::string title;
    Align align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace parley::cli
