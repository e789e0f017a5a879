#include "resolver/image_reference.hpp"

#include <doctest/doctest.h>
#include <string>

using archway::Errc;
using archway::resolver::parse_image;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("an image as people write it becomes its full name") {
  struct Row {
    std::string why;
    std::string text;
    std::string want;
  };
  const Row rows[] = {
      {"a word", "golang", "docker.io/library/golang:latest"},
      {"with a tag", "golang:1.22", "docker.io/library/golang:1.22"},
      {"by digest", "golang@" + digest, "docker.io/library/golang@" + digest},
      {"tag and digest: the digest", "golang:1.22@" + digest, "docker.io/library/golang@" + digest},
      {"a user's", "user/app@" + digest, "docker.io/user/app@" + digest},
      {"several slashes", "a/b/c:1", "docker.io/a/b/c:1"},
      {"written out", "docker.io/library/golang:1.22", "docker.io/library/golang:1.22"},
      {"half written out", "docker.io/golang", "docker.io/library/golang:latest"},
      {"Hub's old name", "index.docker.io/golang", "docker.io/library/golang:latest"},
      {"Hub's host", "registry-1.docker.io/user/app", "docker.io/user/app:latest"},
      {"another registry", "ghcr.io/org/app:1", "ghcr.io/org/app:1"},
      {"another registry, one word", "quay.io/app", "quay.io/app:latest"},
      {"with a port", "registry.lan:5000/app:1", "registry.lan:5000/app:1"},
      {"with a port, no tag", "registry.lan:5000/app", "registry.lan:5000/app:latest"},
      {"a port alone makes it one", "registry:5000/app", "registry:5000/app:latest"},
      {"localhost", "localhost/app", "localhost/app:latest"},
      {"localhost with a port", "localhost:5000/app:1", "localhost:5000/app:1"},
      {"localhost without a slash is a name", "localhost:5000", "docker.io/library/localhost:5000"},
      {"an address", "10.0.0.5:5000/app", "10.0.0.5:5000/app:latest"},
      {"an IPv6 address", "[::1]:5000/app:1", "[::1]:5000/app:1"},
      {"capitals in a host", "GHCR.io/org/app", "ghcr.io/org/app:latest"},
      {"capitals in a tag", "golang:RC", "docker.io/library/golang:RC"},
      {"a dot in the second part", "user/app.v1:2", "docker.io/user/app.v1:2"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto image = parse_image(row.text);
    REQUIRE(image);
    CHECK(image->str() == row.want);
    CHECK(parse_image(image->str())->str() == row.want);
  }
}

TEST_CASE("what is no image is told why") {
  struct Row {
    std::string why;
    std::string text;
    Errc code;
    std::string says;
  };
  const Row rows[] = {
      {"nothing", "", Errc::name_invalid, "it is empty"},
      {"no repository", "ghcr.io/", Errc::name_invalid, "it is empty"},
      {"only a tag", ":1", Errc::name_invalid, "it is empty"},
      {"capitals", "Golang", Errc::name_invalid, "lower-case"},
      {"capitals in an organisation", "Org/app", Errc::name_invalid, "lower-case"},
      {"two slashes", "a//b", Errc::name_invalid, "between slashes"},
      {"a slash first", "/app", Errc::name_invalid, "between slashes"},
      {"a colon in a part between", "a/b:1/c", Errc::name_invalid, "not a repository name"},
      {"an empty tag", "golang:", Errc::name_invalid, "not a tag"},
      {"two tags", "golang:1:2", Errc::name_invalid, "lower-case"},
      {"a bad tag beside a digest", "golang:-@" + digest, Errc::name_invalid, "not a tag"},
      {"no digest", "golang@", Errc::digest_invalid, ""},
      {"a digest of nothing known", "golang@md5:aa", Errc::digest_invalid, ""},
      {"two digests", "golang@" + digest + "@" + digest, Errc::digest_invalid, ""},
      {"a scheme", "https://ghcr.io/org/app", Errc::name_invalid, "\"https:\" is not a registry"},
      {"a host that is none", "-.lan/app", Errc::name_invalid, "is not a registry"},
      {"a port that is none", "registry.lan:0/app", Errc::name_invalid, "is not a registry"},
      {"a query in the host", "registry.lan?x/app", Errc::name_invalid, "is not a registry"},
      {"white space", "registry.lan /app", Errc::name_invalid, "is not a registry"},
      {"too long", std::string(256, 'a'), Errc::name_invalid, "longer than 255"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto image = parse_image(row.text);
    REQUIRE(!image);
    CHECK(image.error().code == row.code);
    CAPTURE(image.error().message);
    CHECK(image.error().message.find(row.says) != std::string::npos);
  }
}
