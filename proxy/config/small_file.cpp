#include "proxy/config/small_file.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string.h>  // explicit_bzero is the C library's own
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace archway::proxy {
namespace {

Error refused(const std::filesystem::path& path, const std::string& why) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "the file " + path.string() + " " + why};
}

Error refused_by_system(const std::filesystem::path& path, int error) {
  if (error == ENOENT || error == ENOTDIR) return refused(path, "does not exist");
  return refused(path, "cannot be read: " + std::generic_category().message(error));
}

/// Closes what it holds.
struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// Overwrites what it is given when it goes.
struct Wiped {
  char* data;
  std::size_t size;
  Wiped(char* given, std::size_t bytes) : data(given), size(bytes) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { ::explicit_bzero(data, size); }
};

}  // namespace

Result<SmallFile> read_small_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return refused_by_system(path, errno);
  struct stat status = {};
  if (::fstat(file.fd, &status) != 0) return refused_by_system(path, errno);
  if (S_ISDIR(status.st_mode)) return refused(path, "is a folder");

  SmallFile result{.text = {},
                   .others_read = S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0};
  std::array<char, 16384> buffer{};
  const Wiped wiped(buffer.data(), buffer.size());  // It may have been a secret.
  for (;;) {
    const ssize_t n = ::read(file.fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refused_by_system(path, errno);
    if (n == 0) return result;
    result.text.append(buffer.data(), static_cast<std::size_t>(n));
    if (result.text.size() > bytes_max) {
      return refused(path, "is larger than " + std::to_string(bytes_max) + " bytes");
    }
  }
}

}  // namespace archway::proxy
