#include "exec/driver/initial.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace parley::exec {
namespace {

constexpr std::int64_t kBatchBytes = std::int64_t{1} << 30U;

/// The arrays of replicas [first, end), each array once, made by as many threads as help.
std::vector<std::vector<std::byte>> make_contents(const core::Program& program,
                                                  std::span<const core::ArrayId> arrays) {
  std::vector<std::vector<std::byte>> contents(arrays.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < arrays.size(); i = next++) {
      const core::Array& array = program.array(arrays[i]);
      contents[i].resize(static_cast<std::size_t>(array.bytes.count()));
      core::initial_bytes(array.spec, contents[i]);
    }
  };
  constexpr std::size_t kWorthAThread = std::size_t{1} << 20U;
  std::size_t bytes = 0;
  for (const core::ArrayId array : arrays) {
    bytes += static_cast<std::size_t>(program.array(array).bytes.count());
  }
  const std::size_t threads =
      std::min({static_cast<std::size_t>(std::max(1U, std::thread::hardware_concurrency())),
                arrays.size(), 1 + bytes / kWorthAThread});
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  return contents;
}

}  // namespace

void write_initial(const core::Program& program, std::span<const core::InitialReplica> replicas,
                   Backend& backend) {
  std::size_t first = 0;
  while (first < replicas.size()) {
    // A batch: as many replicas as fit, their arrays made once where several homes follow.
    std::vector<core::ArrayId> arrays;
    std::int64_t bytes = 0;
    std::size_t end = first;
    for (; end < replicas.size(); ++end) {
      const core::ArrayId array = replicas[end].array;
      if (!arrays.empty() && arrays.back() == array) continue;
      bytes += program.array(array).bytes.count();
      if (!arrays.empty() && bytes > kBatchBytes) break;
      arrays.push_back(array);
    }
    const std::vector<std::vector<std::byte>> contents = make_contents(program, arrays);
    std::size_t of = 0;
    for (; first < end; ++first) {
      if (replicas[first].array != arrays[of]) ++of;
      if (contents[of].empty()) continue;
      backend.write(replicas[first].space, replicas[first].offset.count(), contents[of]);
    }
  }
}

}  // namespace parley::exec
