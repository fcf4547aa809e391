// Dense identifiers. Each kind of object has its own type, so that a TaskId cannot index regions.
// An id is an index into the dense tables of its owner; `none` marks absence.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/large_pages.h"

namespace parley::core {

template <class Tag>
class Id {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  constexpr Id() = default;
  constexpr explicit Id(std::size_t index) : value_(static_cast<std::uint32_t>(index)) {}

  static constexpr Id none() { return Id(); }
  [[nodiscard]] constexpr bool is_none() const { return value_ == kNone; }
  [[nodiscard]] constexpr std::size_t index() const { return value_; }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  std::uint32_t value_ = kNone;
};

using TaskId = Id<struct TaskTag>;
using ArrayId = Id<struct ArrayTag>;
using RegionId = Id<struct RegionTag>;
using TaskSpaceId = Id<struct TaskSpaceTag>;
using PlacementId = Id<struct PlacementTag>;
using CostId = Id<struct CostTag>;
using KernelId = Id<struct KernelTag>;
using SpaceId = Id<struct SpaceTag>;
using DeviceId = Id<struct DeviceTag>;
using ResourceId = Id<struct ResourceTag>;
using CopyEngineId = Id<struct CopyEngineTag>;
using RouteId = Id<struct RouteTag>;
using PieceId = Id<struct PieceTag>;
using ReplicaId = Id<struct ReplicaTag>;
using CommandId = Id<struct CommandTag>;

/// A vector indexed by one kind of id only.
template <class IdType, class T>
class IdVector {
 public:
  IdVector() = default;
  explicit IdVector(std::size_t n, const T& value = T()) : items_(n, value) {}

  T& operator[](IdType id) { return items_[id.index()]; }
  const T& operator[](IdType id) const { return items_[id.index()]; }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] bool contains(IdType id) const { return id.index() < items_.size(); }
  [[nodiscard]] IdType next_id() const { return IdType(items_.size()); }
  IdType push_back(T item) {
    items_.push_back(std::move(item));
    return IdType(items_.size() - 1);
  }
  void resize(std::size_t n) { items_.resize(n); }
  void resize(std::size_t n, const T& value) { items_.resize(n, value); }
  void reserve(std::size_t n) { items_.reserve(n); }
  void clear() { items_.clear(); }
  T& back() { return items_.back(); }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  LongVector<T> items_;
};

}  // namespace parley::core
