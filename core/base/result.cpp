#include "core/base/result.h"

#include <algorithm>
#include <cstddef>

namespace parley::core {
namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string did_you_mean(const std::string& wrong, const std::vector<std::string>& names) {
  const std::size_t limit = std::max<std::size_t>(1, wrong.size() / 3);
  std::size_t best = limit + 1;
  const std::string* nearest = nullptr;
  for (const std::string& name : names) {
    const std::size_t longer = std::max(name.size(), wrong.size());
    if (longer - std::min(name.size(), wrong.size()) > limit) continue;
    const std::size_t distance = edit_distance(wrong, name);
    if (distance < best) {
      best = distance;
      nearest = &name;
    }
  }
  return nearest == nullptr ? std::string() : "; did you mean \"" + *nearest + "\"?";
}

std::string names_text(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kMost ? text + ", ..." : text;
}

std::string nearest_or_all(const std::string& wrong, const std::vector<std::string>& names) {
  const std::string nearest = did_you_mean(wrong, names);
  return nearest.empty() && !names.empty() ? "; allowed: " + names_text(names) : nearest;
}

}  // namespace parley::core
