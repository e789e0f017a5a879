#include "cache/blob_file.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>

namespace archway::cache {
namespace {

TEST_CASE("a file is open as long as its handle lives, and no longer") {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  {
    const FileHandle handle(fd);
    CHECK(handle.get() == fd);
    CHECK(::fcntl(fd, F_GETFD) == FD_CLOEXEC);
  }
  CHECK(::fcntl(fd, F_GETFD) == -1);
  CHECK(errno == EBADF);
}

TEST_CASE("a handle on nothing closes nothing") {
  errno = 0;
  { const FileHandle handle(-1); }
  CHECK(errno == 0);
}

}  // namespace
}  // namespace archway::cache
