#include "exec/calibrate/link_fit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/base/check.h"
#include "exec/executor.h"

namespace parley::exec {
namespace {

using core::SpaceId;

// Below this share of what routes reach alone, something is shared.
constexpr double kClearlyBelow = 0.98;
// Of the same: what else the computer does can only lower a rate.
constexpr int kTries = 3;

std::int64_t nanoseconds(double seconds) { return std::llround(seconds * 1e9); }

/// How many copies were under way on average, from the first start to the last end.
double mean_overlap(const std::vector<MeasuredCopy>& copies) {
  double first = std::numeric_limits<double>::infinity();
  double last = 0.0, sum = 0.0;
  for (const MeasuredCopy& copy : copies) {
    first = std::min(first, copy.start);
    last = std::max(last, copy.end);
    sum += copy.end - copy.start;
  }
  return last > first ? sum / (last - first) : 0.0;
}

}  // namespace

void make_rising(std::vector<std::pair<std::int64_t, std::int64_t>>& curve) {
  for (std::size_t i = curve.size(); i-- > 1;) {
    curve[i - 1].second = std::min(curve[i - 1].second, curve[i].second);
  }
  for (std::size_t i = 1; i < curve.size(); ++i) {
    curve[i].second = std::max(curve[i].second, curve[i - 1].second + 1);
  }
}

double joint_rate(const std::vector<MeasuredCopy>& copies) {
  std::map<CopyFlow, std::pair<double, double>> spans;
  for (const MeasuredCopy& copy : copies) {
    const auto [span, is_new] = spans.try_emplace(copy.flow, copy.start, copy.end);
    if (is_new) continue;
    span->second.first = std::min(span->second.first, copy.start);
    span->second.second = std::max(span->second.second, copy.end);
  }
  double from = 0.0;
  double to = std::numeric_limits<double>::infinity();
  for (const auto& [flow, span] : spans) {
    from = std::max(from, span.first);
    to = std::min(to, span.second);
  }
  if (!(to > from)) return 0.0;
  double bytes = 0.0;
  for (const MeasuredCopy& copy : copies) {
    const double inside = std::min(copy.end, to) - std::max(copy.start, from);
    if (inside > 0.0) bytes += copy.bytes * inside / (copy.end - copy.start);
  }
  return bytes / (to - from);
}

LinkFit::LinkFit(const Laboratory& laboratory, core::MachineSpec& spec, bool is_quick)
    : laboratory_(laboratory), spec_(spec) {
  std::int64_t room = std::numeric_limits<std::int64_t>::max();
  for (std::size_t s = 0; s < spec.spaces.size(); ++s) {
    const core::MemorySpace& space = spec.spaces[SpaceId(s)];
    room = std::min(room, space.capacity.count());
    if (space.is_host) {
      host_ = SpaceId(s);
    } else {
      gpus_.push_back(SpaceId(s));
    }
  }
  // Every block has a place in host memory besides, so a good part of it must stay free.
  const auto blocks = static_cast<std::int64_t>(8 * std::max<std::size_t>(2, gpus_.size()));
  const std::int64_t most = std::min<std::int64_t>(std::int64_t{256} << 20U, room / blocks);
  for (std::int64_t size = 4096; size <= most; size *= is_quick ? 16 : 4) sizes_.push_back(size);
  limit_bytes_ = std::min<std::int64_t>(sizes_.empty() ? 4096 : sizes_.back(),
                                        std::int64_t{is_quick ? 64 : 128} << 20U);
}

std::vector<LinkFit::Step> LinkFit::steps() {
  std::vector<Step> steps;
  std::vector<SpaceId> spaces = {host_};
  spaces.insert(spaces.end(), gpus_.begin(), gpus_.end());
  for (const SpaceId from : spaces) {
    for (const SpaceId to : spaces) {
      // What has no way of its own goes through the host, by ways that are measured.
      if (laboratory_.machine().route_id(from, to).is_none()) continue;
      if (from == to && from == host_) continue;
      steps.push_back({spec_.spaces[from].name + " to " + spec_.spaces[to].name, [this, from, to] {
                         measure_alone({from, to});
                       }});
    }
  }
  if (gpus_.size() > 1) {
    steps.push_back({"all GPUs from the host", [this] { limit_host(true); }});
    steps.push_back({"all GPUs to the host", [this] { limit_host(false); }});
  }
  if (!gpus_.empty()) {
    steps.push_back({"both ways at once", [this] { limit_both_ways_of_one(); }});
  }
  if (gpus_.size() > 1) {
    steps.push_back({"all both ways", [this] { limit_both_ways_of_all(); }});
    steps.push_back({"from the host beside all to it", [this] { limit_reads_beside_writes(); }});
  }
  const bool has_peers = std::ranges::all_of(gpus_, [&](SpaceId from) {
    return std::ranges::all_of(gpus_, [&](SpaceId to) {
      return from == to || !laboratory_.machine().route_id(from, to).is_none();
    });
  });
  if (has_peers && gpus_.size() > 1) {
    steps.push_back({"two GPUs both ways", [this] { limit_peers_both_ways(); }});
  }
  if (has_peers && gpus_.size() > 2) {
    steps.push_back({"out of one GPU", [this] { limit_sender(); }});
    steps.push_back({"into one GPU", [this] { limit_receiver(); }});
  }
  if (has_peers && gpus_.size() > 1) {
    steps.push_back({"from GPU to GPU to GPU", [this] { limit_ring(); }});
    steps.push_back({"between all spaces", [this] { limit_all(); }});
  }
  return steps;
}

std::int64_t LinkFit::copy_ns(CopyFlow flow, std::int64_t bytes) const {
  // The first ones wake the link up.
  const bool is_small = bytes < (1 << 20);
  const std::size_t warm_up = is_small ? 4 : 1;
  std::vector<double> times;
  for (const MeasuredCopy& copy :
       laboratory_.copies({flow}, bytes, warm_up + (is_small ? 16 : 4), true)) {
    // Its queue was idle: the clock began when the host began to issue it.
    times.push_back(copy.end - copy.start - copy.issue);
  }
  times.erase(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(warm_up));
  return std::max<std::int64_t>(1, nanoseconds(median(times)));
}

/// What else the computer does can only make copies longer; so does memory that is touched for the
/// first time, which the second try finds as runs do that are repeated.
std::int64_t LinkFit::undisturbed_ns(CopyFlow flow, std::int64_t bytes) const {
  std::int64_t least = copy_ns(flow, bytes);
  for (int i = 1; i < kTries; ++i) least = std::min(least, copy_ns(flow, bytes));
  return least;
}

const LinkFit::Lone* LinkFit::alike(CopyFlow flow) const {
  constexpr double kAlike = 0.1;
  for (const Lone& other : lone_) {
    const bool is_same_kind = (other.flow.from == host_) == (flow.from == host_) &&
                              (other.flow.to == host_) == (flow.to == host_) &&
                              (other.flow.from == other.flow.to) == (flow.from == flow.to);
    if (!is_same_kind) continue;
    const std::size_t count = other.clocked.size();
    const bool is_as_long =
        std::ranges::all_of(std::vector<std::size_t>{0, count / 2, count - 1}, [&](std::size_t i) {
          const auto known = static_cast<double>(other.clocked[i].second);
          for (int tries = 0; tries < kTries; ++tries) {
            const auto found = static_cast<double>(copy_ns(flow, other.clocked[i].first));
            if (found <= known * (1.0 - kAlike)) return false;
            if (found < known * (1.0 + kAlike)) return true;
          }
          return false;
        });
    return is_as_long ? &other : nullptr;  // the first of the kind stands for it
  }
  return nullptr;
}

LinkFit::Lone LinkFit::measured(CopyFlow flow) const {
  Lone lone;
  lone.flow = flow;
  for (const std::int64_t bytes : sizes_) {
    lone.curve.emplace_back(bytes, undisturbed_ns(flow, bytes));
  }
  make_rising(lone.curve);
  if (lone.curve.size() < 2) {
    throw EnvironmentFailure(
        "the memories are too small to be measured: copies of two sizes are "
        "the least that tell latency from rate; give more by --limit");
  }
  lone.clocked = lone.curve;
  lone.issue = issue_of(flow);
  lengthen_to_periods(lone);
  const auto& [low_bytes, low] = lone.curve[lone.curve.size() - 2];
  const auto& [high_bytes, high] = lone.curve.back();
  lone.rate = static_cast<double>(high_bytes - low_bytes) * 1e9 / static_cast<double>(high - low);
  double overlap = 0.0;
  for (int i = 0; i < kTries; ++i) {
    const std::vector<MeasuredCopy> row = laboratory_.copies({flow}, limit_bytes_, 4);
    if (i == 0) overlap = mean_overlap(row);
    lone.joint_rate = std::max(lone.joint_rate, exec::joint_rate(row));
  }
  lone.slots = slots_of(lone, static_cast<std::int32_t>(std::lround(overlap)));
  return lone;
}

/// The clock of a copy on an idle queue counts issuing it, too, some of which the engine takes to
/// start anyway: how much shows where copies follow each other, unless they do so only as fast as
/// they are issued. For large ones it is what it is for those of the largest size looked at.
void LinkFit::lengthen_to_periods(Lone& lone) const {
  constexpr std::int64_t kLeast = std::int64_t{1} << 20U, kMost = std::int64_t{16} << 20U;
  constexpr double kIssueNoLimit = 1.5;
  const double issuing = laboratory_.copy_period(lone.flow, lone.curve.front().first);
  std::int64_t longer = 0;
  for (std::size_t i = 0; i < lone.curve.size(); ++i) {
    auto& [bytes, ns] = lone.curve[i];
    if (i == 0 || bytes < kLeast) continue;
    if (bytes <= std::min(kMost, sizes_.back() / 4)) {
      const double period = laboratory_.copy_period(lone.flow, bytes);
      const bool is_limited = period < kIssueNoLimit * issuing;  // by issuing
      const std::int64_t most = is_limited ? 0 : nanoseconds(lone.issue);
      longer =
          std::clamp<std::int64_t>(nanoseconds(period) - ns, 0, std::max<std::int64_t>(0, most));
    }
    ns = std::max(ns + longer, lone.curve[i - 1].second + 1);
  }
}

/// Seconds that the host takes to issue a small copy.
double LinkFit::issue_of(CopyFlow flow) const {
  constexpr std::size_t kWarmUp = 4, kCount = 17;
  const std::int64_t bytes = std::min<std::int64_t>(1 << 16, sizes_.back());
  const std::vector<MeasuredCopy> all = laboratory_.copies({flow}, bytes, kWarmUp + kCount, true);
  std::vector<double> times;
  for (std::size_t i = kWarmUp; i < all.size(); ++i) times.push_back(all[i].issue);
  return median(times);
}

/// How many copies of the route run at a time. One after the other each takes as long as alone; two
/// at a time hide what it takes to start them. That they seem to overlap says little: the clock of
/// one that waits for the engine at the head of its own queue is running.
std::int32_t LinkFit::slots_of(const Lone& lone, std::int32_t seeming) const {
  constexpr double kOnTheWay = 20e-6;  // seconds, several times those of starting a copy
  constexpr std::size_t kCount = 17;
  const auto wanted = static_cast<std::uint64_t>(lone.rate * kOnTheWay);
  const auto bytes =
      std::clamp(static_cast<std::int64_t>(std::bit_ceil(wanted)), sizes_.front(),
                 std::max(sizes_.front(), sizes_.back() / 4));  // so that all have room
  double spacing = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    double first = std::numeric_limits<double>::infinity(), last = 0.0;
    for (const MeasuredCopy& copy : laboratory_.copies({lone.flow}, bytes, kCount)) {
      first = std::min(first, copy.end);
      last = std::max(last, copy.end);
    }
    spacing = std::min(spacing, (last - first) / static_cast<double>(kCount - 1));
  }
  const double alone = static_cast<double>(copy_ns(lone.flow, bytes)) * 1e-9;
  const double on_the_way = static_cast<double>(bytes) / lone.rate;
  return spacing < (alone + on_the_way) / 2.0 ? std::max(2, seeming) : 1;
}

