#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/engine/mutation.h"
#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The first occurrence of `from` at or after line `first` becomes `to`.
std::string tampered(const std::string& journal, const std::string& from, const std::string& to,
                     std::size_t first = 3) {
  std::vector<std::string> lines = lines_of(journal);
  for (std::size_t i = first; i < lines.size(); ++i) {
    const std::size_t at = lines[i].find(from);
    if (at == std::string::npos) continue;
    lines[i].replace(at, from.size(), to);
    return joined(lines);
  }
  FAIL("nothing to tamper with: " << from);
  return {};
}

/// A journal of the pairs under little memory: copies, launches, drops.
std::string journal_of_pairs(const TemporaryFolder& folder) {
  const std::string workload = folder.file("w.json", pairs_workload());
  REQUIRE(parley({"sim", workload, "--limit", "gpu=2100kB", "--journal", folder.path("run.jsonl")})
              .code == 0);
  return contents(folder.path("run.jsonl"));
}

TEST_CASE("the journal of a run replays identically, of files and generators, under any policy") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  const std::string lesson = folder.file("l.json", lesson_workload());
  const std::vector<std::vector<std::string>> runs = {
      {lesson},
      {workload},
      {workload, "--limit", "gpu=2100kB", "--evict", "next_use"},
      {workload, "--mapper", "parla", "--window", "1", "--source", "owner"},
      {"cholesky:tiles=6,tile=256", "--mapper", "round_robin", "--prefetch", "none"},
      {"cholesky:tiles=6,tile=256", "--window", "unlimited", "--machine", "h200x2", "--states"}};
  for (const std::vector<std::string>& run : runs) {
    std::vector<std::string> words = {"sim"};
    words.insert(words.end(), run.begin(), run.end());
    words.insert(words.end(), {"--journal", folder.path("run.jsonl")});
    REQUIRE(parley(words).code == 0);
    const Said said = parley({"replay", folder.path("run.jsonl")});
    CAPTURE(said.err);
    CHECK(said.code == 0);
    CHECK(has(said.out, "identical"));
  }
}

TEST_CASE("a journal needs no other file") {
  const TemporaryFolder folder;
  const std::string journal = journal_of_pairs(folder);
  const TemporaryFolder elsewhere;
  CHECK(parley({"replay", elsewhere.file("run.jsonl", journal)}).code == 0);
}

TEST_CASE("a command that differs is shown beside the recorded one") {
  const TemporaryFolder folder;
  const std::string journal = journal_of_pairs(folder);
  const std::string path =
      folder.file("t.jsonl", tampered(journal, "\"reason\":\"prefetch\"", "\"reason\":\"fetch\""));
  const Said said = parley({"replay", path});
  CHECK(said.code == 3);
  CHECK(!has(said.out, "identical"));
  CHECK(has(said.err, "recorded"));
  CHECK(has(said.err, "replayed"));
  CHECK(has(said.err, "<- differs"));
  CHECK(has(said.err, "t.jsonl: line "));
}

TEST_CASE("journals that were changed fail, each with its cause") {
  const TemporaryFolder folder;
  const std::string journal = journal_of_pairs(folder);
  std::vector<std::string> fewer = lines_of(journal);
  fewer.resize(fewer.size() - 2);
  std::vector<std::string> cut = lines_of(journal);
  cut.back().resize(cut.back().size() / 2);
  std::string cut_off = joined(cut);
  cut_off.pop_back();
  struct Case {
    std::string text;
    int code;
    std::string message;
  };
  const Case cases[] = {
      {tampered(journal, "\"copy_done\":", "\"copy_done\":9"), 3, "is not under way"},
      {tampered(journal, "\"task_done\":", "\"copy_done\":"), 3, "is a task, not a copy"},
      {joined(fewer), 3, "before the run did"},
      {cut_off, 2, "cut off"},
      {tampered(journal, "{\"now\"", "{now"), 2, "is not JSON"},
      {tampered(journal, "\"commands\"", "\"komands\""), 2, "is no step"},
      {tampered(journal, "parley-journal", "parley-summary", 0), 2, "no journal"},
      {tampered(journal, "\"version\":1", "\"version\":2", 0), 2, "this build reads version 1"},
      {tampered(journal, "\"window\":8", "\"window\":\"x\"", 0), 2, "broken header"},
      {tampered(journal, "20000", "20001", 1), 2, "is not the one that was run"},
      {tampered(journal, "\"name\":", "\"name\":7,\"x\":", 2), 2, "line 3"},
      {"", 2, "no journal"}};
  for (const Case& changed : cases) {
    const Said said = parley({"replay", folder.file("t.jsonl", changed.text)});
    CAPTURE(said.err);
    CHECK(said.code == changed.code);
    CHECK(has(said.err, changed.message));
  }
}

TEST_CASE("a journal of a run that stopped replays up to where it stopped") {
  const TemporaryFolder folder;
  std::vector<std::string> lines = lines_of(journal_of_pairs(folder));
  lines.resize(6);
  lines.push_back(R"({"now":5,"events":[],"stopped":"broken invariant: an example"})");
  const Said said = parley({"replay", folder.file("t.jsonl", joined(lines))});
  CHECK(said.code == 0);
  CHECK(has(said.out, "3 steps"));
  CHECK(has(said.out, "broken invariant: an example"));
}

#ifdef PARLEY_FAULTS

TEST_CASE("a run that breaks a rule leaves a journal that breaks it again, until it is mended") {
  const TemporaryFolder folder;
  std::string tasks;
  for (const char* array : {"A0", "A1", "A2", "A3"}) {
    tasks += std::string(tasks.empty() ? "" : ",") + R"({"name": "write )" + array +
             R"(", "placement": "gpu:0", "inout": [")" + array + R"("], "cost": {"ns": 1000}})";
  }
  tasks += R"(, {"name": "read", "placement": "gpu:0", "in": ["A0"], "cost": {"ns": 1000}})";
  std::string program = pairs_workload();
  program.replace(program.find("\"tasks\""), std::string::npos, "\"tasks\": [" + tasks + "]}");
  const std::string workload = folder.file("w.json", program);
  const std::string journal = folder.path("run.jsonl");
  core::set_mutation(core::Mutation::kEvictDropsSoleCopy);
  const Said run = parley({"sim", workload, "--limit", "gpu=2100kB", "--check", "--journal",
                           journal, "--summary", folder.path("s.json")});
  const Said again = parley({"replay", journal});
  core::set_mutation(core::Mutation::kNone);
  CHECK(run.code == 4);
  CHECK(has(run.err, "broken invariant"));
  CHECK(folder.names() == std::vector<std::string>{"run.jsonl", "w.json"});
  CAPTURE(again.out);
  CAPTURE(again.err);
  CHECK(again.code == 4);
  CHECK(has(again.err, "the fault is still there"));
  const Said mended = parley({"replay", journal});
  CHECK(mended.code == 0);
  CHECK(has(mended.out, "the fault does not occur any more"));
}

#endif

}  // namespace
}  // namespace parley::cli
