#include "workloads/formats/task_reader.h"

#include <algorithm>

#include "core/graph/element.h"
#include "workloads/formats/cost_reader.h"
#include "workloads/formats/element_values.h"

namespace parley::workloads {
namespace {

constexpr KeySet kTaskKeys = {
    Key::kName,     Key::kAfter,    Key::kPlacement,    Key::kIn,       Key::kOut,
    Key::kInout,    Key::kAccesses, Key::kKernel,       Key::kCost,     Key::kExpectedCost,
    Key::kVcus,     Key::kScratch,  Key::kScratchBytes, Key::kPriority, Key::kReleaseNs,
    Key::kMovement, Key::kShow,     Key::kPrint,        Key::kExpect};
constexpr KeySet kEvictKeys = {Key::kEvict, Key::kSpace, Key::kKeepLast,
                               Key::kName,  Key::kAfter, Key::kReleaseNs,
                               Key::kShow,  Key::kPrint, Key::kPriority};
constexpr KeySet kAccessKeys = {Key::kRegion, Key::kMember, Key::kMode, Key::kCommutative,
                                Key::kReduce};
constexpr KeySet kShowKeys = {Key::kArray, Key::kValues};

/// Row-major elements as the view shows them, into the order of the region's own indices.
void unflip(const core::Box& box, core::OperandView view, std::size_t element,
            std::vector<std::byte>& bytes) {
  for (std::size_t d = 0; d < box.rank(); ++d) {
    if ((view.flipped >> d & 1U) == 0 || bytes.empty()) continue;
    std::size_t row = element;  // bytes of one index of dimension d
    for (std::size_t inner = d + 1; inner < box.rank(); ++inner) {
      row *= static_cast<std::size_t>(box[inner].count);
    }
    const std::size_t block = row * static_cast<std::size_t>(box[d].count);
    for (std::size_t start = 0; start < bytes.size(); start += block) {
      for (std::size_t low = 0, high = block - row; low < high; low += row, high -= row) {
        std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(start + low),
                         bytes.begin() + static_cast<std::ptrdiff_t>(start + low + row),
                         bytes.begin() + static_cast<std::ptrdiff_t>(start + high));
      }
    }
  }
}

}  // namespace

core::TaskSpec TaskReader::read(JsonValue entry, core::TaskId id) {
  const std::size_t faults_before = reader_.fault_count();
  maybe_written_.clear();
  core::TaskSpec spec;
  spec.name = names_.name(id);
  bool is_evict = false;
  if (entry.is_object()) {
    for (const JsonValue member : entry) {
      is_evict = is_evict || member.key() == static_cast<JsonKey>(Key::kEvict);
    }
  }
  if (is_evict) {
    read_evict(entry, spec, id);
  } else if (const auto fields = reader_.fields(entry, kTaskKeys, "a task object")) {
    read_task(*fields, spec, id);
  }
  if (reader_.fault_count() != faults_before) settle_faulty(spec);
  return spec;
}

void TaskReader::settle_faulty(core::TaskSpec& spec) const {
  spec.kernel.clear();
  spec.placement.clear();
  for (core::Access& access : spec.accesses) access.member = 0;
  for (const core::ArrayId array : maybe_written_) {
    std::erase_if(spec.accesses, [&](const core::Access& access) {
      return program_.region(access.region).array == array;
    });
    core::Access whole;
    whole.region = program_.array(array).whole;
    whole.mode = core::AccessMode::kOut;
    spec.accesses.push_back(whole);
  }
}

void TaskReader::read_task(const Fields& fields, core::TaskSpec& spec, core::TaskId id) {
  read_accesses(fields, spec);
  if (const auto after = fields[Key::kAfter]) read_after(*after, spec, id);
  read_execution(fields, spec);
  if (const auto cost = fields[Key::kCost]) spec.cost = read_cost(reader_, *cost);
  if (const auto cost = fields[Key::kExpectedCost]) spec.expected_cost = read_cost(reader_, *cost);
  if (const auto priority = fields[Key::kPriority]) {
    spec.priority =
        static_cast<std::int32_t>(reader_.integer(*priority, INT32_MIN, INT32_MAX).value_or(0));
  }
  if (const auto release = fields[Key::kReleaseNs]) {
    spec.release =
        core::Time(reader_.integer(*release, 0, core::kLongestDuration.count()).value_or(0));
  }
  if (const auto show = fields[Key::kShow]) read_show(*show, false, spec);
  if (const auto print = fields[Key::kPrint]) read_show(*print, true, spec);
  if (const auto expect = fields[Key::kExpect]) read_expect(*expect, spec);
}

