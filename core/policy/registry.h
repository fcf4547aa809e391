// Policies by name. Each file core/policies/NAME.cpp ends with one line
//     PARLEY_POLICY(NAME, Mapper, TheClass, {"one sentence", "source", {parameters}})
// and the build lists the files itself: nothing else changes when a policy is added.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/policy/policy.h"

namespace parley::core {

enum class PolicyKind : std::uint8_t { kMapper, kOrder, kPrefetcher, kEvictor, kSource };
std::string_view name_of(PolicyKind kind);  // "mapper", "order", "prefetch", "evict", "source"

struct PolicyParameter {
  std::string name;
  std::string unit;  // "" = a plain number
  double lowest = 0.0, highest = 0.0;
  double default_value = 0.0;
  std::string meaning;
  bool is_whole = false;  // whole numbers only
};

/// What a policy cannot do without.
enum class PlanUse : std::uint8_t {
  kNone,
  kTasks,   // EngineOptions::plan
  kCopies,  // and in it the copies and evictions
};

struct PolicyInfo {
  std::string sentence;
  std::string source;  // the paper or system it comes from
  std::vector<PolicyParameter> parameters;
  PlanUse plan_use = PlanUse::kNone;
};

/// Values of all parameters of a policy, defaults filled in.
class PolicyParameters {
 public:
  explicit PolicyParameters(std::map<std::string, double> values, std::uint64_t seed)
      : values_(std::move(values)), seed_(seed) {}
  /// Requires: the policy declares `name`.
  [[nodiscard]] double operator[](const std::string& name) const { return values_.at(name); }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }

 private:
  std::map<std::string, double> values_;
  std::uint64_t seed_;
};

struct PolicyEntry {
  PolicyKind kind;
  std::string name;
  PolicyInfo info;
  std::function<std::unique_ptr<Mapper>(const PolicyParameters&)> make_mapper;
  std::function<std::unique_ptr<Order>(const PolicyParameters&)> make_order;
  std::function<std::unique_ptr<Prefetcher>(const PolicyParameters&)> make_prefetcher;
  std::function<std::unique_ptr<Evictor>(const PolicyParameters&)> make_evictor;
  std::function<std::unique_ptr<Source>(const PolicyParameters&)> make_source;
};

template <class T>
struct PolicyKindOf;
template <>
struct PolicyKindOf<Mapper> {
  static constexpr auto kKind = PolicyKind::kMapper;
  static constexpr auto kMember = &PolicyEntry::make_mapper;
};
template <>
struct PolicyKindOf<Order> {
  static constexpr auto kKind = PolicyKind::kOrder;
  static constexpr auto kMember = &PolicyEntry::make_order;
};
template <>
struct PolicyKindOf<Prefetcher> {
  static constexpr auto kKind = PolicyKind::kPrefetcher;
  static constexpr auto kMember = &PolicyEntry::make_prefetcher;
};
template <>
struct PolicyKindOf<Evictor> {
  static constexpr auto kKind = PolicyKind::kEvictor;
  static constexpr auto kMember = &PolicyEntry::make_evictor;
};
template <>
struct PolicyKindOf<Source> {
  static constexpr auto kKind = PolicyKind::kSource;
  static constexpr auto kMember = &PolicyEntry::make_source;
};

/// Policies sorted by kind, then name.
class PolicyRegistry {
 public:
  PolicyRegistry();  // all policies of core/policies
  void add(PolicyEntry entry);
  [[nodiscard]] const std::vector<PolicyEntry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<std::string> names(PolicyKind kind) const;
  /// The default policy of a kind: earliest_finish, bottom_level, on_map, lru, nearest.
  static std::string_view default_name(PolicyKind kind);

  /// Of the policy that a text names ("" is the default); nullptr when there is none.
  [[nodiscard]] const PolicyInfo* info(PolicyKind kind, std::string_view text) const;

  /// A policy from text such as "parla:generation=2,load=10". Faults: unknown name or parameter
  /// (with the nearest), a value that is no number or out of range.
  Result<std::unique_ptr<Mapper>> mapper(std::string_view text, std::uint64_t seed) const;
  Result<std::unique_ptr<Order>> order(std::string_view text, std::uint64_t seed) const;
  Result<std::unique_ptr<Prefetcher>> prefetcher(std::string_view text, std::uint64_t seed) const;
  Result<std::unique_ptr<Evictor>> evictor(std::string_view text, std::uint64_t seed) const;
  Result<std::unique_ptr<Source>> source(std::string_view text, std::uint64_t seed) const;

 private:
  std::vector<PolicyEntry> entries_;
};

template <class Interface, class Class>
PolicyEntry make_policy_entry(std::string name, PolicyInfo info) {
  PolicyEntry entry{
      PolicyKindOf<Interface>::kKind, std::move(name), std::move(info), {}, {}, {}, {}, {}};
  entry.*PolicyKindOf<Interface>::kMember = [](const PolicyParameters& parameters) {
    return std::unique_ptr<Interface>(std::make_unique<Class>(parameters));
  };
  return entry;
}

}  // namespace parley::core

/// `file` is the file's name without its ending; `name` (text) the policy's, where two policies of
/// different kinds share one. Inside namespace parley::core.
#define PARLEY_POLICY_NAMED(file, name, Interface, Class, ...)                        \
  void register_policy_##file(::parley::core::PolicyRegistry& registry);              \
  void register_policy_##file(::parley::core::PolicyRegistry& registry) {             \
    registry.add(::parley::core::make_policy_entry<::parley::core::Interface, Class>( \
        name, ::parley::core::PolicyInfo __VA_ARGS__));                               \
  }

/// `file` is the file's name without its ending, and the policy's.
#define PARLEY_POLICY(file, Interface, Class, ...) \
  PARLEY_POLICY_NAMED(file, #file, Interface, Class, __VA_ARGS__)