void LinkFit::add_route(const Lone& lone) {
  core::Route route;
  route.from = lone.flow.from;
  route.to = lone.flow.to;
  route.curve = lone.curve;
  route.kind = route.from == route.to                     ? "local"
               : route.from == host_ || route.to == host_ ? "host"
                                                          : "peer";
  const std::string name = spec_.spaces[route.from].name + "->" + spec_.spaces[route.to].name;
  const double rate = std::max(lone.rate, lone.slots > 1 ? lone.joint_rate : 0.0);
  route.engines = {spec_.engines.push_back({name, lone.slots})};
  route.via = {{spec_.resources.push_back({name, core::Bandwidth(rate)}), 1.0}};
  // issue_copy is of copies from the host.
  constexpr double kNoticeable = 500e-9;
  for (const Lone& other : lone_) {
    if (other.flow.from != host_ || other.issue <= 0.0) continue;
    const double extra = lone.issue - other.issue;
    if (extra > kNoticeable) route.issue = core::Duration(nanoseconds(extra));
    break;
  }
  spec_.routes.push_back(std::move(route));
}

void LinkFit::measure_alone(CopyFlow flow) {
  const Lone* other = alike(flow);
  Lone lone = other != nullptr ? *other : measured(flow);
  lone.flow = flow;
  add_route(lone);
  lone_.push_back(std::move(lone));
}

