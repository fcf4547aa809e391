// Storing equal values once. Looked up by hash, decided by comparison in full.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/base/ids.h"

namespace parley::core {

/// Lets maps keyed by strings be asked with string views.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

/// Interns equal values under one id: candidates of the same hash are compared in full.
template <class IdType, class T>
class Interner {
 public:
  IdType intern(IdVector<IdType, T>& store, T value, std::size_t hash) {
    if (!store.empty() && store[last_] == value) return last_;
    auto [begin, end] = by_hash_.equal_range(hash);
    for (; begin != end; ++begin) {
      if (store[begin->second] == value) return last_ = begin->second;
    }
    last_ = store.push_back(std::move(value));
    by_hash_.emplace(hash, last_);
    return last_;
  }

 private:
  std::unordered_multimap<std::size_t, IdType> by_hash_;
  IdType last_{0};  // consecutive tasks are often alike
};

}  // namespace parley::core
