// Whether the disk answers: asked of one that is out of service.

#include "cache/blob_store.hpp"
#include "cache/paths.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace archway::cache {
namespace {

constexpr mode_t probe_mode = 0600;
constexpr std::size_t piece_bytes = 256 * 1024;

/// What is in memory says nothing about the disk.
bool forget_pages(int fd) {
  return ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
}

ssize_t read_at(int fd, char* bytes, std::size_t size, std::uint64_t offset) {
  ssize_t got = 0;
  do {
    got = ::pread(fd, bytes, size, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return got;
}

/// 0 when what was written could be read again, else an errno.
int write_and_read(int fd) {
  if (fd < 0) return errno;
  const std::string written = "archway was here at " + std::to_string(std::time(nullptr));
  const auto size = static_cast<ssize_t>(written.size());
  const auto count = ::pwrite(fd, written.data(), written.size(), 0);
  if (count != size) return count < 0 ? errno : ENOSPC;
  if (::fdatasync(fd) != 0) return errno;
  std::string read(written.size(), '\0');
  const bool right = forget_pages(fd) && read_at(fd, read.data(), read.size(), 0) == size;
  return right && read == written ? 0 : EIO;
}

/// The disk is as it should be, and takes nothing.
bool takes_nothing(int error) {
  return error == ENOSPC || error == EDQUOT || error == EROFS;
}

bool can_be_read(int fd, std::uint64_t max) {
  struct stat facts {};
  if (fd < 0 || ::fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || !forget_pages(fd)) {
    return false;
  }
  const auto end = std::min(static_cast<std::uint64_t>(facts.st_size), max);
  std::vector<char> piece(piece_bytes);
  for (std::uint64_t done = 0; done < end;) {
    const auto wanted = std::min<std::uint64_t>(piece.size(), end - done);
    const auto got = read_at(fd, piece.data(), wanted, done);
    if (got <= 0) return false;
    done += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace

bool BlobStore::answers(std::span<const Digest> unreadable) const {
  int error = EROFS;
  if (!read_only_) {
    constexpr int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    const FileHandle file(::openat(root_->get(), paths::probe, flags, probe_mode));
    error = write_and_read(file.get());
    ::unlinkat(root_->get(), paths::probe, 0);
  }
  if (!takes_nothing(error)) return error == 0;
  bool any = false;
  for (const auto& digest : unreadable) {
    if (is_missing(digest)) continue;
    any = true;
    constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    const FileHandle file(::openat(root_->get(), paths::blob(digest).c_str(), flags));
    if (can_be_read(file.get(), probed_bytes_max)) return true;
  }
  return !any;  // Only a blob could tell, and time is as good.
}

}  // namespace archway::cache