const LinkFit::Lone& LinkFit::lone(CopyFlow flow) const {
  const auto found =
      std::find_if(lone_.begin(), lone_.end(), [&](const Lone& one) { return one.flow == flow; });
  PARLEY_CHECK(found != lone_.end(), "a route that was not measured");
  return *found;
}

core::Route& LinkFit::route(CopyFlow flow) {
  const auto found = std::find_if(
      spec_.routes.begin(), spec_.routes.end(),
      [&](const core::Route& one) { return one.from == flow.from && one.to == flow.to; });
  PARLEY_CHECK(found != spec_.routes.end(), "a route that was not measured");
  return *found;
}

double LinkFit::lone_rate(const std::vector<CopyFlow>& flows) const {
  double sum = 0.0;
  for (const CopyFlow flow : flows) sum += lone(flow).rate;
  return sum;
}

double LinkFit::limit_below(double expected, const std::vector<CopyFlow>& flows) const {
  double found = 0.0;
  for (int i = 0; i < kTries && found < kClearlyBelow * expected; ++i) {
    found = std::max(found, joint_rate(laboratory_.copies(flows, limit_bytes_, 3)));
  }
  return found > 0.0 && found < kClearlyBelow * expected ? found : 0.0;
}

void LinkFit::add_limit(const std::string& name, double bytes_per_s,
                        const std::vector<CopyFlow>& flows) {
  const core::ResourceId id = spec_.resources.push_back({name, core::Bandwidth(bytes_per_s)});
  for (const CopyFlow flow : flows) route(flow).via.push_back({id, 1.0});
}

