#include "tests/cli/child_process.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

extern char** environ;  // NOLINT: POSIX

namespace parley::cli {
namespace {

/// Named by the environment, or beside this program.
std::string parley_binary() {
  if (const char* named = std::getenv("PARLEY_BINARY")) return named;
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "parley").string();
}

/// As exec and its like take them: null at the end.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// This process's variables but those in `others`, which come first.
std::vector<std::string> environment_with(std::vector<std::string> others) {
  const std::size_t given = others.size();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::string name = text.substr(0, text.find('=') + 1);
    const auto end = others.begin() + static_cast<std::ptrdiff_t>(given);
    const bool is_replaced = std::any_of(
        others.begin(), end, [&](const std::string& other) { return other.starts_with(name); });
    if (!is_replaced) others.push_back(text);
  }
  return others;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& words, const std::string& error_file,
                           const std::vector<std::string>& environment) {
  std::vector<std::string> command = words;
  command.insert(command.begin(), parley_binary());
  const std::vector<char*> arguments = pointers_to(command);
  std::vector<std::string> variables = environment_with(environment);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error_file.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int error = ::posix_spawn(&process_, arguments[0], &actions, nullptr, arguments.data(),
                                  pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  pipe_ = ends[0];
  if (error != 0) throw std::runtime_error(command.front() + " cannot be run");
}

ChildProcess::~ChildProcess() {
  if (ended_ < 0 && process_ > 0) {
    ::kill(process_, SIGKILL);
    wait();
  }
  if (pipe_ >= 0) ::close(pipe_);
}

bool ChildProcess::read_some() {
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t count = ::read(pipe_, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    output_.append(part.data(), static_cast<std::size_t>(count));
    return true;
  }
}

bool ChildProcess::read_until(const std::string& part) {
  while (output_.find(part) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

const std::string& ChildProcess::read_all() {
  while (read_some()) {
  }
  return output_;
}

void ChildProcess::signal(int number) const { ::kill(process_, number); }

void ChildProcess::note_end(int status) {
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ChildProcess::signal_until_it_ends(int number) {
  int status = 0;
  while (::waitpid(process_, &status, WNOHANG) == 0) {
    ::kill(process_, number);
    ::sched_yield();
  }
  note_end(status);
}

int ChildProcess::wait() {
  int status = 0;
  while (ended_ < 0) {
    if (::waitpid(process_, &status, 0) == process_) note_end(status);
  }
  return ended_;
}

}  // namespace parley::cli
