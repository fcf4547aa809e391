#include "workloads/formats/task_writer.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "workloads/formats/element_values.h"
#include "workloads/formats/kernel_reader.h"

namespace parley::workloads {

void TaskWriter::append(core::TaskId id) {
  const core::Task& task = program_.task(id);
  const bool is_evict = task.kind == core::TaskKind::kEvict;
  ObjectWriter object(out_);
  if (is_evict) append_evict(object, id);
  object.text("name", program_.task_name(id));
  append_after(object, id);
  if (!is_evict) append_compute(object, id);
  if (task.priority != 0) object.integer("priority", task.priority);
  if (task.release > core::Time()) object.integer("release_ns", task.release.ns());
  append_extras(object, program_.extras(id));
  object.end();
}

void TaskWriter::append_evict(ObjectWriter& object, core::TaskId id) {
  const core::TaskExtras& extras = program_.extras(id);
  const core::Access& access = program_.accesses(id).front();
  object.text("evict", program_.region_text(access.region, access.view));
  object.text("space", extras.evict_space);
  if (!extras.keep_last) object.literal("keep_last", "false");
}

void TaskWriter::append_after(ObjectWriter& object, core::TaskId id) {
  const auto after = program_.timed_dependencies(id);
  if (after.empty()) return;
  object.key("after");
  append_list(out_, after, [&](core::TaskId on) { append_quoted(out_, program_.task_name(on)); });
}

void TaskWriter::append_compute(ObjectWriter& object, core::TaskId id) {
  const core::Task& task = program_.task(id);
  append_placement(object, id);
  append_accesses(object, program_.accesses(id));
  const core::Kernel& kernel = program_.kernel(task.kernel);
  if (!kernel.empty()) {
    append_kernel(object, kernel, id, program_.placement(task.placement).front().scratch);
  }
  if (!program_.cost(task.cost).empty()) {
    object.key("cost");
    append_cost(program_.cost(task.cost));
  }
  if (!task.expected_cost.is_none()) {
    object.key("expected_cost");
    append_cost(program_.cost(task.expected_cost));
  }
  if (task.is_lazy != moves_by_default_when_run(task)) {
    object.text("movement", task.is_lazy ? "lazy" : "eager");
  }
}

bool TaskWriter::moves_by_default_when_run(const core::Task& task) const {
  if (moves_when_run(program_.kernel(task.kernel))) return true;
  const core::Placement& placement = program_.placement(task.placement);
  return std::any_of(placement.begin(), placement.end(), [](const core::Alternative& alternative) {
    return alternative.kernel && moves_when_run(*alternative.kernel);
  });
}

// ---- accesses and kernels ----

namespace {

// In this order the loader reads the lists, and kernels take their operands by default.
constexpr std::array<core::AccessMode, 3> kOrder = {core::AccessMode::kIn, core::AccessMode::kInout,
                                                    core::AccessMode::kOut};

bool comes_before(const core::Access& a, const core::Access& b) {
  return std::find(kOrder.begin(), kOrder.end(), a.mode) <
         std::find(kOrder.begin(), kOrder.end(), b.mode);
}

/// What a call without "args" gets.
std::vector<core::KernelArgument> default_arguments(const core::KernelCall& call,
                                                    std::span<const core::Access> accesses) {
  std::vector<core::KernelArgument> arguments;
  const core::KernelSignature* signature = core::signature_of(call);
  if (signature == nullptr || signature->arguments.empty()) return arguments;
  for (const core::AccessMode mode : kOrder) {
    for (std::size_t i = 0; i < accesses.size(); ++i) {
      if (accesses[i].mode != mode) continue;
      arguments.push_back({false, static_cast<std::uint16_t>(i), accesses[i].view});
    }
  }
  return arguments;
}

}  // namespace

// Lists by mode say all there is when the accesses stand in the order in which they are read.
void TaskWriter::append_accesses(ObjectWriter& object, std::span<const core::Access> accesses) {
  if (!std::is_sorted(accesses.begin(), accesses.end(), comes_before)) {
    object.key("accesses");
    append_list(out_, accesses, [&](const core::Access& access) {
      append_operand(access.region, access.view, access.member, core::name_of(access.mode));
    });
    return;
  }
  for (const core::AccessMode mode : kOrder) {
    const auto has_mode = [&](const core::Access& access) { return access.mode == mode; };
    const auto first = std::find_if(accesses.begin(), accesses.end(), has_mode);
    const auto last = std::find_if_not(first, accesses.end(), has_mode);
    if (first == last) continue;
    object.key(core::name_of(mode));
    append_list(out_, std::span<const core::Access>(first, last), [&](const core::Access& access) {
      append_operand(access.region, access.view, access.member, "");
    });
  }
}

void TaskWriter::append_operand(core::RegionId region, core::OperandView view, std::int64_t member,
                                std::string_view mode) {
  const std::string text = program_.region_text(region, view);
  if (member == 0 && mode.empty()) {
    append_quoted(out_, text);
    return;
  }
  ObjectWriter object(out_);
  object.text("region", text);
  if (!mode.empty()) object.text("mode", mode);
  if (member != 0) object.integer("member", member);
  object.end();
}

void TaskWriter::append_kernel(ObjectWriter& object, const core::Kernel& kernel, core::TaskId id,
                               std::span<const core::ScratchArray> scratch) {
  object.key("kernel");
  if (kernel.size() == 1) {
    append_call(kernel.front(), id, scratch);
  } else {
    append_list(out_, kernel,
                [&](const core::KernelCall& call) { append_call(call, id, scratch); });
  }
}

void TaskWriter::append_call(const core::KernelCall& call, core::TaskId id,
                             std::span<const core::ScratchArray> scratch) {
  ObjectWriter object(out_);
  object.text("name", call.name);
  for (const auto& [name, value] : call.parameters) object.number(name, value);
  const auto accesses = program_.accesses(id);
  if (call.arguments != default_arguments(call, accesses)) {
    object.key("args");
    append_list(out_, call.arguments, [&](const core::KernelArgument& argument) {
      if (argument.is_scratch) {
        append_quoted(out_, "$" + scratch[argument.index].name);
      } else {
        const core::Access& access = accesses[argument.index];
        append_operand(access.region, argument.view, access.member, "");
      }
    });
  }
  object.end();
}

// ---- placements and costs ----

namespace {

/// What all alternatives have in common, for the task itself to say.
core::Alternative common_needs(const core::Placement& placement) {
  core::Alternative common;
  const core::Alternative& first = placement.front();
  const auto all = [&](auto predicate) {
    return std::all_of(placement.begin(), placement.end(), predicate);
  };
  if (all([&](const auto& other) { return other.milli_vcus == first.milli_vcus; })) {
    common.milli_vcus = first.milli_vcus;
  }
  if (all([&](const auto& other) { return other.scratch_bytes == first.scratch_bytes; })) {
    common.scratch_bytes = first.scratch_bytes;
  }
  // An alternative's scratch arrays are the task's and then its own.
  for (std::size_t i = 0; i < first.scratch.size(); ++i) {
    if (!all([&](const auto& other) {
          return i < other.scratch.size() && other.scratch[i] == first.scratch[i];
        })) {
      break;
    }
    common.scratch.push_back(first.scratch[i]);
  }
  return common;
}

/// A device or class and nothing else besides what the task says.
bool is_bare(const core::Alternative& alternative, const core::Alternative& task) {
  core::Alternative bare = task;
  bare.members = alternative.members;
  return alternative.members.size() == 1 && alternative == bare;
}

}  // namespace

void TaskWriter::append_placement(ObjectWriter& object, core::TaskId id) {
  const core::Placement& placement = program_.placement(program_.task(id).placement);
  const core::Alternative task = common_needs(placement);
  const core::Alternative& first = placement.front();
  const bool is_anywhere =
      placement.size() == 1 && is_bare(first, task) && first.members.front() == "any";
  if (!is_anywhere) {
    object.key("placement");
    if (placement.size() == 1) {
      append_alternative(first, task, id);
    } else {
      append_list(out_, placement, [&](const core::Alternative& alternative) {
        append_alternative(alternative, task, id);
      });
    }
  }
  append_needs(object, task, core::Alternative());
}

void TaskWriter::append_alternative(const core::Alternative& alternative,
                                    const core::Alternative& task, core::TaskId id) {
  if (is_bare(alternative, task)) {
    append_quoted(out_, alternative.members.front());
    return;
  }
  ObjectWriter object(out_);
  if (alternative.is_group) {
    object.key("group");
    append_list(out_, alternative.members,
                [&](const std::string& member) { append_quoted(out_, member); });
  } else {
    object.text("on", alternative.members.front());
  }
  append_needs(object, alternative, task);
  if (alternative.kernel) append_kernel(object, *alternative.kernel, id, alternative.scratch);
  if (alternative.cost) {
    object.key("cost");
    append_cost(*alternative.cost);
  }
  if (alternative.expected_cost) {
    object.key("expected_cost");
    append_cost(*alternative.expected_cost);
  }
  object.end();
}

void TaskWriter::append_needs(ObjectWriter& object, const core::Alternative& alternative,
                              const core::Alternative& taken_for_granted) {
  if (alternative.milli_vcus != taken_for_granted.milli_vcus) {
    object.number("vcus", static_cast<double>(alternative.milli_vcus) / 1000.0);
  }
  if (alternative.scratch_bytes != taken_for_granted.scratch_bytes) {
    object.integer("scratch_bytes", alternative.scratch_bytes.count());
  }
  const std::span<const core::ScratchArray> own =
      std::span(alternative.scratch).subspan(taken_for_granted.scratch.size());
  if (own.empty()) return;
  object.key("scratch");
  ObjectWriter arrays(out_);
  for (const core::ScratchArray& array : own) {
    arrays.key(array.name);
    ObjectWriter inner(out_);
    inner.key("shape");
    append_shape(out_, array.shape);
    inner.text("dtype", core::name_of(array.dtype));
    inner.end();
  }
  arrays.end();
}

void TaskWriter::append_cost(const core::Cost& cost) {
  const auto append_work = [](ObjectWriter& object, const core::CostEntry& entry) {
    if (entry.stated) {
      object.integer("ns", entry.stated->count());
    } else {
      object.number("flops", entry.flops);
      object.number("bytes", entry.bytes);
    }
  };
  ObjectWriter object(out_);
  for (const core::CostEntry& entry : cost) {
    if (entry.on.empty()) {
      append_work(object, entry);
    } else {
      object.key(entry.on);
      ObjectWriter inner(out_);
      append_work(inner, entry);
      inner.end();
    }
  }
  object.end();
}

// ---- looking in ----

void TaskWriter::append_extras(ObjectWriter& object, const core::TaskExtras& extras) {
  for (const bool is_print : {false, true}) {
    std::vector<core::Show> shows;
    std::copy_if(extras.show.begin(), extras.show.end(), std::back_inserter(shows),
                 [&](const core::Show& show) { return show.is_print == is_print; });
    if (shows.empty()) continue;
    object.key(is_print ? "print" : "show");
    append_list(out_, shows, [&](const core::Show& show) { append_show(show); });
  }
  if (extras.expect.empty()) return;
  object.key("expect");
  ObjectWriter expect(out_);
  for (const core::Expectation& expectation : extras.expect) {
    const core::Region& region = program_.region(expectation.region);
    std::vector<std::int64_t> shape;
    for (const core::Range& range : region.box.ranges()) shape.push_back(range.count);
    expect.key(program_.region_text(expectation.region));
    append_elements(out_, program_.array(region.array).spec.dtype, shape, expectation.bytes);
  }
  expect.end();
}

void TaskWriter::append_show(const core::Show& show) {
  const std::string& name = program_.array(show.array).spec.name;
  if (show.values == core::Show::Values::kEnd) {
    append_quoted(out_, name);
    return;
  }
  ObjectWriter object(out_);
  object.text("array", name);
  object.literal("values", show.values == core::Show::Values::kStart ? "\"start\"" : "false");
  object.end();
}

}  // namespace parley::workloads
