// What the JSON library found, for messages.
#pragma once

#include <exception>
#include <string>

namespace parley::cli {

/// "key 'now' not found", of one of the JSON library's exceptions: without the library's own name
/// and number of it.
inline std::string json_problem(const std::exception& problem) {
  const std::string text = problem.what();
  const std::size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

}  // namespace parley::cli
