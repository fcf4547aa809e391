#include "exec/current_task.h"

namespace parley::exec {
namespace {

thread_local std::string_view current;

}  // namespace

CurrentTask::CurrentTask(std::string_view name) { current = name; }
CurrentTask::~CurrentTask() { current = {}; }
std::string_view CurrentTask::here() { return current; }

}  // namespace parley::exec
