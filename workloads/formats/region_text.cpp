#include "workloads/formats/region_text.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace parley::workloads {
namespace {

constexpr std::string_view kSpaces = " \t";

/// The indices between one pair of brackets. numpy allows one more than there are dimensions, the
/// ellipsis, so a longer list is wrong in any case.
struct IndexList {
  static constexpr std::size_t kMost = core::Box::kMaxRank;
  std::array<core::Index, kMost> indices;
  std::size_t count = 0;
  std::optional<std::size_t> ellipsis;  // it stands before this index
};

/// Reads "[...][...]" one bracket pair at a time.
class SelectionParser {
 public:
  explicit SelectionParser(std::string_view text) : text_(text) {}

  [[nodiscard]] bool is_at_end() {
    skip_spaces();
    return at_ == text_.size();
  }

  /// False, and fault() says why, when what follows is no index list.
  bool parse_list(IndexList& list) {
    if (!accept('[')) return fail("expected \"[\"");
    if (accept(']')) return fail_before("expected an index", 1);
    while (true) {
      if (!parse_item(list)) return false;
      if (accept(']')) return true;
      if (!accept(',')) return fail("expected \",\" or \"]\"");
      if (accept(']')) return true;  // A[0,] is A[0]
    }
  }

  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && kSpaces.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool fail(const std::string& expected) {
    skip_spaces();
    fault_ =
        expected + (at_ == text_.size() ? ", found the end"
                                        : ", found \"" + std::string(text_.substr(at_, 12)) + "\"");
    return false;
  }
  bool fail_before(const std::string& expected, std::size_t back) {
    at_ -= back;
    return fail(expected);
  }

  bool parse_item(IndexList& list) {
    skip_spaces();
    if (text_.substr(at_).starts_with("...")) {
      if (list.ellipsis) return fail("only one \"...\" is allowed");
      list.ellipsis = list.count;
      at_ += 3;
      return true;
    }
    if (list.count == IndexList::kMost) {
      return fail("expected at most " + std::to_string(IndexList::kMost) + " indices");
    }
    core::Slice slice;
    if (!parse_integer(slice.start)) return false;
    if (!accept(':')) {
      if (!slice.start) return fail("expected an integer, a slice or \"...\"");
      list.indices[list.count++] = *slice.start;
      return true;
    }
    if (!parse_integer(slice.stop)) return false;
    if (accept(':') && !parse_integer(slice.step)) return false;
    list.indices[list.count++] = slice;
    return true;
  }

  /// Leaves `value` empty when no integer follows. False when one follows that is too large.
  bool parse_integer(std::optional<std::int64_t>& value) {
    skip_spaces();
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error == std::errc::result_out_of_range) return fail("expected an index of 64 bits");
    if (error != std::errc()) return true;
    value = number;
    at_ += static_cast<std::size_t>(stop - begin);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string fault_;
};

std::size_t visible_rank(const core::Program& program, core::RegionView view) {
  std::size_t rank = 0;
  for (std::size_t d = 0; d < program.region(view.region).box.rank(); ++d) {
    if ((view.view.dropped >> d & 1U) == 0) ++rank;
  }
  return rank;
}

/// The list with its ellipsis replaced by as many ":" as there is room for.
std::vector<core::Index> without_ellipsis(const IndexList& list, std::size_t rank) {
  std::vector<core::Index> all(list.indices.begin(),
                               list.indices.begin() + static_cast<std::ptrdiff_t>(list.count));
  if (list.count < rank) {
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(*list.ellipsis), rank - list.count,
               core::Slice{});
  }
  return all;
}

core::Fault fault_of(std::string_view name, std::string_view selections, const std::string& what) {
  return {"", "\"" + std::string(name) + std::string(selections) + "\": " + what};
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kSpaces);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kSpaces) - start + 1);
}

RegionText split_region_text(std::string_view text) {
  text = trimmed(text);
  const std::size_t bracket = text.find('[');
  if (bracket == std::string_view::npos) return {text, {}};
  return {trimmed(text.substr(0, bracket)), text.substr(bracket)};
}

core::Result<core::RegionView> select_region(core::Program& program, core::ArrayId array,
                                             std::string_view selections) {
  core::RegionView view = program.whole(array);
  SelectionParser parser(selections);
  while (!parser.is_at_end()) {
    IndexList list;
    const std::string& name = program.array(array).spec.name;
    if (!parser.parse_list(list)) {
      return fault_of(
          name, selections,
          parser.fault() + " at character " + std::to_string(name.size() + parser.position() + 1));
    }
    core::Result<core::RegionView> selected =
        list.ellipsis
            ? program.slice(view, without_ellipsis(list, visible_rank(program, view)))
            : program.slice(view, std::span<const core::Index>(list.indices.data(), list.count));
    if (!selected) return fault_of(name, selections, selected.faults().front().what);
    view = *selected;
  }
  return view;
}

core::Result<core::RegionView> parse_region(core::Program& program, std::string_view text) {
  const RegionText parts = split_region_text(text);
  if (const auto array = program.find_array(parts.array)) {
    return select_region(program, *array, parts.selections);
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    names.push_back(program.array(core::ArrayId(i)).spec.name);
  }
  const std::string name(parts.array);
  return core::Fault{"", "unknown array \"" + name + "\"" + core::did_you_mean(name, names)};
}

}  // namespace parley::workloads
