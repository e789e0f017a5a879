#include "proxy/command/pull_progress.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <utility>

namespace archway::proxy {
namespace {

constexpr std::chrono::milliseconds terminal_pause{100};
constexpr std::chrono::seconds plain_pause{10};
constexpr std::size_t bar_width = 30;

/// `part` of 100, rounded down: 100 is said of what is whole alone.
std::uint64_t percent(std::uint64_t part, std::uint64_t whole) {
  if (part >= whole) return 100;
  return static_cast<std::uint64_t>(static_cast<double>(part) / static_cast<double>(whole) * 100);
}

}  // namespace

std::string progress_bar(std::uint64_t done, std::uint64_t whole) {
  const auto share = percent(done, whole);
  const auto filled = static_cast<std::size_t>(share) * bar_width / 100;
  std::string bar(filled, '=');
  if (filled < bar_width) bar += '>';
  bar.resize(bar_width, ' ');
  const auto number = std::to_string(share);
  return "[" + bar + "] " + std::string(3 - number.size(), ' ') + number + "%";
}

PullProgress::PullProgress(std::string command, const Surroundings& surroundings,
                           const OutputOptions& options, const std::vector<Transfer>* transfers)
    : command_(std::move(command)),
      surroundings_(surroundings),
      plain_(!surroundings.err_is_terminal && !options.quiet),
      seen_(surroundings.err_is_terminal && !options.quiet),
      transfers_(transfers),
      line_(surroundings, options) {}

std::string PullProgress::text(std::chrono::duration<double> elapsed) const {
  std::uint64_t brought = 0;
  std::uint64_t whole = 0;
  std::size_t done = 0;
  for (const auto& transfer : *transfers_) {
    brought += transfer.brought;
    whole += transfer.blob.size;
    done += transfer.done ? 1 : 0;
  }
  const double seconds = std::max(elapsed.count(), 0.001);
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(brought) / seconds);
  return progress_bar(brought, whole) + "  " + std::to_string(done) + " of " +
         counted(transfers_->size(), "blob") + "  " + human_size(brought) + " of " +
         human_size(whole) + "  " + human_size(rate) + "/s";
}

void PullProgress::moved() {
  if (!plain_ && !seen_) return;
  const auto now = Clock::now();
  if (now - said_ < (seen_ ? Clock::duration(terminal_pause) : Clock::duration(plain_pause))) {
    return;
  }
  said_ = now;
  if (seen_) {
    line_.show(text(now - begun_));
  } else {
    surroundings_.err << command_ << ": " << text(now - begun_) << "\n" << std::flush;
  }
}

}  // namespace archway::proxy
