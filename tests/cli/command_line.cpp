#include "tests/cli/command_line.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/run_cli.h"

namespace parley::cli {

namespace fs = std::filesystem;

Said parley(const std::vector<std::string>& words) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_cli(words, out, err);
  return {code, out.str(), err.str()};
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "parley-test-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string TemporaryFolder::file(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name, std::ios::binary) << text;
  return path(name);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string lesson_workload() {
  return R"({"format": "parley-workload", "version": 1, "name": "increment",
    "dependencies": "explicit",
    "arrays": [{"name": "A", "shape": [5], "init": {"fill": 1}}],
    "tasks": [
      {"name": "T[0]", "placement": "gpu:0", "in": ["A"], "show": ["A"],
       "kernel": {"name": "none"}, "cost": {"ns": 1000}},
      {"name": "T[1]", "after": ["T[0]"], "placement": "gpu:0", "inout": ["A"], "show": ["A"],
       "kernel": {"name": "add_scalar", "value": 1}, "cost": {"ns": 1000}},
      {"name": "T[2]", "after": ["T[0:2]"], "placement": "gpu:0", "inout": ["A"], "show": ["A"],
       "kernel": {"name": "none"}, "cost": {"ns": 1000}}]})";
}

std::string pairs_workload() {
  std::string arrays;
  std::string tasks;
  for (int i = 0; i < 4; ++i) {
    const std::string n = std::to_string(i);
    const std::string comma = i == 0 ? "" : ",";
    arrays += comma + R"({"name": "A)" + n + R"(", "shape": [131072], "init": {"fill": 1}})";
    tasks += comma + R"({"name": "w[)" + n + R"(]", "placement": "gpu", "inout": ["A)" + n +
             R"("], "cost": {"ns": 20000}}, {"name": "r[)" + n + R"(]", "placement": "gpu:1",
             "in": ["A)" +
             n + R"(", "A0"], "cost": {"ns": 30000}})";
  }
  return R"({"format": "parley-workload", "version": 1, "name": "pairs", "arrays": [)" + arrays +
         R"(], "tasks": [)" + tasks + "]}";
}

}  // namespace parley::cli
