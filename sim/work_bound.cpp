// Weak duality of the scheduling problem with divisible tasks: let y(d) >= 0 be the price of a
// slot's nanosecond on device d, with sum of slots(d) y(d) = 1. In a run of length T all tasks
// together use at most slots(d) T slot-nanoseconds of d, worth T in all; and each task uses at
// least what its cheapest candidate costs. So T >= sum over tasks of the least cost, for any
// prices. Devices of one class get one price, and the prices of classes are searched; besides, each
// device is tried alone (for tasks that are bound to it).
#include "sim/work_bound.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace parley::sim {
namespace {

using core::DeviceId;

/// Slot-nanoseconds that a candidate takes of each kind of device.
using Use = std::vector<double>;

/// Equal tasks: how many, and what they may take instead of what.
struct Row {
  double count = 0.0;
  std::vector<Use> choices;
};

/// Devices by class: interchangeable for the bound.
struct Kinds {
  core::IdVector<DeviceId, std::size_t> of;
  std::vector<double> slots;
};

Kinds kinds_of(const core::Machine& machine) {
  Kinds kinds;
  std::map<std::string, std::size_t> known;
  for (const core::Device& device : machine.spec().devices) {
    const auto [entry, is_new] = known.try_emplace(device.device_class, known.size());
    if (is_new) kinds.slots.push_back(0.0);
    kinds.slots[entry->second] += device.slots;
    kinds.of.push_back(entry->second);
  }
  return kinds;
}

/// Tasks of each class that take time.
core::IdVector<TaskClassId, std::size_t> tasks_by_class(const core::Program& program,
                                                        Durations& durations) {
  core::IdVector<TaskClassId, std::size_t> counts;
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    const core::TaskId task(i);
    if (program.task(task).kind != core::TaskKind::kCompute) continue;
    const TaskClassId id = durations.class_of(task);
    if (id.index() >= counts.size()) counts.resize(durations.class_count());
    ++counts[id];
  }
  return counts;
}

/// The part of a slot that the candidate keeps busy: its vcus, or, where kernels of several streams
/// share a device, what it can use of it.
double part_of_slot(const core::Machine& machine, const core::Alternative& alternative,
                    TaskClassId id, const core::Candidate& candidate, Durations& durations) {
  double least = HUGE_VAL;
  for (const DeviceId device : candidate.devices) {
    const double part = machine.device(device).streams == 0
                            ? alternative.milli_vcus / 1000.0
                            : durations.share_of_class(id, candidate.alternative, device).of_all;
    least = std::min(least, part);
  }
  return least;
}

/// Everything a class may do, as (candidate, slot-nanoseconds on each of its devices).
template <class Visit>
void for_each_candidate(const core::Program& program, const core::Machine& machine, TaskClassId id,
                        Durations& durations, Reach& reach, Visit visit) {
  const core::PlacementId placement = program.task(durations.example(id)).placement;
  for (const core::Candidate& candidate : reach.candidates(placement)) {
    const core::Alternative& alternative = program.placement(placement)[candidate.alternative];
    visit(candidate, static_cast<double>(reach.duration(id, candidate).count()) *
                         part_of_slot(machine, alternative, id, candidate, durations));
  }
}

// ---- each device alone ----

/// The work that cannot avoid a device, over its slots; the highest of all devices.
double bound_of_single_devices(const core::Program& program, const core::Machine& machine,
                               const core::IdVector<TaskClassId, std::size_t>& counts,
                               Durations& durations, Reach& reach) {
  core::IdVector<DeviceId, double> work(machine.device_count(), 0.0);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const TaskClassId id(i);
    if (counts[id] == 0) continue;
    std::vector<DeviceId> unavoidable;
    double least = HUGE_VAL;
    for_each_candidate(
        program, machine, id, durations, reach, [&](const core::Candidate& candidate, double use) {
          if (least == HUGE_VAL) unavoidable = candidate.devices;
          least = std::min(least, use);
          std::erase_if(unavoidable, [&](DeviceId device) {
            return std::ranges::find(candidate.devices, device) == candidate.devices.end();
          });
        });
    for (const DeviceId device : unavoidable) {
      work[device] += least * static_cast<double>(counts[id]);
    }
  }
  double bound = 0.0;
  for (std::size_t i = 0; i < work.size(); ++i) {
    bound = std::max(bound, work[DeviceId(i)] / machine.device(DeviceId(i)).slots);
  }
  return bound;
}

