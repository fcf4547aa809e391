// JSON text -> Program. Everything is read in one go, and every fault is collected: the tasks after
// a faulty one are read as if it were there.
#include <algorithm>

#include "core/base/check.h"
#include "workloads/formats/array_reader.h"
#include "workloads/formats/factorization_reader.h"
#include "workloads/formats/json_document.h"
#include "workloads/formats/json_reader.h"
#include "workloads/formats/region_reader.h"
#include "workloads/formats/task_entries.h"
#include "workloads/formats/task_names.h"
#include "workloads/formats/task_reader.h"
#include "workloads/formats/user_kernel_reader.h"
#include "workloads/formats/workload_document.h"
#include "workloads/workload.h"

namespace parley::workloads {
namespace {

constexpr KeySet kWorkloadKeys = {Key::kFormat,      Key::kVersion,       Key::kName,
                                  Key::kDescription, Key::kDependencies,  Key::kArrays,
                                  Key::kTasks,       Key::kFactorization, Key::kKernels};

/// Format and version. False, and noted, when this is no workload of version 1 at all.
bool check_header(JsonReader& reader, JsonValue root) {
  const auto member = [&](Key key) -> std::optional<JsonValue> {
    for (const JsonValue value : root) {
      if (value.key() == static_cast<JsonKey>(key)) return value;
    }
    return std::nullopt;
  };
  if (!root.is_object()) {
    reader.wrong_type(root, "a workload object");
    return false;
  }
  const std::size_t before = reader.fault_count();
  const auto format = member(Key::kFormat);
  const auto version = member(Key::kVersion);
  if (!format) {
    reader.fault(root,
                 R"(missing key "format"; a workload begins with {"format": "parley-workload", )"
                 R"("version": 1, ...})");
  } else if (!format->is_string() || format->text() != "parley-workload") {
    reader.fault(*format, "expected \"parley-workload\", found " + describe(*format));
  }
  if (!version) {
    reader.fault(root, "missing key \"version\"; this build reads version 1");
  } else if (version->kind() != JsonKind::kInteger || version->integer() != 1) {
    reader.fault(*version, "found version " + describe(*version) + "; this build reads version 1");
  }
  return reader.fault_count() == before;
}

core::DependencyMode read_mode(JsonReader& reader, const Fields& fields) {
  const auto value = fields[Key::kDependencies];
  if (!value) return core::DependencyMode::kInferred;
  const auto choice = reader.choice(*value, {"inferred", "explicit", "both"});
  return static_cast<core::DependencyMode>(choice.value_or(0));
}

/// Reads "tasks" in two passes: all names, then all tasks, so that a task can name a later one.
class TasksLoader {
 public:
  TasksLoader(const JsonDocument& document, JsonReader& reader, core::Program& program,
              RegionReader& regions)
      : document_(document),
        reader_(reader),
        program_(program),
        task_reader_(reader, program, regions, names_) {}

  void load(JsonValue tasks) {
    const TaskEntries entries(reader_, tasks);
    entries.for_each([this](JsonValue entry) { read_name(entry); });
    names_.name_the_unnamed();
    entries.for_each([this](JsonValue entry) { spawn(entry); });
  }

  /// Closes the program. Faults name a task; they are noted where it stands.
  void close() {
    const core::Result<bool> closed = program_.close();
    for (const core::Fault& fault : closed.faults()) {
      const auto task = names_.find(fault.where);
      PARLEY_CHECK(task.has_value(), "close() names no task: " + fault.where);
      reader_.fault(JsonValue(&document_, names_.entry(*task)), fault.what);
    }
  }

 private:
  void read_name(JsonValue entry) {
    reader_.forget_texts();
    std::string_view name;
    std::optional<JsonValue> place;
    if (entry.is_object()) {
      for (const JsonValue member : entry) {
        if (member.key() == static_cast<JsonKey>(Key::kName)) place = member;
      }
    }
    if (place) name = reader_.name(*place).value_or("");
    const bool is_lasting = place && place->is_string() && name.data() == place->text().data();
    const core::TaskId id(names_.size());
    if (names_.add(name, is_lasting, entry)) return;
    const core::TaskId first = *names_.find(names_.name(id));
    std::string what = "duplicate task name ";
    append_quoted(what, names_.name(id));
    what += "; " + document_.path(JsonValue(&document_, names_.entry(first))) + " has it";
    if (!reader_.scope().is_empty())
      what += "; names in a repeat block contain its index, as in {i}";
    reader_.fault(*place, what);
  }

