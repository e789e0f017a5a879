#include "cache/lock_file.hpp"

#include "cache/file_error.hpp"
#include "cache/paths.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace archway::cache {
namespace {

constexpr std::size_t holder_bytes_max = 320;  // A host name has at most 255.

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "an unknown host";
  return name.data();
}

/// What the holder wrote, cut at the first byte that does not belong into a message.
std::string holder(int fd) {
  std::array<char, holder_bytes_max> text{};
  const auto count = ::pread(fd, text.data(), text.size(), 0);
  std::string who;
  for (ssize_t i = 0; i < count; ++i) {
    const char c = text.at(static_cast<std::size_t>(i));
    if (c < ' ' || c > '~') break;
    who += c;
  }
  return who.empty() ? "another process" : who;
}

/// Best effort: the lock holds without it, only the message of the second process is poorer.
void write_holder(int fd) {
  const auto text = "process " + std::to_string(::getpid()) + " on " + host_name() + "\n";
  if (::ftruncate(fd, 0) != 0) return;
  [[maybe_unused]] const auto written = ::pwrite(fd, text.data(), text.size(), 0);
}

bool refuses_writers(int error) {
  return error == EROFS || error == EACCES || error == EPERM;
}

/// Somebody who could write has kept a cache here.
bool is_cache(const FileHandle& root) {
  return ::faccessat(root.get(), paths::blobs, R_OK | X_OK, AT_EACCESS) == 0;
}

Result<void> take(const FileHandle& file, short kind, const std::string& path) {
  struct flock whole {};
  whole.l_type = kind;
  whole.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_OFD_SETLK, &whole) == 0) return {};
  if (errno != EAGAIN && errno != EACCES) return open_error("lock " + path, errno_text(errno));
  auto taken = open_error("lock " + path,
                          holder(file.get()) + " uses this directory; give each archway its own");
  taken.retryable = true;
  return taken;
}

Result<DirectoryLock> share_directory(const FileHandle& root, const std::string& path) {
  auto file = std::make_unique<const FileHandle>(
      ::openat(root.get(), paths::lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file->get() < 0) return DirectoryLock{.file = nullptr, .read_only = true};
  if (const auto taken = take(*file, F_RDLCK, path); !taken && taken.error().retryable) {
    return taken.error();
  }  // Else that file system has no locks: what is only read needs none.
  return DirectoryLock{.file = std::move(file), .read_only = true};
}

}  // namespace

Result<DirectoryLock> lock_directory(const FileHandle& root,
                                     const std::filesystem::path& directory) {
  const auto path = (directory / paths::lock).string();
  auto file = std::make_unique<const FileHandle>(
      ::openat(root.get(), paths::lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file->get() < 0) {
    const int error = errno;
    if (refuses_writers(error) && is_cache(root)) return share_directory(root, path);
    return open_error("write " + path, errno_text(error));
  }
  if (const auto taken = take(*file, F_WRLCK, path); !taken) return taken.error();
  write_holder(file->get());
  return DirectoryLock{.file = std::move(file)};
}

}  // namespace archway::cache
