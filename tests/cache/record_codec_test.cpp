#include "cache/record_codec.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

using testing::image;
using testing::tag;

const Digest small = *Digest::parse("sha256:" + std::string(64, 'a'));
const Digest large = *Digest::parse("sha512:" + std::string(128, 'b'));

TEST_CASE("every record reads back as it was written") {
  const auto golang = image("library/golang");
  for (const auto& digest : {small, large}) {
    const auto key = codec::digest_key(digest);
    const ManifestRecord manifest{.media_type = "text/x", .bytes = std::string("{\0}", 3)};
    CHECK(codec::read_manifest(key, codec::write(key, manifest)) == manifest);
    const BlobRecord blob{.size = std::numeric_limits<std::uint64_t>::max(), .arrived_at = -1};
    CHECK(codec::read_blob(key, codec::write(key, blob)) == blob);
    const TagRecord record{.digest = digest, .checked_at = 1'800'000'000};
    const auto tag_key = codec::tag_key(golang, tag("1.22"));
    const auto value = codec::write_tag(tag_key, golang, tag("1.22"), record);
    CHECK(codec::read_tag(tag_key, value, golang, tag("1.22")) == record);
    const auto grant_key = codec::grant_key(golang, digest);
    const auto grant = codec::write_grant(grant_key, golang, digest, 77);
    CHECK(codec::read_grant(grant_key, grant, golang, digest) == 77);
  }
  const auto header_key = codec::header_key();
  const auto header = codec::write(header_key, {.clean = true, .boot_id = "boot"});
  CHECK(codec::read_header(header_key, header)->clean);
  CHECK(codec::read_header(header_key, header)->boot_id == "boot");
  CHECK(codec::read_number("n", codec::write_number("n", 1234567890123)) == 1234567890123);
}

TEST_CASE("keys fit into LMDB and differ where the things differ") {
  const std::vector<std::string> keys{
      codec::digest_key(small),
      codec::digest_key(large),
      codec::digest_key(*Digest::parse("sha256:" + std::string(64, 'b'))),
      codec::tag_key(image("a/b"), tag("c")),
      codec::tag_key(image("a"), tag("c")),
      codec::tag_key(image("a/b", "ghcr.io"), tag("c")),
      codec::tag_key(image("a", "docker.ioa"), tag("c")),
      codec::tag_key(image(std::string(255, 'a'), std::string(255, 'u')),
                     tag(std::string(128, 't'))),
      codec::grant_key(image("a/b"), small),
      codec::grant_key(image("a/b"), large),
      codec::header_key(),
      codec::blob_bytes_key(),
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(keys[i].empty());
    CHECK(keys[i].size() <= 511);
    for (std::size_t j = 0; j < i; ++j) CHECK(keys[i] != keys[j]);
  }
}

TEST_CASE("a value with a flipped bit, a piece missing or a piece too much is no record") {
  const auto golang = image("library/golang");
  const auto key = codec::tag_key(golang, tag("1.22"));
  const auto value = codec::write_tag(key, golang, tag("1.22"), {.digest = small});
  const auto reads = [&](const std::string& bytes) {
    return codec::read_tag(key, bytes, golang, tag("1.22")).has_value();
  };
  REQUIRE(reads(value));
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    CAPTURE(bit);
    auto damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    CHECK_FALSE(reads(damaged));
  }
  for (std::size_t size = 0; size < value.size(); ++size) CHECK_FALSE(reads(value.substr(0, size)));
  CHECK_FALSE(reads(value + '\0'));
}

TEST_CASE("a sound value under a key that is not its own is no record") {
  const auto key = codec::digest_key(small);
  const auto value = codec::write(key, BlobRecord{.size = 5});
  CHECK(codec::read_blob(key, value));
  CHECK_FALSE(codec::read_blob(codec::digest_key(large), value));
}

TEST_CASE("two names that share a key would not be taken for each other") {
  const auto key = codec::tag_key(image("a"), tag("t"));
  const auto value = codec::write_tag(key, image("a"), tag("t"), {.digest = small});
  CHECK_FALSE(codec::read_tag(key, value, image("b"), tag("t")));
  CHECK_FALSE(codec::read_tag(key, value, image("a", "ghcr.io"), tag("t")));
  CHECK_FALSE(codec::read_tag(key, value, image("a"), tag("u")));
  const auto grant_key = codec::grant_key(image("a"), small);
  const auto grant = codec::write_grant(grant_key, image("a"), small, 1);
  CHECK_FALSE(codec::read_grant(grant_key, grant, image("a"), large));
  CHECK_FALSE(codec::read_grant(grant_key, grant, image("b"), small));
}

}  // namespace
}  // namespace archway::cache
