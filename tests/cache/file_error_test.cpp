#include "cache/file_error.hpp"

#include <cerrno>
#include <doctest/doctest.h>

namespace archway::cache {
namespace {

TEST_CASE("a disk's error tells the client whether it is full, and the log everything") {
  struct Row {
    const char* why;
    int number;
    bool full;
  };
  const Row rows[] = {{"no space", ENOSPC, true},
                      {"a quota", EDQUOT, true},
                      {"a limit of the file's size", EFBIG, true},
                      {"a failing disk", EIO, false},
                      {"a read-only disk", EROFS, false}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto error = storage_error("write fills/x", row.number);
    CHECK(error.code == Errc::storage_failed);
    CHECK(error.origin == Origin::storage);
    CHECK((error.message.find("full") != std::string::npos) == row.full);
    CHECK(says_full(error) == row.full);
    CHECK(error.message.find("fills/") == std::string::npos);
    CHECK(error.context == std::string(row.full ? "full: " : "") +
                               "cannot write fills/x: " + errno_text(row.number));
  }
}

TEST_CASE("an error at the start says in its message what failed and why") {
  const auto error = open_error("write /var/cache/archway/lock", errno_text(EACCES));
  CHECK(error.code == Errc::storage_failed);
  CHECK(error.message ==
        "The cache cannot be opened: cannot write /var/cache/archway/lock: Permission denied");
}

}  // namespace
}  // namespace archway::cache
