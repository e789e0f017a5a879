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

}  // namespace

Result<std::unique_ptr<const FileHandle>> lock_directory(const FileHandle& root,
                                                         const std::filesystem::path& directory) {
  const auto path = (directory / paths::lock).string();
  auto file = std::make_unique<const FileHandle>(
      ::openat(root.get(), paths::lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file->get() < 0) return open_error("write " + path, errno_text(errno));

  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(file->get(), F_OFD_SETLK, &whole) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return open_error("lock " + path, errno_text(errno));
    }
    auto taken = open_error(
        "lock " + path, holder(file->get()) + " uses this directory; give each archway its own");
    taken.retryable = true;
    return taken;
  }
  write_holder(file->get());
  return file;
}

}  // namespace archway::cache
