#include "cli/progress_line.h"

#include "cli/report/quantities.h"

namespace parley::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::chrono::milliseconds kInterval{200};
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(Terminal& terminal, std::string unit)
    : terminal_(terminal),
      unit_(std::move(unit)),
      next_(std::chrono::steady_clock::now() + kPatience) {}

ProgressLine::~ProgressLine() {
  if (is_shown_) terminal_.err << kClearLine << std::flush;
}

void ProgressLine::update(std::size_t done, std::size_t total) {
  if (!terminal_.shows_progress) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  is_shown_ = true;
  const double share = total == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total);
  terminal_.err << kClearLine << text_of_count(done) << " of " << text_of_count(total) << ' '
                << unit_ << " (" << text_of_share(share) << ')' << std::flush;
}

}  // namespace parley::cli
