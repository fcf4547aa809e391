#include "cli/report/array_text.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "cli/report/number_text.h"
#include "exec/element.h"

namespace parley::cli {
namespace {

constexpr std::size_t kLineWidth = 75;
constexpr std::int64_t kMostUnabridged = 1000;
constexpr std::int64_t kEdge = 3;  // elements shown at either end of an abridged dimension

struct Layout {
  std::string separator = " ";
  bool is_one_line = false;
};

/// Formats the elements that are shown, then lays them out in brackets (numpy's _formatArray).
class ArrayPrinter {
 public:
  ArrayPrinter(const ArrayValues& values, const Layout& layout)
      : values_(values), layout_(layout), is_abridged_(values.size() > kMostUnabridged) {
    std::vector<const std::byte*> shown;
    list_shown(0, 0, shown);
    texts_ = number_texts(values.dtype, shown);
  }

  std::string text() {
    next_ = 0;
    return bracketed(
        0, " ", layout_.is_one_line ? std::numeric_limits<std::size_t>::max() / 2 : kLineWidth);
  }

 private:
  [[nodiscard]] bool is_cut(std::size_t dim) const {
    return is_abridged_ && values_.shape[dim] > 2 * kEdge;
  }

  void list_shown(std::size_t dim, std::int64_t first, std::vector<const std::byte*>& shown) const {
    if (dim == values_.shape.size()) {
      shown.push_back(values_.bytes.data() + first * core::element_bytes(values_.dtype));
      return;
    }
    const std::int64_t extent = values_.shape[dim];
    for (std::int64_t i = 0; i < extent; ++i) {
      if (is_cut(dim) && i == kEdge) i = extent - kEdge;
      list_shown(dim + 1, first * extent + i, shown);
    }
  }

  std::string bracketed(std::size_t dim, const std::string& indent, std::size_t width) {
    if (dim == values_.shape.size()) return texts_[next_++];
    const std::string inner =
        dim + 1 == values_.shape.size() ? row(dim, indent, width) : rows(dim, indent, width);
    return "[" + inner.substr(indent.size()) + "]";
  }

  /// The last dimension: elements, wrapped where a line would be too long.
  std::string row(std::size_t dim, const std::string& indent, std::size_t width) {
    const std::size_t blank = layout_.separator.find_last_not_of(' ') + 1;
    const std::size_t element_width = width - std::max<std::size_t>(blank, 1);
    std::string done;
    std::string line = indent;
    const auto extend = [&](const std::string& word) {
      if (line.size() + word.size() > element_width && line.size() > indent.size()) {
        done += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
        line = indent;
      }
      line += word;
    };
    const std::int64_t extent = values_.shape[dim];
    for (std::int64_t i = 0; i < extent; ++i) {
      if (is_cut(dim) && i == kEdge) {
        extend("...");
        line += layout_.separator;
        i = extent - kEdge;
      }
      extend(texts_[next_++]);
      if (i + 1 < extent) line += layout_.separator;
    }
    return done + line;
  }

  /// Any other dimension: what is inside, on lines of their own.
  std::string rows(std::size_t dim, const std::string& indent, std::size_t width) {
    const std::string between = line_separator(values_.shape.size() - dim - 1);
    const std::string own_indent = layout_.is_one_line ? "" : indent;
    std::string text = indent;
    const std::int64_t extent = values_.shape[dim];
    for (std::int64_t i = 0; i < extent; ++i) {
      if (i > 0) text += between + own_indent;
      if (is_cut(dim) && i == kEdge) {
        text += "..." + between + own_indent;
        i = extent - kEdge;
      }
      text += bracketed(dim + 1, indent + " ", width - 1);
    }
    return text;
  }

  [[nodiscard]] std::string line_separator(std::size_t dimensions_inside) const {
    if (layout_.is_one_line) return layout_.separator;
    const std::string& separator = layout_.separator;
    return separator.substr(0, separator.find_last_not_of(' ') + 1) +
           std::string(dimensions_inside, '\n');
  }

  const ArrayValues& values_;
  const Layout& layout_;
  bool is_abridged_;
  std::vector<std::string> texts_;  // of the elements shown, in order
  std::size_t next_ = 0;
};

std::string layout_text(const ArrayValues& values, const Layout& layout) {
  if (values.size() == 0) return "[]";
  return ArrayPrinter(values, layout).text();
}

void write_number(double number, JsonWriter& json) {
  if (std::isfinite(number)) {
    json.value(number);
  } else {
    json.value(std::isnan(number) ? "nan" : (number < 0 ? "-inf" : "inf"));
  }
}

void write_element(core::DType dtype, const std::byte* element, JsonWriter& json) {
  if (dtype == core::DType::kBool) {
    json.value(exec::load_element<std::uint64_t>(dtype, element) != 0);
    return;
  }
  exec::with_compute_type(dtype, [&](auto zero) {
    using C = decltype(zero);
    const C value = exec::load_element<C>(dtype, element);
    if constexpr (std::is_integral_v<C>) {
      json.value(value);
    } else if constexpr (exec::kIsComplex<C>) {
      json.begin_array();
      write_number(static_cast<double>(value.real()), json);
      write_number(static_cast<double>(value.imag()), json);
      json.end_array();
    } else {
      write_number(static_cast<double>(value), json);
    }
  });
}

void write_dimension(const ArrayValues& values, std::size_t dim, std::int64_t first,
                     JsonWriter& json) {
  if (dim == values.shape.size()) {
    write_element(values.dtype, values.bytes.data() + first * core::element_bytes(values.dtype),
                  json);
    return;
  }
  json.begin_array();
  for (std::int64_t i = 0; i < values.shape[dim]; ++i) {
    write_dimension(values, dim + 1, first * values.shape[dim] + i, json);
  }
  json.end_array();
}

/// What numpy adds to a repr when the type does not follow from the numbers.
std::string dtype_suffix(const ArrayValues& values) {
  using core::DType;
  const bool is_default = values.dtype == DType::kFloat64 || values.dtype == DType::kInt64 ||
                          values.dtype == DType::kBool || values.dtype == DType::kComplex128;
  if (is_default && (values.size() > 0 || values.dtype == DType::kFloat64)) return "";
  return ", dtype=" + std::string(core::name_of(values.dtype));
}

}  // namespace

std::int64_t ArrayValues::size() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::string str_text(const ArrayValues& values) {
  if (values.shape.empty()) return scalar_text(values.dtype, values.bytes.data());
  return layout_text(values, {" ", false});
}

std::string array_text(const ArrayValues& values) {
  return "array(" + layout_text(values, {", ", true}) + dtype_suffix(values) + ")";
}

void write_values(const ArrayValues& values, JsonWriter& json) {
  write_dimension(values, 0, 0, json);
}

std::vector<std::byte> elements_in(const ArrayValues& values, std::span<const core::Range> box) {
  const auto element = static_cast<std::size_t>(core::element_bytes(values.dtype));
  std::vector<std::byte> elements;
  const auto walk = [&](const auto& self, std::size_t dim, std::int64_t first) -> void {
    if (dim == box.size()) {
      const auto* at = values.bytes.data() + static_cast<std::size_t>(first) * element;
      elements.insert(elements.end(), at, at + element);
      return;
    }
    for (std::int64_t i = 0; i < box[dim].count; ++i) {
      self(self, dim + 1, first * values.shape[dim] + box[dim].start + i * box[dim].step);
    }
  };
  walk(walk, 0, 0);
  return elements;
}

}  // namespace parley::cli
