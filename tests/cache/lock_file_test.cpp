#include "cache/lock_file.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>

namespace archway::cache {
namespace {

std::unique_ptr<FileHandle> open_root(const testing::TempDir& dir) {
  return std::make_unique<FileHandle>(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY));
}

TEST_CASE("a directory has one holder, and the second one is told who") {
  const testing::TempDir dir;
  const auto root = open_root(dir);
  {
    const auto first = lock_directory(*root, dir.path());
    REQUIRE(first);
    const auto second = lock_directory(*root, dir.path());
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::storage_failed);
    CHECK(second.error().retryable);
    const auto& message = second.error().message;
    CHECK(message.find("process " + std::to_string(::getpid()) + " on ") != std::string::npos);
    CHECK(message.find((dir / "lock").string()) != std::string::npos);
  }
  CHECK(lock_directory(*root, dir.path()));
}

TEST_CASE("what a lock file says is never copied blindly into a message") {
  const testing::TempDir dir;
  const auto root = open_root(dir);
  const auto first = lock_directory(*root, dir.path());
  REQUIRE(first);
  testing::write_text(dir / "lock", "\x1b[2Jevil");
  CHECK(lock_directory(*root, dir.path()).error().message.find("another process") !=
        std::string::npos);
}

TEST_CASE("a left-over lock file without a holder is in nobody's way") {
  const testing::TempDir dir;
  testing::write_text(dir / "lock", "process 1 on " + std::string(500, 'x'));
  const auto root = open_root(dir);
  REQUIRE(lock_directory(*root, dir.path()));
  CHECK(testing::read_text(dir / "lock").find("xxx") == std::string::npos);
}

TEST_CASE("a link in the lock's place is refused, and its target untouched") {
  const testing::TempDir dir;
  testing::write_text(dir / "target", "precious");
  testing::fs::create_symlink(dir / "target", dir / "lock");
  const auto root = open_root(dir);
  const auto lock = lock_directory(*root, dir.path());
  REQUIRE_FALSE(lock);
  CHECK_FALSE(lock.error().retryable);
  CHECK(testing::read_text(dir / "target") == "precious");
}

}  // namespace
}  // namespace archway::cache
