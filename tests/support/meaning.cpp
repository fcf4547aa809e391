#include "tests/support/meaning.h"

#include <algorithm>

#include "core/base/check.h"
#include "tests/support/geometry.h"

namespace parley::test {

using namespace core;  // NOLINT

std::uint64_t digest_of(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::byte byte : bytes) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3U;
  }
  return hash;
}

std::string version_text(const Program& program, Version version) {
  if (version == kNoVersion) return "garbage";
  if (version == kInitialVersion) return "the initial contents";
  return "the version of " + std::string(program.task_name(writer_of(version)));
}

Meaning::Meaning(const Program& program) : program_(&program), execution_(program, registry_) {
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const Array& array = program.array(ArrayId(i));
    std::size_t elements = 1;
    for (const std::int64_t extent : array.spec.shape) {
      elements *= static_cast<std::size_t>(extent);
    }
    const bool has_contents = array.spec.initial.kind != Initial::Kind::kNone;
    latest_.push_back(std::vector<Version>(elements, has_contents ? kInitialVersion : kNoVersion));
    const std::span<const std::byte> bytes = execution_.array(ArrayId(i));
    initial_.push_back({bytes.begin(), bytes.end()});
  }
  extend();
}

bool Meaning::may_run(TaskId task) const {
  const std::span<const TaskId> before = program_->dependencies(task);
  return std::all_of(before.begin(), before.end(), [&](TaskId on) {
    return on.index() < tasks_.size() && tasks_[on.index()].is_done;
  });
}

void Meaning::extend() {
  for (std::size_t i = tasks_.size(); i < program_->task_count(); ++i) waiting_.emplace_back(i);
  tasks_.resize(program_->task_count());
  // With inferred dependencies the submission order is the meaning, whatever the core infers.
  const bool is_in_order = program_->mode() != DependencyMode::kExplicit;
  for (bool has_moved = true; has_moved && !waiting_.empty();) {
    has_moved = false;
    std::erase_if(waiting_, [&](TaskId task) {
      if (!is_in_order && !may_run(task)) return false;
      run(task);
      has_moved = true;
      return true;
    });
  }
}

void Meaning::run(TaskId task) {
  TaskMeaning& meaning = tasks_[task.index()];
  meaning.is_done = true;
  const std::span<const Access> accesses = program_->accesses(task);
  meaning.accesses.resize(accesses.size());
  if (program_->task(task).kind != TaskKind::kCompute) return;
  for (const Alternative& alternative : program_->placement(program_->task(task).placement)) {
    if (alternative.kernel) has_unique_bytes_ = false;
  }
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (!reads(accesses[i].mode)) continue;
    const ArrayId array = program_->region(accesses[i].region).array;
    for (const std::int64_t element : elements_of(*program_, accesses[i].region)) {
      meaning.accesses[i].versions.push_back(last_version(array, element));
    }
  }
  execution_.run(task, 0, [&](std::size_t access, std::span<const std::byte> bytes) {
    if (reads(accesses[access].mode)) meaning.accesses[access].digest = digest_of(bytes);
  });
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (!writes(accesses[i].mode)) continue;
    AccessMeaning& access = meaning.accesses[i];
    access.written = execution_.elements(accesses[i].region);
    access.elements_written = elements_of(*program_, accesses[i].region);
    const ArrayId array = program_->region(accesses[i].region).array;
    for (const std::int64_t element : access.elements_written) {
      latest_[array][static_cast<std::size_t>(element)] = version_of(task);
    }
  }
}

std::span<const std::byte> Meaning::bytes_of(ArrayId array, std::int64_t element,
                                             Version version) const {
  const auto bytes = static_cast<std::size_t>(program_->array(array).element_bytes);
  if (version == kInitialVersion) {
    return std::span(initial_[array]).subspan(static_cast<std::size_t>(element) * bytes, bytes);
  }
  const TaskId task = writer_of(version);
  const std::span<const Access> accesses = program_->accesses(task);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (program_->region(accesses[i].region).array != array) continue;
    const AccessMeaning& access = tasks_[task.index()].accesses[i];
    const auto found =
        std::lower_bound(access.elements_written.begin(), access.elements_written.end(), element);
    if (found == access.elements_written.end() || *found != element) continue;
    const auto position = static_cast<std::size_t>(found - access.elements_written.begin());
    return std::span(access.written).subspan(position * bytes, bytes);
  }
  fail_check("a task that wrote the element", __FILE__, __LINE__,
             std::string(program_->task_name(task)) + " never wrote element " +
                 std::to_string(element) + " of " + program_->array(array).spec.name);
}

}  // namespace parley::test
