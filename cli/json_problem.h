// What the JSON library found, for messages.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace parley::cli {

/// "key 'now' not found": without the library's own name and number of it.
inline std::string json_problem(const nlohmann::json::exception& problem) {
  const std::string text = problem.what();
  const std::size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

}  // namespace parley::cli