  void spawn(JsonValue entry) {
    reader_.forget_texts();
    const core::TaskId id(program_.task_count());
    core::TaskSpec spec = task_reader_.read(entry, id);
    if (!names_.owns_name(id)) spec.name = stand_in_name(id);
    accesses_.assign(spec.accesses.begin(), spec.accesses.end());
    const core::Result<core::TaskId> spawned = program_.spawn(std::move(spec));
    if (spawned) {
      PARLEY_CHECK(*spawned == id, "tasks are numbered in file order");
      return;
    }
    for (const core::Fault& fault : spawned.faults()) {
      reader_.fault(entry, fault.what, fault.where.empty() ? "" : "." + fault.where);
    }
    spawn_stand_in(id);
  }

  /// A task in place of the refused one: it keeps the numbering, and writes what that wrote.
  void spawn_stand_in(core::TaskId id) {
    core::TaskSpec spec;
    spec.name = names_.owns_name(id) ? std::string(names_.name(id)) : stand_in_name(id);
    std::vector<core::ArrayId> written;
    for (const core::Access& access : accesses_) {
      const core::ArrayId array = program_.region(access.region).array;
      const bool is_new = std::find(written.begin(), written.end(), array) == written.end();
      if (!core::writes(access.mode) || !is_new) continue;
      written.push_back(array);
      core::Access whole;
      whole.region = program_.array(array).whole;
      whole.mode = core::AccessMode::kOut;
      spec.accesses.push_back(whole);
    }
    const core::Result<core::TaskId> spawned = program_.spawn(std::move(spec));
    PARLEY_CHECK(spawned.has_value(), "a stand-in is refused: " + spawned.faults().front().what);
  }

  /// No name read from a file has control characters.
  static std::string stand_in_name(core::TaskId id) { return "\n" + std::to_string(id.index()); }

  const JsonDocument& document_;
  JsonReader& reader_;
  core::Program& program_;
  TaskNames names_;
  TaskReader task_reader_;
  std::vector<core::Access> accesses_;  // of the task being spawned
};

}  // namespace

core::Result<core::Program> read_workload(const JsonDocument& document, const std::string& source) {
  JsonReader reader(document, source);
  for (const core::Fault& fault : document.duplicate_keys()) {
    reader.fault(document.root(), fault.what, fault.where.empty() ? "" : "." + fault.where);
  }
  const JsonValue root = document.root();
  if (!check_header(reader, root)) return reader.take_faults();
  const auto fields = reader.fields(root, kWorkloadKeys, "a workload object");
  // Not the file's name: a program is the same wherever its text is read from.
  std::string name = "workload";
  if (const auto value = (*fields)[Key::kName]) name = reader.name(*value).value_or("");
  core::Program program(name, read_mode(reader, *fields));
  if (const auto description = (*fields)[Key::kDescription]) {
    program.description = reader.text(*description).value_or("");
  }
  RegionReader regions(reader, program);
  if (const auto arrays = (*fields)[Key::kArrays]) read_arrays(reader, *arrays, program, regions);
  if (const auto factorization = (*fields)[Key::kFactorization]) {
    read_factorization(reader, *factorization, program, regions);
  }
  if (const auto kernels = (*fields)[Key::kKernels]) {
    read_user_kernels(reader, *kernels, source, program);
  }
  TasksLoader loader(document, reader, program, regions);
  const auto tasks = (*fields)[Key::kTasks];
  if (!tasks) {
    reader.fault(root, "missing key \"tasks\"");
  } else if (reader.expect_list(*tasks, "a list of tasks")) {
    loader.load(*tasks);
  }
  loader.close();
  if (reader.fault_count() > 0) return reader.take_faults();
  return program;
}

core::Result<core::Program> parse_workload(std::string_view json, const std::string& source) {
  const core::Result<JsonDocument> document = JsonDocument::parse(json, kKeyNames);
  if (document) return read_workload(*document, source);
  core::Faults faults = document.faults();
  for (core::Fault& fault : faults) fault.where = source + fault.where;
  return faults;
}

}  // namespace parley::workloads
