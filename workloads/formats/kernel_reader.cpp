#include "workloads/formats/kernel_reader.h"

#include <algorithm>

#include "workloads/formats/array_reader.h"

namespace parley::workloads {
namespace {

constexpr KeySet kArgumentKeys = {Key::kRegion, Key::kMember};
constexpr KeySet kScratchKeys = {Key::kShape, Key::kDtype};

}  // namespace

core::Kernel KernelReader::read(JsonValue value, const Operands& operands) {
  core::Kernel kernel;
  if (value.is_list()) {
    for (const JsonValue call : value) kernel.push_back(read_call(call, operands));
  } else {
    kernel.push_back(read_call(value, operands));
  }
  return kernel;
}

core::KernelCall KernelReader::read_call(JsonValue value, const Operands& operands) {
  core::KernelCall call;
  if (!value.is_object()) {
    reader_.wrong_type(value, "a kernel object such as {\"name\": \"fill\", \"value\": 0}");
    return call;
  }
  const core::KernelSignature* signature = nullptr;
  bool has_name = false;
  for (const JsonValue member : value) {
    if (member.key() != static_cast<JsonKey>(Key::kName)) continue;
    has_name = true;
    const auto name = reader_.text(member);
    if (!name) continue;
    call.name = *name;
    const core::UserKernel* own = program_.find_user_kernel(*name);
    signature = own != nullptr ? &own->signature : core::find_kernel(*name);
    if (signature != nullptr) continue;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < program_.user_kernel_count(); ++i) {
      names.push_back(program_.user_kernel(i).signature.name);
    }
    for (const core::KernelSignature& known : core::kernel_signatures()) {
      names.push_back(known.name);
    }
    reader_.fault(member,
                  "unknown kernel " + describe(member) + reader_.nearest_or_all(*name, names));
  }
  if (!has_name) reader_.fault(value, "missing key \"name\"");
  for (const JsonValue member : value) {
    if (member.key() == static_cast<JsonKey>(Key::kName) ||
        member.key() == static_cast<JsonKey>(Key::kMeta)) {
      continue;
    }
    if (member.key() == static_cast<JsonKey>(Key::kArgs)) {
      read_arguments(member, operands, call);
    } else if (signature != nullptr) {
      read_parameter(member, *signature, call);
    }
  }
  return call;
}

void KernelReader::read_parameter(JsonValue member, const core::KernelSignature& signature,
                                  core::KernelCall& call) {
  const std::string_view name = member.key_text();
  const auto known = [&](const core::KernelParameter& p) { return p.name == name; };
  if (std::none_of(signature.parameters.begin(), signature.parameters.end(), known)) {
    std::vector<std::string> names = {"name", "args"};
    for (const core::KernelParameter& p : signature.parameters) names.push_back(p.name);
    std::string what = "unknown key ";
    append_quoted(what, name);
    reader_.fault(member, what + reader_.nearest_or_all(name, names));
  } else if (member.kind() == JsonKind::kBool) {
    call.parameters.emplace_back(name, member.boolean() ? 1.0 : 0.0);
  } else if (!member.is_number()) {
    reader_.wrong_type(member, "a number");
  } else if (member.kind() != JsonKind::kFloat &&
             !(member.kind() == JsonKind::kInteger && member.integer() <= kLargestExact &&
               member.integer() >= -kLargestExact)) {
    reader_.fault(member,
                  "found " + describe(member) +
                      "; kernels' parameters are float64, in which integers are exact up to 2^53");
  } else {
    call.parameters.emplace_back(name, member.number());
  }
}

// ---- arguments ----

void KernelReader::read_arguments(JsonValue list, const Operands& operands,
                                  core::KernelCall& call) {
  if (!reader_.expect_list(list, "a list of operands")) return;
  for (const JsonValue value : list) {
    if (const auto argument = read_argument(value, operands, call)) {
      call.arguments.push_back(*argument);
    }
  }
}