void LinkFit::add_engine(const std::string& name, const std::vector<CopyFlow>& flows) {
  const core::CopyEngineId id = spec_.engines.push_back({name, 1});
  for (const CopyFlow flow : flows) route(flow).engines.push_back(id);
}

std::vector<CopyFlow> LinkFit::host_flows(bool is_out) const {
  std::vector<CopyFlow> flows;
  for (const SpaceId gpu : gpus_) {
    flows.push_back(is_out ? CopyFlow{host_, gpu} : CopyFlow{gpu, host_});
  }
  return flows;
}

void LinkFit::limit_host(bool is_out) {
  const std::vector<CopyFlow> flows = host_flows(is_out);
  const double alone = lone_rate(flows);
  const double limit = limit_below(alone, flows);
  host_limits_[is_out ? 1 : 0] = limit > 0.0 ? limit : alone;
  const std::string& host = spec_.spaces[host_].name;
  if (limit > 0.0) add_limit(host + (is_out ? ".out" : ".in"), limit, flows);
}

void LinkFit::limit_both_ways_of_one() {
  const std::vector<CopyFlow> flows = {{host_, gpus_.front()}, {gpus_.front(), host_}};
  const double limit = limit_below(lone_rate(flows), flows);
  if (limit <= 0.0) return;
  for (const SpaceId gpu : gpus_) {
    add_limit(spec_.spaces[gpu].name + ".host_link", limit, {{host_, gpu}, {gpu, host_}});
  }
  if (gpus_.size() == 1) let_step_back(flows);
}

