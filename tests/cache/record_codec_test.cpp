#include "cache/record_codec.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <functional>
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
    const BlobRecord blob{
        .size = std::numeric_limits<std::uint64_t>::max(), .arrived_at = -1, .checked_at = -2};
    CHECK(codec::read_blob(key, codec::write(key, blob)) == blob);
    const TagRecord record{.digest = digest, .checked_at = 1'800'000'000};
    const auto tag_key = codec::tag_key(golang, tag("1.22"));
    const auto value = codec::write_tag(tag_key, golang, tag("1.22"), record);
    CHECK(codec::read_tag(tag_key, value, golang, tag("1.22")) == record);
    const auto grant_key = codec::grant_key(golang, digest);
    for (const char* platform : {"", "linux/arm/v7", "windows(10.0.20348.1+win32k)/amd64"}) {
      for (const auto proof : {Proof::named, Proof::given}) {
        const GrantRecord grant{.granted_at = 77, .platform = platform, .proof = proof};
        const auto bytes = codec::write_grant(grant_key, golang, digest, grant);
        CHECK(codec::read_grant(grant_key, bytes, golang, digest) == grant);
      }
    }
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
  struct Row {
    const char* why;
    std::string value;
    std::function<bool(const std::string&)> reads;
  };
  const auto golang = image("library/golang");
  const auto digest = codec::digest_key(small);
  const auto tagged = codec::tag_key(golang, tag("1.22"));
  const auto granted = codec::grant_key(golang, small);
  const Row rows[] = {
      {"the header", codec::write("header", codec::Header{.clean = true, .boot_id = "boot"}),
       [](auto& bytes) { return codec::read_header("header", bytes).has_value(); }},
      {"a number", codec::write_number("n", 7),
       [](auto& bytes) { return codec::read_number("n", bytes).has_value(); }},
      {"a manifest", codec::write(digest, ManifestRecord{.media_type = "m", .bytes = "{}"}),
       [&](auto& bytes) { return codec::read_manifest(digest, bytes).has_value(); }},
      {"a blob", codec::write(digest, BlobRecord{.size = 5, .arrived_at = 6, .checked_at = 7}),
       [&](auto& bytes) { return codec::read_blob(digest, bytes).has_value(); }},
      {"a tag", codec::write_tag(tagged, golang, tag("1.22"), {.digest = small}),
       [&](auto& b) { return codec::read_tag(tagged, b, golang, tag("1.22")).has_value(); }},
      {"a grant",
       codec::write_grant(granted, golang, small, {.granted_at = 1, .platform = "linux/arm64"}),
       [&](auto& bytes) { return codec::read_grant(granted, bytes, golang, small).has_value(); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    REQUIRE(row.reads(row.value));
    testing::check_no_damage_is_read(row.value, row.reads);
  }
}

TEST_CASE("a header of another format reads as nothing") {
  const auto reads = [](std::uint32_t format) {
    return codec::read_header(codec::header_key(), testing::header_of_format(format)).has_value();
  };
  CHECK(reads(codec::index_format));
  CHECK_FALSE(reads(codec::index_format - 1));
  CHECK_FALSE(reads(codec::index_format + 1));
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
  const auto grant = codec::write_grant(grant_key, image("a"), small, {.granted_at = 1});
  CHECK_FALSE(codec::read_grant(grant_key, grant, image("a"), large));
  CHECK_FALSE(codec::read_grant(grant_key, grant, image("b"), small));
}

}  // namespace
}  // namespace archway::cache
