#include "proxy/admin/image_name.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const std::string hash = "sha256:" + std::string(64, 'a');

resolver::UpstreamNames names() {
  return {.entries = {{.name = "docker.io", .aliases = {"index.docker.io"}, .adds_library = true},
                      {.name = "hub"},
                      {.name = "registry.lan:5000"}},
          .default_name = "hub"};
}

TEST_CASE("images are read as on a command line, but upstreams' names stand for themselves") {
  struct Row {
    const char* why;
    std::string text;
    std::string want;
    bool known = true;
  };
  for (const auto& row : std::vector<Row>{
           {"one word", "golang", "docker.io/library/golang"},
           {"a tag", "golang:1.22", "docker.io/library/golang:1.22"},
           {"a digest", "golang@" + hash, "docker.io/library/golang@" + hash},
           {"both", "golang:1.22@" + hash, "docker.io/library/golang@" + hash},
           {"two words", "me/app", "docker.io/me/app"},
           {"in full", "docker.io/me/app:1", "docker.io/me/app:1"},
           {"in full, one word", "docker.io/golang", "docker.io/library/golang"},
           {"another name of it", "index.docker.io/me/app", "docker.io/me/app"},
           {"an upstream that looks like an organisation", "hub/app:1", "hub/app:1"},
           {"a port", "registry.lan:5000/app", "registry.lan:5000/app"},
           {"a port and a tag", "registry.lan:5000/a/b:2", "registry.lan:5000/a/b:2"},
           {"a registry that is not configured", "ghcr.io/a/b:1", "ghcr.io/a/b:1", false},
           {"another port", "registry.lan:5001/app", "registry.lan:5001/app", false},
       }) {
    CAPTURE(row.why);
    const auto named = read_image_name(row.text, names());
    REQUIRE(named);
    CHECK(named->str() == row.want);
    const auto known = read_known_image(row.text, names());
    CHECK(known.has_value() == row.known);
    if (known) CHECK(known->str() == row.want);
    if (!known) CHECK(known.error().code == Errc::name_unknown);
  }
}

TEST_CASE("what is no image is told so") {
  struct Row {
    const char* why;
    std::string text;
  };
  for (const auto& row : std::vector<Row>{
           {"nothing", ""},
           {"capitals", "docker.io/Golang"},
           {"an upstream alone", "hub/"},
           {"an empty tag", "golang:"},
           {"a tag that is none", "golang:a/b:?"},
           {"half a digest", "golang@sha256:aa"},
           {"half a digest of an upstream", "hub/app@sha256:aa"},
           {"a bad tag beside a digest", "hub/app:.@" + hash},
           {"a path out", "hub/../app"},
       }) {
    CAPTURE(row.why);
    CHECK(!read_image_name(row.text, names()));
    CHECK(!read_known_image(row.text, names()));
  }
}

}  // namespace
}  // namespace archway::proxy
