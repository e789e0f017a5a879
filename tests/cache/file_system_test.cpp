#include "cache/file_system.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;

Options on(const testing::TempDir& dir, std::optional<unsigned long> magic) {
  return {.directory = dir.path() / "cache",
          .magic_of = [magic](const FileHandle&) { return magic; }};
}

TEST_CASE("a cache on a file system that other machines share is refused, with what to do") {
  struct Row {
    const char* name;
    unsigned long magic;
  };
  for (const auto& row : {Row{"NFS", 0x6969}, Row{"CIFS", 0xFF534D42}, Row{"SMB", 0xFE534D42},
                          Row{"SMB", 0x517B}, Row{"AFS", 0x5346414F}}) {
    CAPTURE(row.name);
    const testing::TempDir dir;
    const auto cache = Cache::open(on(dir, row.magic), nullptr);
    REQUIRE_FALSE(cache);
    // What a process ends with 78 for.
    CHECK(cache.error().code == Errc::configuration_invalid);
    CHECK_FALSE(cache.error().retryable);
    CHECK(cache.error().message ==
          "The cache cannot be kept in " + (dir.path() / "cache").string() + ", which is on " +
              row.name +
              ": other machines may write to it, and the index is mapped into memory. Give "
              "cache.directory a local disk.");
    CHECK_FALSE(fs::exists(dir / "cache/index"));
    CHECK_FALSE(fs::exists(dir / "cache/lock"));
  }
}

TEST_CASE("on FAT the cache is relaxed: it does not sync what keeps no order anyway") {
  CHECK(traits_of(0x4d44).keeps_no_order);
  CHECK(traits_of(0x2011BAB0).keeps_no_order);
  const testing::TempDir dir;
  CHECK(Cache::open(on(dir, 0x4d44), nullptr));
}

TEST_CASE("every other file system, and one that says nothing, has its cache") {
  const testing::TempDir dir;
  CHECK(traits_of(0xEF53).name.empty());  // ext4
  CHECK(Cache::open(on(dir, std::nullopt), nullptr));
  const FileHandle here(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(file_system_magic(here));
  CHECK_FALSE(traits_of(*file_system_magic(here)).shared);
  CHECK_FALSE(file_system_magic(FileHandle(-1)));
}

}  // namespace
}  // namespace archway::cache
