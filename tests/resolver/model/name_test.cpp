#include "resolver/model/name.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using archway::Digest;
using archway::Errc;
using archway::Repository;
using archway::Tag;

TEST_CASE("names that the specification allows are repositories") {
  const std::vector<std::string> names = {
      "a",   "0",   "library/alpine", "a/b/c/d/e", "my.project/app", "a__b",
      "a_b", "a-b", "a---b",          "0-0",       "ghcr.io/x",      std::string(255, 'a')};
  for (const auto& name : names) {
    CAPTURE(name);
    const auto repository = Repository::parse(name);
    REQUIRE(repository);
    CHECK(repository->str() == name);
  }
}

TEST_CASE("names that break the grammar are refused") {
  struct Row {
    std::string why;
    std::string text;
  };
  const std::vector<Row> rows = {
      {"empty", ""},
      {"capitals", "Library/alpine"},
      {"starts with a slash", "/alpine"},
      {"ends with a slash", "alpine/"},
      {"an empty part", "library//alpine"},
      {"upwards", "library/../../etc"},
      {"a dot alone", "./alpine"},
      {"two dots", "a..b"},
      {"three underscores", "a___b"},
      {"mixed joints", "a.-b"},
      {"starts with a joint", "-a"},
      {"ends with a joint", "a_"},
      {"a colon", "registry:5000/a"},
      {"a percent sign", "a%2fb"},
      {"a backslash", "a\\b"},
      {"a space", "a b"},
      {"a NUL", std::string("a\0b", 3)},
      {"beyond ASCII", "m\xc3\xbcller"},
      {"256 characters", std::string(256, 'a')},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto repository = Repository::parse(row.text);
    REQUIRE(!repository);
    CHECK(repository.error().code == Errc::name_invalid);
    CHECK(repository.error().message.find("is not a repository name: ") != std::string::npos);
  }
}

TEST_CASE("a tag is 1 to 128 word characters, dots and dashes, the first a word character") {
  for (const std::string good : {"1", "latest", "1.22-alpine", "_x", "V1.0_RC.2-3"}) {
    CAPTURE(good);
    REQUIRE(Tag::parse(good));
    CHECK(Tag::parse(good)->str() == good);
  }
  CHECK(Tag::parse(std::string(128, 'a')));
  for (const std::string bad : {"", ".a", "-a", "a b", "a/b", "a@b", "a%20b", "\xc3\xa4"}) {
    CAPTURE(bad);
    REQUIRE(!Tag::parse(bad));
    CHECK(Tag::parse(bad).error().code == Errc::name_invalid);
  }
  CHECK(!Tag::parse(std::string(129, 'a')));
}

TEST_CASE("a reference with a colon is a digest, else a tag") {
  const auto digest = "sha256:" + std::string(64, '1');
  const auto by_digest = archway::parse_reference(digest);
  REQUIRE(by_digest);
  CHECK(std::holds_alternative<Digest>(*by_digest));
  CHECK(archway::str(*by_digest) == digest);
  const auto by_tag = archway::parse_reference("1.22");
  REQUIRE(by_tag);
  CHECK(std::holds_alternative<Tag>(*by_tag));
  CHECK(archway::str(*by_tag) == "1.22");
  CHECK(archway::parse_reference("sha256:123").error().code == Errc::digest_invalid);
  CHECK(archway::parse_reference("a/b").error().code == Errc::name_invalid);
}

TEST_CASE("an image name is written upstream first") {
  const archway::ImageName image{.upstream = "docker.io",
                                 .repository = *Repository::parse("library/golang")};
  CHECK(image.str() == "docker.io/library/golang");
}
