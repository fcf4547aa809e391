#include "cli/journal/digest.h"

#include <bit>
#include <cmath>
#include <map>

#include "workloads/machine_file.h"

namespace parley::cli {

void Digest::add(double number) { add(std::bit_cast<std::int64_t>(number)); }

std::string Digest::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(value_ >> shift) & 0xf];
  return text;
}

namespace {

template <class T>
std::int64_t number(T value) {
  return static_cast<std::int64_t>(value);
}

std::string_view bytes_view(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add_array(const core::ArraySpec& spec, Digest& digest) {
  digest.add(spec.name);
  digest.add(number(spec.shape.size()));
  for (const std::int64_t extent : spec.shape) digest.add(extent);
  digest.add(number(spec.dtype));
  digest.add(number(spec.is_opaque));
  digest.add(number(spec.initial.kind));
  digest.add(bytes_view(spec.initial.data));
  digest.add(number(spec.initial.seed));
  if (std::fpclassify(spec.initial.diagonal) != FP_ZERO) digest.add(spec.initial.diagonal);
  digest.add(number(spec.homes.size()));
  for (const std::string& home : spec.homes) digest.add(home);
  digest.add(number(spec.at_end));
}

void add_cost(const core::Cost& cost, Digest& digest) {
  digest.add(number(cost.size()));
  for (const core::CostEntry& entry : cost) {
    digest.add(entry.on);
    digest.add(entry.stated ? entry.stated->count() : -1);
    digest.add(entry.flops);
    digest.add(entry.bytes);
  }
}

void add_kernel(const core::Kernel& kernel, Digest& digest) {
  digest.add(number(kernel.size()));
  for (const core::KernelCall& call : kernel) {
    digest.add(call.name);
    digest.add(number(call.parameters.size()));
    for (const auto& [name, value] : call.parameters) {
      digest.add(name);
      digest.add(value);
    }
    digest.add(number(call.arguments.size()));
    for (const core::KernelArgument& argument : call.arguments) {
      digest.add(number(argument.is_scratch));
      digest.add(number(argument.index));
      digest.add(number(argument.view.dropped));
      digest.add(number(argument.view.flipped));
    }
  }
}

template <class T, class Add>
void add_optional(const std::optional<T>& item, Digest& digest, const Add& add) {
  digest.add(number(item.has_value()));
  if (item) add(*item, digest);
}

void add_placement(const core::Placement& placement, Digest& digest) {
  digest.add(number(placement.size()));
  for (const core::Alternative& alternative : placement) {
    digest.add(number(alternative.members.size()));
    for (const std::string& member : alternative.members) digest.add(member);
    digest.add(number(alternative.is_group));
    digest.add(number(alternative.milli_vcus));
    digest.add(alternative.scratch_bytes.count());
    digest.add(number(alternative.scratch.size()));
    for (const core::ScratchArray& scratch : alternative.scratch) {
      digest.add(scratch.name);
      digest.add(number(scratch.shape.size()));
      for (const std::int64_t extent : scratch.shape) digest.add(extent);
      digest.add(number(scratch.dtype));
    }
    add_optional(alternative.kernel, digest, add_kernel);
    add_optional(alternative.cost, digest, add_cost);
    add_optional(alternative.expected_cost, digest, add_cost);
  }
}

/// Digests of interned parts, so that each is walked once however many tasks share it.
class ProgramDigest {
 public:
  explicit ProgramDigest(const core::Program& program) : program_(program) {}

  std::string text() {
    digest_.add(program_.name());
    digest_.add(number(program_.mode()));
    for (std::size_t i = 0; i < program_.array_count(); ++i) {
      add_array(program_.array(core::ArrayId(i)).spec, digest_);
    }
    for (std::size_t i = 0; i < program_.task_count(); ++i) add_task(core::TaskId(i));
    return digest_.text();
  }

 private:
  template <class Id, class Item, class Add>
  void add_interned(std::map<Id, std::uint64_t>& known, Id id, const Item& item, const Add& add) {
    const auto [entry, is_new] = known.try_emplace(id);
    if (is_new) {
      Digest part;
      add(item, part);
      entry->second = part.value();
    }
    digest_.add(number(entry->second));
  }

  void add_access(const core::Access& access) {
    const core::Region& region = program_.region(access.region);
    digest_.add(number(region.array.index()));
    for (const core::Range& range : region.box.ranges()) {
      digest_.add(range.start);
      digest_.add(range.step);
      digest_.add(range.count);
    }
    digest_.add(number(access.mode));
    digest_.add(number(access.member));
    digest_.add(number(access.view.dropped));
    digest_.add(number(access.view.flipped));
  }

  void add_task(core::TaskId id) {
    const core::Task& task = program_.task(id);
    digest_.add(program_.task_name(id));
    digest_.add(number(task.kind));
    digest_.add(number(task.is_lazy));
    digest_.add(number(task.access_count));
    for (const core::Access& access : program_.accesses(id)) add_access(access);
    digest_.add(number(task.dependencies));
    digest_.add(number(task.timed_dependencies));
    for (const core::TaskId before : program_.dependencies(id)) digest_.add(number(before.index()));
    add_interned(placements_, task.placement, program_.placement(task.placement), add_placement);
    add_interned(costs_, task.cost, program_.cost(task.cost), add_cost);
    digest_.add(number(task.expected_cost.is_none()));
    if (!task.expected_cost.is_none()) {
      add_interned(costs_, task.expected_cost, program_.cost(task.expected_cost), add_cost);
    }
    add_interned(kernels_, task.kernel, program_.kernel(task.kernel), add_kernel);
    digest_.add(number(task.priority));
    digest_.add(task.release.ns());
    if (task.has_extras) add_extras(program_.extras(id));
  }

  void add_extras(const core::TaskExtras& extras) {
    for (const core::Show& show : extras.show) {
      digest_.add(number(show.array.index()));
      digest_.add(number(show.values));
      digest_.add(number(show.is_print));
    }
    for (const core::Expectation& expectation : extras.expect) {
      digest_.add(bytes_view(expectation.bytes));
    }
    digest_.add(extras.evict_space);
    digest_.add(number(extras.keep_last));
  }

  const core::Program& program_;
  Digest digest_;
  std::map<core::PlacementId, std::uint64_t> placements_;
  std::map<core::CostId, std::uint64_t> costs_;
  std::map<core::KernelId, std::uint64_t> kernels_;
};

}  // namespace

std::string digest_of(const core::Program& program) { return ProgramDigest(program).text(); }

std::string digest_of(const core::Machine& machine) {
  Digest digest;
  digest.add(workloads::format_machine(machine.spec()));
  return digest.text();
}

}  // namespace parley::cli
