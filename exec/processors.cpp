#include "exec/processors.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

namespace parley::exec {
namespace {

std::vector<int> allowed_numbers() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> numbers;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return numbers;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) numbers.push_back(i);
  }
  return numbers;
}

/// Whether the system took it.
bool allow(std::span<const int> numbers) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int number : numbers) CPU_SET(number, &set);
  return !numbers.empty() && sched_setaffinity(0, sizeof(set), &set) == 0;
}

/// The first number of a list like "0-1" or "0,16"; `fallback` where the system does not say.
int first_sibling(int processor, int fallback) {
  std::ifstream list("/sys/devices/system/cpu/cpu" + std::to_string(processor) +
                     "/topology/thread_siblings_list");
  int first = fallback;
  return list >> first ? first : fallback;
}

}  // namespace

std::vector<Processor> allowed_processors() {
  std::vector<Processor> processors;
  for (const int number : allowed_numbers()) {
    processors.push_back({number, first_sibling(number, number)});
  }
  return processors;
}

std::vector<int> spread(std::span<const Processor> allowed, int current, std::size_t count) {
  const std::size_t size = allowed.size();
  if (count == 0 || 2 * count > size) return {};
  const auto here = std::ranges::find(allowed, current, &Processor::number);
  const auto start =
      here == allowed.end() ? std::size_t{0} : static_cast<std::size_t>(here - allowed.begin());
  const bool all_alone = std::ranges::all_of(
      allowed, [](const Processor& processor) { return processor.core == processor.number; });
  std::vector<int> chosen;
  std::vector<int> cores;
  for (std::size_t i = 0; i < size && chosen.size() < count; i += all_alone ? 2 : 1) {
    const Processor& processor = allowed[(start + i) % size];
    if (std::ranges::find(cores, processor.core) != cores.end()) continue;
    cores.push_back(processor.core);
    chosen.push_back(processor.number);
  }
  if (chosen.size() < count) chosen.clear();
  return chosen;
}

int current_processor() { return sched_getcpu(); }

ThreadBinding ThreadBinding::to(int processor) {
  ThreadBinding binding;
  std::vector<int> before = allowed_numbers();
  if (allow({&processor, 1})) binding.before_ = std::move(before);
  return binding;
}

ThreadBinding ThreadBinding::to_others_than(std::span<const int> processors) {
  ThreadBinding binding;
  std::vector<int> before = allowed_numbers();
  std::vector<int> others;
  std::ranges::copy_if(before, std::back_inserter(others), [&](int number) {
    return std::ranges::find(processors, number) == processors.end();
  });
  if (allow(others)) binding.before_ = std::move(before);
  return binding;
}

ThreadBinding::ThreadBinding(ThreadBinding&& other) noexcept
    : before_(std::exchange(other.before_, std::nullopt)) {}

ThreadBinding& ThreadBinding::operator=(ThreadBinding&& other) noexcept {
  std::swap(before_, other.before_);
  return *this;
}

ThreadBinding::~ThreadBinding() {
  if (before_) allow(*before_);
}

}  // namespace parley::exec
