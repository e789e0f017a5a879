#include "cache/directory_names.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <set>
#include <string>
#include <sys/stat.h>

namespace archway::cache {
namespace {

TEST_CASE("each entry of a directory is named once, with the directory open") {
  const testing::TempDir dir;
  std::filesystem::create_directory(dir / "some");
  for (const auto* const name : {"a", ".b", "c"}) testing::write_text(dir / "some" / name, "");
  const FileHandle root(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY));
  std::multiset<std::string> names;
  each_name(root, "some", [&](int directory, const char* name) {
    struct stat facts {};
    CHECK(::fstatat(directory, name, &facts, 0) == 0);
    names.insert(name);
    return true;
  });
  CHECK(names == std::multiset<std::string>{".b", "a", "c"});
}

TEST_CASE("who has seen enough sees no more, and what cannot be read has no names") {
  const testing::TempDir dir;
  for (const auto* const name : {"a", "b", "c"}) testing::write_text(dir / name, "");
  const FileHandle root(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY));
  int seen = 0;
  const auto stop_at_two = [&seen](int, const char*) { return ++seen < 2; };
  each_name(root, ".", stop_at_two);
  CHECK(seen == 2);
  each_name(root, "a", stop_at_two);
  each_name(root, "missing", stop_at_two);
  std::filesystem::create_directory_symlink("..", dir / "link");
  each_name(root, "link", stop_at_two);
  CHECK(seen == 2);
}

}  // namespace
}  // namespace archway::cache
