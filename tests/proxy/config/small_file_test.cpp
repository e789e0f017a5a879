#include "proxy/config/small_file.hpp"

#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("a file up to its bound is read whole, and its mode noticed") {
  const TempFolder folder;
  const std::string text(50'000, 'x');
  const auto file = read_small_file(folder.write("a", text, 0640), text.size());
  REQUIRE(file.has_value());
  CHECK(file->text == text);
  CHECK_FALSE(file->others_read);
  CHECK(read_small_file(folder.write("b", "", 0644), 0)->others_read);
}

TEST_CASE("what cannot be read is named with the reason") {
  const TempFolder folder;
  const std::string file = folder.write("a", "12345");
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  struct Row {
    const char* why;
    std::string path;
    const char* want;
  };
  const Row rows[] = {
      {"nothing there", folder.path() / "none", " does not exist"},
      {"a folder that is a file", file + "/a", " does not exist"},
      {"a folder", folder.path(), " is a folder"},
      {"too large", file, " is larger than 4 bytes"},
      {"a link to itself", folder.path() / "loop",
       " cannot be read: Too many levels of symbolic links"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto read = read_small_file(row.path, 4);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message == "the file " + row.path + row.want);
    CHECK(read.error().code == Errc::configuration_invalid);
  }
}

}  // namespace
}  // namespace archway::proxy
