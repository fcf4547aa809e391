// Program -> JSON text, one array and one task a line.
#include <cmath>
#include <span>
#include <string>

#include "workloads/formats/element_values.h"
#include "workloads/formats/json_writer.h"
#include "workloads/formats/task_writer.h"
#include "workloads/workload.h"

namespace parley::workloads {
namespace {

void append_initial(std::string& out, const core::ArraySpec& spec) {
  const core::Initial& initial = spec.initial;
  ObjectWriter object(out);
  switch (initial.kind) {
    case core::Initial::Kind::kNone:
      break;
    case core::Initial::Kind::kFill:
      object.key("fill");
      append_element(out, spec.dtype, initial.data.data());
      break;
    case core::Initial::Kind::kValues:
      object.key("values");
      append_elements(out, spec.dtype, spec.shape, initial.data);
      break;
    case core::Initial::Kind::kArange:
      object.literal("arange", "true");
      break;
    case core::Initial::Kind::kRandom:
      object.literal("random", std::to_string(initial.seed));
      if (std::fpclassify(initial.diagonal) != FP_ZERO) {
        object.number("diagonal", initial.diagonal);
      }
      break;
  }
  object.end();
}

void append_array(std::string& out, const core::ArraySpec& spec) {
  ObjectWriter object(out);
  object.text("name", spec.name);
  if (spec.is_opaque) {
    object.integer("bytes", spec.shape.front());
  } else {
    object.key("shape");
    append_shape(out, spec.shape);
    object.text("dtype", core::name_of(spec.dtype));
  }
  if (spec.homes.size() == 1 && spec.homes.front() != "host") {
    object.text("home", spec.homes.front());
  } else if (spec.homes.size() > 1) {
    object.key("home");
    append_list(out, spec.homes, [&](const std::string& home) { append_quoted(out, home); });
  }
  if (spec.initial.kind != core::Initial::Kind::kNone) {
    object.key("init");
    append_initial(out, spec);
  }
  if (spec.at_end == core::AtEnd::kHome) object.text("at_end", "home");
  if (spec.at_end == core::AtEnd::kDiscard) object.text("at_end", "discard");
  object.end();
}

void append_factorization(std::string& out, const core::Program& program,
                          const core::Factorization& factorization) {
  ObjectWriter object(out);
  object.text("kind", core::name_of(factorization.kind));
  object.key("tiles");
  out += '[';
  for (std::size_t i = 0; i < factorization.rows; ++i) {
    out += i == 0 ? "\n  " : ",\n  ";
    const bool is_lower = factorization.kind == core::Factorization::Kind::kCholesky;
    const auto row =
        factorization.tiles.begin() + static_cast<std::ptrdiff_t>(i * factorization.rows);
    const std::size_t count = is_lower ? i + 1 : factorization.rows;
    append_list(out, std::span<const core::RegionId>(row, count),
                [&](core::RegionId tile) { append_quoted(out, program.region_text(tile)); });
  }
  out += ']';
  object.end();
}

void append_parameters(std::string& out, const core::KernelSignature& signature) {
  ObjectWriter object(out);
  for (const core::KernelParameter& parameter : signature.parameters) {
    if (parameter.is_required) {
      object.literal(parameter.name, "null");
    } else {
      object.number(parameter.name, parameter.default_value);
    }
  }
  object.end();
}

void append_user_kernel(std::string& out, const core::UserKernel& kernel) {
  ObjectWriter object(out);
  if (!kernel.source.empty()) object.text("source", kernel.source);
  if (!kernel.library.empty()) object.text("library", kernel.library);
  if (kernel.function != kernel.signature.name) object.text("function", kernel.function);
  object.key("arguments");
  append_list(out, kernel.signature.arguments, [&](core::ArgumentMode mode) {
    append_quoted(out, mode == core::ArgumentMode::kRead
                           ? "in"
                           : (mode == core::ArgumentMode::kWrite ? "out" : "inout"));
  });
  if (!kernel.signature.parameters.empty()) {
    object.key("parameters");
    append_parameters(out, kernel.signature);
  }
  if (kernel.block != core::UserKernel().block) object.integer("block", kernel.block);
  object.end();
}

void append_user_kernels(std::string& out, const core::Program& program) {
  if (program.user_kernel_count() == 0) return;
  out += "\"kernels\": ";
  ObjectWriter object(out);
  for (std::size_t i = 0; i < program.user_kernel_count(); ++i) {
    object.key(program.user_kernel(i).signature.name);
    append_user_kernel(out, program.user_kernel(i));
  }
  object.end();
  out += ",\n ";
}

}  // namespace

std::string format_workload(const core::Program& program) {
  std::string out = "{\"format\": \"parley-workload\", \"version\": 1, \"name\": ";
  append_quoted(out, program.name());
  if (!program.description.empty()) {
    out += ",\n \"description\": ";
    append_quoted(out, program.description);
  }
  if (program.mode() != core::DependencyMode::kInferred) {
    out += ",\n \"dependencies\": ";
    append_quoted(out, core::name_of(program.mode()));
  }
  out += ",\n \"arrays\": [";
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    out += i == 0 ? "\n  " : ",\n  ";
    append_array(out, program.array(core::ArrayId(i)).spec);
  }
  out += "],\n ";
  if (program.factorization()) {
    out += "\"factorization\": ";
    append_factorization(out, program, *program.factorization());
    out += ",\n ";
  }
  append_user_kernels(out, program);
  out += "\"tasks\": [";
  TaskWriter tasks(out, program);
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    out += i == 0 ? "\n  " : ",\n  ";
    tasks.append(core::TaskId(i));
  }
  out += "]}\n";
  return out;
}

}  // namespace parley::workloads
