#include "proxy/http/page_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

// Disks read ahead at least so much: where one page is, those around it are likely to be, too.
constexpr std::uint64_t look_bytes = 128 * 1024;
// So many windows are the disk's to have ready while the first is sent.
constexpr std::uint64_t windows_ahead = 4;
constexpr std::size_t read_bytes = 128 * 1024;

// Source: cachestat(2), Linux 6.5; the number is the same on every architecture that we build for.
#ifdef SYS_cachestat
constexpr long cachestat_call = SYS_cachestat;
#else
constexpr long cachestat_call = 451;
#endif

struct CachestatRange {
  std::uint64_t offset;
  std::uint64_t length;
};

struct Cachestat {
  std::uint64_t cached;  // Pages, also those on their way.
  std::array<std::uint64_t, 4> others;
};

/// How many pages of the part are there or on their way; nothing where the kernel does not tell.
std::optional<std::uint64_t> pages_cached(const FilePart& part) {
  CachestatRange range{.offset = part.offset, .length = part.length};
  Cachestat told{};
  if (::syscall(cachestat_call, part.file->get(), &range, &told, 0) != 0) return std::nullopt;
  return told.cached;
}

std::uint64_t pages_of(const FilePart& part) {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return (part.offset + part.length - 1) / page - part.offset / page + 1;
}

/// A byte that cannot be looked at without waiting. Where the file system does not tell, none is.
bool is_cold_at(int file, std::uint64_t offset) {
  char byte = 0;
  iovec into{.iov_base = &byte, .iov_len = 1};
  return ::preadv2(file, &into, 1, static_cast<off_t>(offset), RWF_NOWAIT) < 0 && errno == EAGAIN;
}

Result<void> read_through(const FilePart& part) {
  // Only a hint: whether it was taken shows in how long the next window takes.
  ::posix_fadvise(part.file->get(), static_cast<off_t>(part.offset),
                  static_cast<off_t>(part.length * windows_ahead), POSIX_FADV_WILLNEED);
  std::vector<char> buffer(read_bytes);
  for (std::uint64_t done = 0; done < part.length;) {
    const auto want = std::min<std::uint64_t>(part.length - done, buffer.size());
    const auto got =
        ::pread(part.file->get(), buffer.data(), want, static_cast<off_t>(part.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(std::strerror(errno));
    if (got == 0) break;  // Shorter than it was: whoever sends it finds out.
    done += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace

Error unreadable(std::string why) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = "a file of archway's cache cannot be read",
          .context = std::move(why)};
}

bool DiskPages::in_memory(const FilePart& part) {
  if (part.length == 0) return true;
  const auto last = part.offset + part.length - 1;
  if (const auto cached = pages_cached(part)) {
    // Disks answer in order: when the last one is there, those before it are.
    return *cached >= pages_of(part) && !is_cold_at(part.file->get(), last);
  }
  for (auto at = part.offset; at < last; at += look_bytes) {
    if (is_cold_at(part.file->get(), at)) return false;
  }
  return !is_cold_at(part.file->get(), last);
}

net::awaitable<Result<void>> DiskPages::bring(FilePart part) {
  const std::function<Result<void>()> work = [part] { return read_through(part); };
  co_return co_await pool_->run(work);
}

bool FileWindows::is_cold(std::uint64_t offset) {
  if (reader_ == nullptr || offset < looked_to_) return false;
  cold_ = {.file = all_.file, .offset = offset, .length = std::min(window_bytes, end_ - offset)};
  looked_to_ = offset + cold_.length;
  return !reader_->in_memory(cold_);
}

net::awaitable<Result<void>> FileWindows::bring() {
  auto brought = co_await reader_->bring(cold_);
  // Some file systems keep what they read in a memory of their own, and look cold for ever.
  if (brought && !reader_->in_memory(cold_)) reader_ = nullptr;
  co_return brought;
}

std::uint64_t FileWindows::ready(std::uint64_t offset) const {
  const auto to = reader_ == nullptr ? end_ : looked_to_;
  return std::min(window_bytes, to - offset);
}

}  // namespace archway::proxy
