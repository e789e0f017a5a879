#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace archway::metrics {

/// Puts whole lines into a file descriptor that it does not own, and never waits for its reader: a
/// line that a full pipe, a stopped terminal or a full disk does not take is dropped and counted.
///
/// Its mode is left alone (O_NONBLOCK would reach every process that shares the descriptor): it is
/// asked by poll(2) first, and lines are short enough for a pipe to take them whole
/// (line_bytes_max).
///
/// Threads: any.
class LineWriter {
 public:
  explicit LineWriter(int fd);

  /// `line` ends with its newline.
  void write(std::string_view line) noexcept;

  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  /// The descriptor is a terminal.
  bool is_terminal() const noexcept { return terminal_; }

 private:
  bool put(std::string_view bytes) noexcept;

  const int fd_;
  const bool socket_;
  const bool terminal_;
  std::mutex mutex_;
  bool cut_ = false;  ///< the last line went out without its end
  std::atomic<std::uint64_t> dropped_ = 0;
};

}  // namespace archway::metrics