void TaskReader::read_evict(JsonValue entry, core::TaskSpec& spec, core::TaskId id) {
  const auto fields = reader_.fields(entry, kEvictKeys, "an evict object");
  spec.kind = core::TaskKind::kEvict;
  // Ordered like a write: after the uses before it and before the uses after it.
  const JsonValue region = *(*fields)[Key::kEvict];
  if (const auto text = reader_.text(region)) {
    if (const auto view = regions_.read(region, *text).view) {
      spec.accesses.push_back({view->region, core::AccessMode::kInout, 0, view->view});
    }
  }
  if (const auto space = (*fields)[Key::kSpace]) {
    if (const auto name = reader_.name(*space)) spec.evict_space = *name;
  } else {
    reader_.fault(entry, "missing key \"space\": which memory space to evict from");
  }
  if (const auto keep = (*fields)[Key::kKeepLast]) {
    spec.keep_last = reader_.boolean(*keep).value_or(true);
  }
  if (const auto after = (*fields)[Key::kAfter]) read_after(*after, spec, id);
  if (const auto priority = (*fields)[Key::kPriority]) {
    spec.priority =
        static_cast<std::int32_t>(reader_.integer(*priority, INT32_MIN, INT32_MAX).value_or(0));
  }
  if (const auto release = (*fields)[Key::kReleaseNs]) {
    spec.release =
        core::Time(reader_.integer(*release, 0, core::kLongestDuration.count()).value_or(0));
  }
  if (const auto show = (*fields)[Key::kShow]) read_show(*show, false, spec);
  if (const auto print = (*fields)[Key::kPrint]) read_show(*print, true, spec);
}

// ---- accesses and dependencies ----

void TaskReader::read_accesses(const Fields& fields, core::TaskSpec& spec) {
  if (const auto accesses = fields[Key::kAccesses]) {
    for (const Key key : {Key::kIn, Key::kInout, Key::kOut}) {
      if (const auto other = fields[key]) {
        reader_.fault(*other, "a task has either \"accesses\", or \"in\", \"inout\" and \"out\"");
      }
    }
    if (!reader_.expect_list(*accesses, "a list of accesses")) return;
    for (const JsonValue item : *accesses) read_access(item, std::nullopt, spec);
    return;
  }
  constexpr std::pair<Key, core::AccessMode> kLists[] = {{Key::kIn, core::AccessMode::kIn},
                                                         {Key::kInout, core::AccessMode::kInout},
                                                         {Key::kOut, core::AccessMode::kOut}};
  for (const auto& [key, mode] : kLists) {
    const auto list = fields[key];
    if (!list || !reader_.expect_list(*list, "a list of regions")) continue;
    for (const JsonValue item : *list) read_access(item, mode, spec);
  }
}

void TaskReader::read_access(JsonValue value, std::optional<core::AccessMode> mode,
                             core::TaskSpec& spec) {
  core::Access access;
  JsonValue region = value;
  if (value.is_object()) {
    const auto fields = reader_.fields(value, kAccessKeys, "an access");
    for (const Key key : {Key::kCommutative, Key::kReduce}) {
      if (const auto feature = (*fields)[key]) {
        reader_.fault(*feature, "\"" + std::string(name_of(key)) +
                                    "\" accesses are part of the format, but this build cannot run "
                                    "them; use \"inout\"");
      }
    }
    if (const auto member = (*fields)[Key::kMember]) {
      access.member = static_cast<std::uint8_t>(reader_.integer(*member, 0, 255).value_or(0));
    }
    if (const auto own_mode = (*fields)[Key::kMode]) {
      const auto choice = reader_.choice(*own_mode, {"in", "out", "inout"});
      if (mode) reader_.fault(*own_mode, "the list that the access stands in is its mode");
      if (!mode && choice) mode = static_cast<core::AccessMode>(*choice);
      if (!choice) mode = mode.value_or(core::AccessMode::kIn);
    } else if (!mode) {
      reader_.fault(value, "missing key \"mode\": in, out or inout");
      mode = core::AccessMode::kIn;
    }
    if (!fields->has(Key::kRegion)) {
      reader_.fault(value, "missing key \"region\"");
      return;
    }
    region = *(*fields)[Key::kRegion];
  } else if (!mode) {
    reader_.wrong_type(value, "an object with region and mode");
    return;
  }
  access.mode = *mode;
  const auto text = reader_.text(region);
  if (!text) return;
  const ReadRegion read = regions_.read(region, *text);
  if (read.view) {
    access.region = read.view->region;
    access.view = read.view->view;
    spec.accesses.push_back(access);
  } else if (read.array && core::writes(access.mode)) {
    maybe_written_.push_back(*read.array);
  }
}

void TaskReader::read_after(JsonValue value, core::TaskSpec& spec, core::TaskId id) {
  if (!reader_.expect_list(value, "a list of tasks")) return;
  for (const JsonValue item : value) {
    bool is_before_first = false;
    const auto text = reader_.text(item, &is_before_first);
    if (!text || is_before_first) continue;
    const std::size_t first = spec.after.size();
    if (auto fault = names_.resolve(*text, reader_, spec.after)) {
      reader_.fault(item, std::move(*fault));
      spec.after.resize(first);
      continue;
    }
    const bool is_explicit = program_.mode() == core::DependencyMode::kExplicit;
    const auto wrong =
        std::find_if(spec.after.begin() + static_cast<std::ptrdiff_t>(first), spec.after.end(),
                     [&](core::TaskId on) { return on == id || (!is_explicit && on > id); });
    if (wrong == spec.after.end()) continue;
    const std::string named =
        *text == names_.name(*wrong)
            ? describe(item)
            : describe(item) + " includes \"" + std::string(names_.name(*wrong)) + "\", which";
    const bool is_itself = *wrong == id;
    reader_.fault(item, named + (is_itself ? " is the task itself"
                                           : " comes later; naming a later task needs "
                                             "\"dependencies\": \"explicit\""));
    spec.after.resize(first);
  }
}

