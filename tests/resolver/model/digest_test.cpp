#include "resolver/model/digest.hpp"

#include <doctest/doctest.h>
#include <string>
#include <unordered_set>
#include <vector>

using archway::Digest;
using archway::Errc;

namespace {

std::string hex(std::size_t digits, char c = 'a') {
  return std::string(digits, c);
}

}  // namespace

TEST_CASE("a digest's text survives reading and writing") {
  for (const auto& text : {"sha256:" + hex(62) + "0f", "sha512:" + hex(126) + "90"}) {
    CAPTURE(text);
    const auto digest = Digest::parse(text);
    REQUIRE(digest);
    CHECK(digest->str() == text);
    CHECK(digest->str() == std::string(digest->algorithm_name()) + ":" + digest->hex());
    CHECK(digest->bytes().size() * 2 == digest->hex().size());
    CHECK(digest->bytes()[0] == 0xaa);
  }
}

TEST_CASE("a text that is no digest is refused and told why") {
  struct Row {
    std::string why;
    std::string text;
    const char* says;
  };
  const std::vector<Row> rows = {
      {"empty", "", "expected sha256:<64 hex digits>"},
      {"no algorithm", hex(64), "expected sha256:<64 hex digits>"},
      {"an algorithm nobody should trust", "md5:" + hex(32), "known here are sha256 and sha512"},
      {"algorithm in capitals", "SHA256:" + hex(64), "known here are sha256 and sha512"},
      {"a compound algorithm", "sha256+b64:" + hex(64), "known here are sha256 and sha512"},
      {"one digit short", "sha256:" + hex(63), "63 characters behind the colon, 64 are needed"},
      {"one digit long", "sha256:" + hex(65), "65 characters behind the colon, 64 are needed"},
      {"sha512 of sha256's length", "sha512:" + hex(64), "128 are needed"},
      {"hex in capitals", "sha256:" + hex(64, 'A'), "only 0-9 and a-f may stand there"},
      {"a letter behind f", "sha256:" + hex(64, 'g'), "only 0-9 and a-f may stand there"},
      {"a path", "sha256:../../../../etc/passwd" + hex(42), "only 0-9 and a-f"},
      {"a NUL", std::string("sha256:") + hex(63) + std::string(1, '\0'), "only 0-9 and a-f"},
      {"a line break behind", "sha256:" + hex(64) + "\n", "65 characters"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto digest = Digest::parse(row.text);
    REQUIRE(!digest);
    CHECK(digest.error().code == Errc::digest_invalid);
    CHECK(digest.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("the message for a digest echoes only the front of a long text") {
  CHECK(Digest::parse(std::string(100'000, 'x')).error().message.size() < 300);
}

TEST_CASE("a raw hash becomes a digest when its length is the algorithm's") {
  const std::vector<std::uint8_t> raw(32, 0xab);
  const auto digest = Digest::of(Digest::Algorithm::sha256, raw);
  REQUIRE(digest);
  CHECK(digest->hex().substr(0, 4) == "abab");
  CHECK(!Digest::of(Digest::Algorithm::sha512, raw));
  CHECK(!Digest::of(Digest::Algorithm::sha256, std::vector<std::uint8_t>(64, 1)));
}

TEST_CASE("digests are told apart by algorithm and by hash") {
  const auto a = *Digest::parse("sha256:" + hex(64, 'a'));
  const auto b = *Digest::parse("sha256:" + hex(64, 'b'));
  const auto long_a = *Digest::parse("sha512:" + hex(128, 'a'));
  CHECK(a == *Digest::parse(a.str()));
  CHECK(a != b);
  CHECK(a != long_a);
  CHECK(a < b);
  CHECK(std::unordered_set<Digest>{a, b, long_a, a}.size() == 3);
}
