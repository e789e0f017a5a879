#include "cache/paths.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::cache {
namespace {

TEST_CASE("an object's files are named by its algorithm and hex alone") {
  const auto hex256 = "ab" + std::string(62, '1');
  const auto hex512 = "cd" + std::string(126, '2');
  const auto small = *Digest::parse("sha256:" + hex256);
  const auto large = *Digest::parse("sha512:" + hex512);
  CHECK(paths::blob(small) == "blobs/sha256/ab/" + hex256);
  CHECK(paths::blob(large) == "blobs/sha512/cd/" + hex512);
  CHECK(paths::blob_directory(large) == "blobs/sha512/cd");
  CHECK(paths::part(small) == "fills/sha256-" + hex256 + ".part");
  CHECK(paths::quarantined(large) == "quarantine/sha512-" + hex512);
  CHECK(paths::bad_index(1234) == "index.bad-1234");
}

}  // namespace
}  // namespace archway::cache