// ---- what and where ----

void TaskReader::read_execution(const Fields& fields, core::TaskSpec& spec) {
  core::Alternative needs;
  const AlternativeFields own = AlternativeFields::of(fields);
  placements_.read_needs(own, needs);
  bool is_manual = false;
  if (const auto kernel = fields[Key::kKernel]) {
    spec.kernel = kernels_.read(*kernel, {spec.accesses, needs.scratch});
    is_manual = moves_when_run(spec.kernel);
  }
  if (const auto placement = fields[Key::kPlacement]) {
    spec.placement = placements_.read(*placement, needs, spec.accesses);
    for (const core::Alternative& alternative : spec.placement) {
      is_manual = is_manual || (alternative.kernel && moves_when_run(*alternative.kernel));
    }
  } else if (own.vcus || own.scratch_bytes || !needs.scratch.empty()) {
    needs.members = {"any"};
    spec.placement = {needs};
  }
  spec.is_lazy = is_manual;
  if (const auto movement = fields[Key::kMovement]) {
    const auto choice = reader_.choice(*movement, {"eager", "lazy"});
    if (choice) spec.is_lazy = *choice == 1;
  }
}

// ---- looking in ----

void TaskReader::read_show(JsonValue value, bool is_print, core::TaskSpec& spec) {
  if (!value.is_list()) {
    read_show_item(value, is_print, spec);
    return;
  }
  for (const JsonValue item : value) read_show_item(item, is_print, spec);
}

void TaskReader::read_show_item(JsonValue value, bool is_print, core::TaskSpec& spec) {
  core::Show show;
  show.is_print = is_print;
  JsonValue array = value;
  if (value.is_object()) {
    const auto fields = reader_.fields(value, kShowKeys, "an object with array and values");
    if (const auto values = (*fields)[Key::kValues]) {
      if (values->kind() == JsonKind::kBool && !values->boolean()) {
        show.values = core::Show::Values::kNone;
      } else if (!values->is_string()) {
        reader_.wrong_type(*values, "\"start\", \"end\" or false");
      } else if (const auto choice = reader_.choice(*values, {"start", "end"})) {
        show.values = *choice == 0 ? core::Show::Values::kStart : core::Show::Values::kEnd;
      }
    }
    if (!fields->has(Key::kArray)) {
      reader_.fault(value, "missing key \"array\"");
      return;
    }
    array = *(*fields)[Key::kArray];
  }
  const auto name = reader_.text(array);
  if (!name) return;
  const auto id = regions_.read_array(array, *name);
  if (!id) return;
  show.array = *id;
  spec.show.push_back(show);
}

void TaskReader::read_expect(JsonValue value, core::TaskSpec& spec) {
  if (!value.is_object()) {
    reader_.wrong_type(value, "an object such as {\"A[0]\": 1}");
    return;
  }
  for (const JsonValue member : value) {
    if (member.is_object() && member.key() == static_cast<JsonKey>(Key::kMeta)) continue;
    // Keys are texts too: indices of repeat blocks are put in.
    std::string text(member.key_text());
    if (!reader_.scope().is_empty()) {
      const auto substituted = reader_.scope().substitute(text);
      if (!substituted) {
        reader_.fault(member, substituted.faults().front().what);
        continue;
      }
      text = substituted->text;
    }
    const ReadRegion read = regions_.read(member, text);
    if (!read.view) continue;
    core::Expectation expectation{read.view->region, {}};
    if (!read_expected(member, *read.view, expectation.bytes)) continue;
    spec.expect.push_back(std::move(expectation));
  }
}

bool TaskReader::read_expected(JsonValue value, core::RegionView view,
                               std::vector<std::byte>& bytes) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 28U;
  const core::Region region = program_.region(view.region);
  const core::DType dtype = program_.array(region.array).spec.dtype;
  if (region.bytes.count() > kMostBytes) {
    reader_.fault(value, "the region has " + std::to_string(region.bytes.count()) +
                             " bytes; at most 2^28 can be expected");
    return false;
  }
  const std::vector<std::int64_t> shape = visible_shape(program_, view);
  if (value.is_list() && !(core::is_complex(dtype) && shape.empty())) {
    if (!read_elements(reader_, value, dtype, shape, bytes)) return false;
    unflip(region.box, view.view, static_cast<std::size_t>(core::element_bytes(dtype)), bytes);
    return true;
  }
  // One value stands for every element.
  std::vector<std::byte> element(static_cast<std::size_t>(core::element_bytes(dtype)));
  if (!read_element(reader_, value, dtype, element.data())) return false;
  for (std::int64_t i = 0; i < region.box.size(); ++i) {
    bytes.insert(bytes.end(), element.begin(), element.end());
  }
  return true;
}

}  // namespace parley::workloads
