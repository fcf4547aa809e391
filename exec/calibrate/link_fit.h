// Routes of a machine from measured copies: the time of a lone copy over sizes, and from copies at
// the same time which of them queue behind each other and which limits they share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/machine/machine.h"
#include "exec/calibrate/laboratory.h"

namespace parley::exec {

/// Bytes per second of all copies together while every flow is under way: from the time when the
/// last flow starts to the time when the first one ends.
double joint_rate(const std::vector<MeasuredCopy>& copies);

/// Times of copies over rising sizes, made to rise with them: none takes longer than a larger one,
/// as what holds copies up only lengthens them, and each at least 1 ns longer than the one before.
void make_rising(std::vector<std::pair<std::int64_t, std::int64_t>>& curve);

class LinkFit {
 public:
  /// Routes and limits are added to `spec`, whose spaces are those of the laboratory's machine.
  LinkFit(const Laboratory& laboratory, core::MachineSpec& spec, bool is_quick);

  struct Step {
    std::string what;
    std::function<void()> measure;
  };
  /// To be done in order.
  [[nodiscard]] std::vector<Step> steps();

 private:
  struct Lone {  // a route by itself
    CopyFlow flow;
    std::vector<std::pair<std::int64_t, std::int64_t>> curve;    // bytes, ns
    std::vector<std::pair<std::int64_t, std::int64_t>> clocked;  // the same before periods
    double rate = 0.0;                                           // bytes per second, the last slope
    double joint_rate = 0.0;                                     // of several copies in a row
    double issue = 0.0;                                          // seconds of the host; 0: unknown
    std::int32_t slots = 1;                                      // how many of them run at a time
  };
  void measure_alone(CopyFlow flow);
  [[nodiscard]] std::int64_t copy_ns(CopyFlow flow, std::int64_t bytes) const;
  [[nodiscard]] std::int64_t undisturbed_ns(CopyFlow flow, std::int64_t bytes) const;
  /// A route between spaces of the same kinds that takes as long, or null.
  [[nodiscard]] const Lone* alike(CopyFlow flow) const;
  [[nodiscard]] Lone measured(CopyFlow flow) const;
  void lengthen_to_periods(Lone& lone) const;
  [[nodiscard]] double issue_of(CopyFlow flow) const;
  [[nodiscard]] std::int32_t slots_of(const Lone& lone, std::int32_t seeming) const;
  void add_route(const Lone& lone);
  void limit_host(bool is_out);
  void limit_both_ways_of_one();
  void limit_both_ways_of_all();
  void limit_reads_beside_writes();
  void let_step_back(const std::vector<CopyFlow>& flows);
  void limit_peers_both_ways();
  void limit_sender();
  void limit_receiver();
  void limit_ring();
  void limit_all();

  [[nodiscard]] core::Route& route(CopyFlow flow);
  [[nodiscard]] const Lone& lone(CopyFlow flow) const;
  [[nodiscard]] double lone_rate(const std::vector<CopyFlow>& flows) const;
  /// The joint rate, when it is clearly below what is expected; else 0.
  [[nodiscard]] double limit_below(double expected, const std::vector<CopyFlow>& flows) const;
  void add_limit(const std::string& name, double bytes_per_s, const std::vector<CopyFlow>& flows);
  void add_engine(const std::string& name, const std::vector<CopyFlow>& flows);
  [[nodiscard]] std::vector<CopyFlow> host_flows(bool is_out) const;
  [[nodiscard]] std::vector<CopyFlow> ring() const;
  [[nodiscard]] std::vector<CopyFlow> peer_flows() const;

  const Laboratory& laboratory_;
  core::MachineSpec& spec_;
  core::SpaceId host_;
  std::vector<core::SpaceId> gpus_;
  std::vector<std::int64_t> sizes_;
  std::int64_t limit_bytes_ = 0;  // of copies at the same time
  std::vector<Lone> lone_;
  // What is reached together, as far as measured:
  double host_limits_[2] = {0.0, 0.0};  // by all GPUs to and from the host
  double ring_limit_ = 0.0;             // by a ring of GPUs
};

}  // namespace parley::exec