std::optional<core::KernelArgument> KernelReader::read_argument(JsonValue value,
                                                                const Operands& operands,
                                                                const core::KernelCall& call) {
  std::int64_t member = 0;
  JsonValue at = value;
  if (value.is_object()) {
    const auto fields = reader_.fields(value, kArgumentKeys, "an operand");
    if (!fields->has(Key::kRegion)) {
      reader_.fault(value, "missing key \"region\"");
      return std::nullopt;
    }
    at = *(*fields)[Key::kRegion];
    if (const auto number = (*fields)[Key::kMember]) {
      member = reader_.integer(*number, 0, 255).value_or(0);
    }
  }
  const auto text = reader_.text(at);
  if (!text) return std::nullopt;
  if (text->starts_with('$')) return scratch_argument(at, text->substr(1), operands, call);
  const ReadRegion region = regions_.read(at, *text);
  if (!region.view) return std::nullopt;
  std::string known;
  for (std::size_t i = 0; i < operands.accesses.size(); ++i) {
    const core::Access& access = operands.accesses[i];
    if (access.region == region.view->region && access.member == member) {
      return core::KernelArgument{false, static_cast<std::uint16_t>(i), region.view->view};
    }
    known += (known.empty() ? "" : ", ") + program_.region_text(access.region, access.view);
    if (access.member != 0) known += " of member " + std::to_string(access.member);
  }
  reader_.fault(at, describe(at) + " is no operand of the task; its operands: " +
                        (known.empty() ? "none" : known));
  return std::nullopt;
}

std::optional<core::KernelArgument> KernelReader::scratch_argument(JsonValue value,
                                                                   std::string_view name,
                                                                   const Operands& operands,
                                                                   const core::KernelCall& call) {
  std::vector<core::ScratchArray>& scratch = operands.scratch;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < scratch.size(); ++i) {
    if (scratch[i].name == name)
      return core::KernelArgument{true, static_cast<std::uint16_t>(i), {}};
    names.push_back("$" + scratch[i].name);
  }
  const bool is_clone_target = call.name == "clone_here" && call.arguments.size() == 1 &&
                               !call.arguments.front().is_scratch &&
                               name.find('[') == std::string_view::npos && !name.empty();
  if (!is_clone_target) {
    reader_.fault(value, "unknown scratch array " + describe(value) +
                             reader_.nearest("$" + std::string(name), names) +
                             "; declare it under \"scratch\", and use it whole");
    return std::nullopt;
  }
  const core::KernelArgument& source = call.arguments.front();
  const core::RegionId region = operands.accesses[source.index].region;
  scratch.push_back({std::string(name), visible_shape(program_, {region, source.view}),
                     program_.array(program_.region(region).array).spec.dtype});
  return core::KernelArgument{true, static_cast<std::uint16_t>(scratch.size() - 1), {}};
}

void KernelReader::read_scratch(JsonValue value, std::vector<core::ScratchArray>& scratch) {
  if (!value.is_object()) {
    reader_.wrong_type(value, "an object of scratch arrays by name");
    return;
  }
  for (const JsonValue member : value) {
    if (member.key() == static_cast<JsonKey>(Key::kMeta)) continue;
    core::ScratchArray array;
    array.name = member.key_text();
    if (array.name.empty() || array.name.find_first_of("$[] ") != std::string::npos) {
      reader_.fault(member,
                    "a scratch array's name has no \"$\", brackets or spaces where it is "
                    "declared");
    }
    const auto fields = reader_.fields(member, kScratchKeys, "an object with shape and dtype");
    if (!fields) continue;
    if (const auto shape = (*fields)[Key::kShape]) {
      array.shape = read_shape(reader_, *shape).value_or(std::vector<std::int64_t>());
    } else {
      reader_.fault(member, "missing key \"shape\"");
    }
    if (const auto dtype = (*fields)[Key::kDtype]) {
      array.dtype = read_dtype(reader_, *dtype).value_or(core::DType::kFloat64);
    }
    const auto same = [&](const core::ScratchArray& other) { return other.name == array.name; };
    if (std::any_of(scratch.begin(), scratch.end(), same)) {
      reader_.fault(member, "scratch array \"" + array.name + "\" is declared twice");
      continue;
    }
    scratch.push_back(std::move(array));
  }
}

bool moves_when_run(const core::Kernel& kernel) {
  return std::any_of(kernel.begin(), kernel.end(), [](const core::KernelCall& call) {
    return call.name == "clone_here" || call.name == "copy";
  });
}

std::vector<std::int64_t> visible_shape(const core::Program& program, core::RegionView view) {
  std::vector<std::int64_t> shape;
  const core::Box& box = program.region(view.region).box;
  for (std::size_t d = 0; d < box.rank(); ++d) {
    if ((view.view.dropped >> d & 1U) == 0) shape.push_back(box[d].count);
  }
  return shape;
}

}  // namespace parley::workloads
