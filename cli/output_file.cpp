#include "cli/output_file.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace parley::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::streamsize kBufferBytes = 1 << 18;

std::string reason(int error) { return std::generic_category().message(error); }

/// A name that neither another process nor another thread uses.
std::string name_beside(const std::string& target) {
  static std::atomic<unsigned> counter{0};
  return target + ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
}

}  // namespace

core::Result<std::unique_ptr<OutputFile>> OutputFile::create(const std::string& path,
                                                             Terminal& terminal) {
  std::unique_ptr<OutputFile> file(new OutputFile);
  file->path_ = path;
  if (path == "-") {
    file->stream_ = &terminal.out;
    return file;
  }
  std::error_code error;
  file->target_ = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error).string() : path;
  const fs::file_status status = fs::status(file->target_, error);
  if (fs::is_directory(status)) return core::Fault{path, "cannot be written: is a directory"};
  const bool is_special = fs::exists(status) && !fs::is_regular_file(status);
  if (!is_special) {
    if (fs::exists(status) && ::access(file->target_.c_str(), W_OK) != 0) {
      return core::Fault{path, "cannot be written: " + reason(errno)};
    }
    file->partial_ = name_beside(file->target_);
  }
  file->buffer_ = std::make_unique<char[]>(static_cast<std::size_t>(kBufferBytes));
  file->file_.rdbuf()->pubsetbuf(file->buffer_.get(), kBufferBytes);
  errno = 0;
  file->file_.open(is_special ? file->target_ : file->partial_, std::ios::binary);
  if (!file->file_) {
    file->partial_.clear();
    return core::Fault{path, "cannot be written: " + reason(errno)};
  }
  file->stream_ = &file->file_;
  return file;
}

OutputFile::~OutputFile() {
  if (partial_.empty()) return;
  file_.close();
  std::error_code ignored;  // a destructor has nobody to tell
  fs::remove(partial_, ignored);
}

void OutputFile::fail(const std::string& action, int error) {
  throw EnvironmentFailure(path_ + ": " + action + ": " +
                           (error == 0 ? "write error" : reason(error)));
}

void OutputFile::restart() {
  if (!can_restart()) return;
  file_.close();
  file_.clear();  // what could not be written before may be possible now
  errno = 0;
  file_.open(partial_, std::ios::binary | std::ios::trunc);
  if (!file_) fail("cannot be written", errno);
}

void OutputFile::commit() {
  errno = 0;
  stream_->flush();
  if (!*stream_) fail("cannot be written", errno);
  if (stream_ != &file_) return;
  file_.close();
  if (!file_) fail("cannot be written", errno);
  if (partial_.empty()) return;
  std::error_code error;
  fs::rename(partial_, target_, error);
  if (error) fail("cannot take its place", error.value());
  partial_.clear();
}

}  // namespace parley::cli