void LinkFit::limit_both_ways_of_all() {
  std::vector<CopyFlow> flows = host_flows(true);
  const std::vector<CopyFlow> back = host_flows(false);
  flows.insert(flows.end(), back.begin(), back.end());
  double links = 0.0;  // what each GPU's own link lets through
  for (const SpaceId gpu : gpus_) {
    double both = lone_rate({{host_, gpu}, {gpu, host_}});
    for (const core::Resource& resource : spec_.resources) {
      if (resource.name == spec_.spaces[gpu].name + ".host_link") {
        both = std::min(both, resource.capacity.bytes_per_s());
      }
    }
    links += both;
  }
  const double limit = limit_below(std::min(links, host_limits_[0] + host_limits_[1]), flows);
  if (limit <= 0.0) return;
  add_limit(spec_.spaces[host_].name + ".both", limit, flows);
  let_step_back(flows);
}

namespace {

/// Mean rate of the flows' first copies, while all are under way, by whether they leave `space`.
struct Directions {
  double out = 0.0, in = 0.0;
};

Directions rates_by_direction(std::vector<MeasuredCopy> copies, SpaceId space, std::size_t flows) {
  std::ranges::sort(copies, {}, &MeasuredCopy::start);
  double sums[2] = {0.0, 0.0};
  std::size_t counts[2] = {0, 0};
  for (std::size_t i = 0; i < std::min(copies.size(), 2 * flows); ++i) {
    const std::size_t way = copies[i].flow.from == space ? 0 : 1;
    sums[way] += copies[i].bytes / (copies[i].end - copies[i].start);
    ++counts[way];
  }
  if (counts[0] == 0 || counts[1] == 0) return {};
  return {sums[0] / static_cast<double>(counts[0]), sums[1] / static_cast<double>(counts[1])};
}

// Measured rates differ by a few percent.
constexpr double kClearlySlower = 0.93;

}  // namespace

/// Where one direction gets clearly less than the other, it steps back (Route::gives_way).
void LinkFit::let_step_back(const std::vector<CopyFlow>& flows) {
  const Directions rates =
      rates_by_direction(laboratory_.copies(flows, limit_bytes_, 3), host_, flows.size());
  const bool is_out_slower = rates.out < rates.in;
  const double slower = std::min(rates.out, rates.in), faster = std::max(rates.out, rates.in);
  if (slower <= 0.0 || slower > kClearlySlower * faster) return;
  for (const CopyFlow flow : flows) {
    if ((flow.from == host_) != is_out_slower) continue;
    const double alone = lone(flow).rate;
    if (alone <= faster) continue;
    route(flow).gives_way = std::clamp((1.0 - slower / faster) / (1.0 - faster / alone), 0.0, 1.0);
  }
}

/// Copies from the host are slowed down by copies of all GPUs to it, more than these are.
void LinkFit::limit_reads_beside_writes() {
  std::vector<CopyFlow> flows = host_flows(false);
  const CopyFlow read = {host_, gpus_.front()};
  flows.push_back(read);
  const Directions rates =
      rates_by_direction(laboratory_.copies(flows, limit_bytes_, 3), host_, flows.size());
  const double alone = lone(read).rate;
  double expected = alone;
  for (const core::Resource& resource : spec_.resources) {
    if (resource.name != spec_.spaces[gpus_.front()].name + ".host_link") continue;
    expected = std::min(expected, resource.capacity.bytes_per_s() - rates.in);
  }
  if (rates.out <= 0.0 || rates.out > kClearlySlower * expected) return;
  const double weight = (alone - rates.out) / (rates.in * static_cast<double>(gpus_.size()));
  for (const SpaceId gpu : gpus_) {
    const core::ResourceId id =
        spec_.resources.push_back({spec_.spaces[gpu].name + ".host_reads", core::Bandwidth(alone)});
    route({host_, gpu}).via.push_back({id, 1.0});
    for (const SpaceId other : gpus_) route({other, host_}).via.push_back({id, weight});
  }
}

