#include "metrics/line_writer.hpp"

#include <cerrno>
#include <cstddef>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace archway::metrics {
namespace {

bool is_socket(int fd) noexcept {
  struct stat status = {};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

/// Regular files are always writable; for a pipe this means room for PIPE_BUF bytes.
bool is_writable_now(int fd) noexcept {
  pollfd asked{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLOUT) != 0;
}

}  // namespace

LineWriter::LineWriter(int fd) : fd_(fd), socket_(is_socket(fd)), terminal_(::isatty(fd) == 1) {}

void LineWriter::write(std::string_view line) noexcept {
  const std::lock_guard lock(mutex_);
  // What follows half a line must not look like its end.
  if (cut_ && !put("\n")) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (!put(line)) dropped_.fetch_add(1, std::memory_order_relaxed);
}

bool LineWriter::put(std::string_view bytes) noexcept {
  bool begun = false;
  while (!bytes.empty()) {
    ssize_t n = 0;
    if (socket_) {
      n = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (is_writable_now(fd_)) {
      n = ::write(fd_, bytes.data(), bytes.size());
    } else {
      n = -1;
      errno = EAGAIN;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      cut_ = cut_ || begun;
      return false;
    }
    begun = true;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  cut_ = false;
  return true;
}

}  // namespace archway::metrics
