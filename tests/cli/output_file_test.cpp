#include "cli/output_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

struct Screen {
  std::ostringstream out, err;
  Terminal terminal{out, err};
};

TEST_CASE("a file appears when it is committed, and nothing is left beside it") {
  const TemporaryFolder folder;
  Screen screen;
  auto file = OutputFile::create(folder.path("a.txt"), screen.terminal);
  REQUIRE(file);
  (*file)->stream() << "text";
  CHECK(!std::filesystem::exists(folder.path("a.txt")));
  (*file)->commit();
  file->reset();
  CHECK(contents(folder.path("a.txt")) == "text");
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("a file that is not committed leaves the old one as it was") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.txt", "old");
  Screen screen;
  {
    auto file = OutputFile::create(path, screen.terminal);
    REQUIRE(file);
    (*file)->stream() << "new";
  }
  CHECK(contents(path) == "old");
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("a link keeps leading to its file, which gets the text") {
  const TemporaryFolder folder;
  const std::string target = folder.file("target", "old");
  std::filesystem::create_symlink(target, folder.path("link"));
  Screen screen;
  auto file = OutputFile::create(folder.path("link"), screen.terminal);
  REQUIRE(file);
  (*file)->stream() << "new";
  (*file)->commit();
  CHECK(std::filesystem::is_symlink(folder.path("link")));
  CHECK(contents(target) == "new");
}

TEST_CASE("paths that cannot be written are faults before anything is written") {
  const TemporaryFolder folder;
  Screen screen;
  for (const std::string& path :
       {folder.path(""), folder.path("no/such/folder/a"), std::string("/proc/nothing/a")}) {
    const auto file = OutputFile::create(path, screen.terminal);
    REQUIRE(!file);
    CHECK(has(file.faults().front().what, "cannot be written"));
    CHECK(file.faults().front().where == path);
  }
}

TEST_CASE("a full disk is a failure, told with the file's name") {
  if (!std::filesystem::exists("/dev/full")) return;  // no such device on this system
  Screen screen;
  auto file = OutputFile::create("/dev/full", screen.terminal);
  REQUIRE(file);
  (*file)->stream() << std::string(1000, 'x');
  CHECK_THROWS_AS((*file)->commit(), EnvironmentFailure);
}

TEST_CASE("- is the terminal") {
  Screen screen;
  auto file = OutputFile::create("-", screen.terminal);
  REQUIRE(file);
  (*file)->stream() << "text";
  (*file)->commit();
  CHECK(screen.out.str() == "text");
}

}  // namespace
}  // namespace parley::cli