/// From each GPU to the next, and from the last to the first.
std::vector<CopyFlow> LinkFit::ring() const {
  std::vector<CopyFlow> flows;
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    flows.push_back({gpus_[i], gpus_[(i + 1) % gpus_.size()]});
  }
  return flows;
}

std::vector<CopyFlow> LinkFit::peer_flows() const {
  std::vector<CopyFlow> flows;
  for (const SpaceId from : gpus_) {
    for (const SpaceId to : gpus_) {
      if (from != to) flows.push_back({from, to});
    }
  }
  return flows;
}

/// Something that all copies between GPUs share: each GPU sends once and receives once here.
void LinkFit::limit_ring() {
  ring_limit_ = joint_rate(laboratory_.copies(ring(), limit_bytes_, 3));
  // Two GPUs make no ring: what both ways share is known already.
  if (gpus_.size() < 3 || ring_limit_ >= kClearlyBelow * lone_rate(ring())) return;
  add_limit("peers", ring_limit_, peer_flows());
}

/// Something that copies between GPUs share with those from the host.
void LinkFit::limit_all() {
  std::vector<CopyFlow> flows = ring();
  const std::vector<CopyFlow> out = host_flows(true);
  flows.insert(flows.end(), out.begin(), out.end());
  const double limit = limit_below(ring_limit_ + host_limits_[1], flows);
  if (limit <= 0.0) return;
  std::vector<CopyFlow> all = peer_flows();
  all.insert(all.end(), out.begin(), out.end());
  const std::vector<CopyFlow> in = host_flows(false);
  all.insert(all.end(), in.begin(), in.end());
  add_limit("all_copies", limit, all);
}

void LinkFit::limit_peers_both_ways() {
  const std::vector<CopyFlow> flows = {{gpus_[0], gpus_[1]}, {gpus_[1], gpus_[0]}};
  const double limit = limit_below(lone_rate(flows), flows);
  if (limit <= 0.0) return;
  for (std::size_t a = 0; a < gpus_.size(); ++a) {
    for (std::size_t b = a + 1; b < gpus_.size(); ++b) {
      add_limit(spec_.spaces[gpus_[a]].name + "-" + spec_.spaces[gpus_[b]].name, limit,
                {{gpus_[a], gpus_[b]}, {gpus_[b], gpus_[a]}});
    }
  }
}

/// Copies to several GPUs queue if each is as fast as alone once it has started, and share
/// otherwise.
void LinkFit::limit_sender() {
  const auto out_of = [&](SpaceId gpu) {
    std::vector<CopyFlow> flows;
    for (const SpaceId to : gpus_) {
      if (to != gpu) flows.push_back({gpu, to});
    }
    return flows;
  };
  const std::vector<CopyFlow> flows = out_of(gpus_.front());
  const std::vector<MeasuredCopy> copies = laboratory_.copies(flows, limit_bytes_, 1);
  const bool is_queueing = mean_overlap(copies) < 1.3;
  const double limit = is_queueing ? 0.0 : limit_below(lone_rate(flows), flows);
  for (const SpaceId gpu : gpus_) {
    const std::string& name = spec_.spaces[gpu].name;
    if (is_queueing) add_engine(name + ".peer_out", out_of(gpu));
    if (limit > 0.0) add_limit(name + ".egress", limit, out_of(gpu));
  }
}

void LinkFit::limit_receiver() {
  const auto into = [&](SpaceId gpu) {
    std::vector<CopyFlow> flows;
    for (const SpaceId from : gpus_) {
      if (from != gpu) flows.push_back({from, gpu});
    }
    return flows;
  };
  const std::vector<CopyFlow> flows = into(gpus_.front());
  const double limit = limit_below(lone_rate(flows), flows);
  if (limit <= 0.0) return;
  for (const SpaceId gpu : gpus_) {
    add_limit(spec_.spaces[gpu].name + ".ingress", limit, into(gpu));
  }
}

}  // namespace parley::exec