// ---- classes of devices at searched prices ----

std::vector<Row> make_rows(const core::Program& program, const core::Machine& machine,
                           const core::IdVector<TaskClassId, std::size_t>& counts,
                           Durations& durations, Reach& reach, const Kinds& kinds) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const TaskClassId id(i);
    if (counts[id] == 0) continue;
    Row row{static_cast<double>(counts[id]), {}};
    for_each_candidate(program, machine, id, durations, reach,
                       [&](const core::Candidate& candidate, double use) {
                         Use choice(kinds.slots.size(), 0.0);
                         for (const DeviceId device : candidate.devices) {
                           choice[kinds.of[device]] += use;
                         }
                         const auto is_no_dearer = [&](const Use& other) {
                           return std::ranges::equal(other, choice, std::less_equal<>());
                         };
                         if (std::ranges::none_of(row.choices, is_no_dearer)) {
                           row.choices.push_back(std::move(choice));
                         }
                       });
    if (!row.choices.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

/// Looks for the prices with the highest bound. The bound is concave in the prices; they are
/// searched by golden section on one pair of kinds after the other. Every point tried is a bound
/// that holds, so an imperfect search costs tightness only.
class PriceSearch {
 public:
  PriceSearch(const std::vector<Row>& rows, const std::vector<double>& slots)
      : rows_(rows),
        slots_(slots),
        share_(slots.size(), 1.0 / static_cast<double>(slots.size())),
        price_(slots.size()) {}

  double run() {
    best_ = bound();
    constexpr int kSweeps = 3;
    const int sweeps = slots_.size() > 2 ? kSweeps : 1;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      for (std::size_t a = 0; a < slots_.size(); ++a) {
        for (std::size_t b = a + 1; b < slots_.size(); ++b) search_pair(a, b);
      }
    }
    return best_;
  }

 private:
  /// At the present shares of the total price.
  double bound() {
    for (std::size_t kind = 0; kind < price_.size(); ++kind) {
      price_[kind] = share_[kind] / slots_[kind];
    }
    double sum = 0.0;
    for (const Row& row : rows_) {
      double least = HUGE_VAL;
      for (const Use& choice : row.choices) {
        double cost = 0.0;
        for (std::size_t kind = 0; kind < price_.size(); ++kind) {
          cost += price_[kind] * choice[kind];
        }
        least = std::min(least, cost);
      }
      sum += row.count * least;
    }
    return sum;
  }

  /// Divides what both kinds have between them.
  void search_pair(std::size_t a, std::size_t b) {
    const double total = share_[a] + share_[b];
    double best_part = share_[a] / std::max(total, 1e-300);
    const auto at = [&](double part) {
      share_[a] = part * total;
      share_[b] = total - share_[a];
      const double value = bound();
      if (value > best_) {
        best_ = value;
        best_part = part;
      }
      return value;
    };
    at(0.0);
    at(1.0);
    constexpr double kGolden = 0.6180339887498949;
    constexpr double kPrecision = 1e-6;
    double low = 0.0, high = 1.0;
    double left = 1.0 - kGolden, right = kGolden;
    double at_left = at(left), at_right = at(right);
    while (high - low > kPrecision) {
      if (at_left < at_right) {
        low = std::exchange(left, right);
        at_left = at_right;
        right = low + kGolden * (high - low);
        at_right = at(right);
      } else {
        high = std::exchange(right, left);
        at_right = at_left;
        left = high - kGolden * (high - low);
        at_left = at(left);
      }
    }
    share_[a] = best_part * total;
    share_[b] = total - share_[a];
  }

  const std::vector<Row>& rows_;
  const std::vector<double>& slots_;
  std::vector<double> share_;  // of the total price, by kind; sums to 1
  std::vector<double> price_;
  double best_ = 0.0;
};

}  // namespace

core::Duration work_bound(const core::Program& program, const core::Machine& machine,
                          Durations& durations, Reach& reach) {
  const auto counts = tasks_by_class(program, durations);
  const Kinds kinds = kinds_of(machine);
  const std::vector<Row> rows = make_rows(program, machine, counts, durations, reach, kinds);
  if (rows.empty()) return core::Duration(0);
  const double bound =
      std::max(PriceSearch(rows, kinds.slots).run(),
               bound_of_single_devices(program, machine, counts, durations, reach));
  return rounded_bound(bound);
}

}  // namespace parley::sim
