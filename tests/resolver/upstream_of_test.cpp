#include "resolver/upstream_of.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Errc;

namespace {

const UpstreamNames names{.entries = {{.name = "docker.io",
                                       .aliases = {"index.docker.io", "registry-1.docker.io"},
                                       .adds_library = true},
                                      {.name = "ghcr.io", .hosts = {"ghcr.mirror.lan", "::1"}},
                                      {.name = "registry.lan:5000"},
                                      {.name = "hub", .aliases = {}}},
                          .default_name = "docker.io"};

archway::Result<archway::ImageName> of(const std::string& name, const std::string& ns,
                                       const std::string& host) {
  Route route{.kind = Route::Kind::manifest, .name = name};
  route.ns = ns;
  return upstream_of(route, host, names);
}

}  // namespace

TEST_CASE("path, ns, host and default say which upstream is meant, in this order") {
  struct Row {
    std::string why;
    std::string name;
    std::string ns;
    std::string host;
    std::string want;
  };
  const Row rows[] = {
      {"the default", "me/app", "", "localhost:5000", "docker.io/me/app"},
      {"the default adds library/", "alpine", "", "", "docker.io/library/alpine"},
      {"a host in the path", "ghcr.io/org/image", "", "", "ghcr.io/org/image"},
      {"a host in the path, one word", "ghcr.io/image", "", "", "ghcr.io/image"},
      {"Docker Hub by name adds library/", "docker.io/alpine", "", "", "docker.io/library/alpine"},
      {"Docker Hub by an alias", "index.docker.io/alpine", "", "", "docker.io/library/alpine"},
      {"Docker Hub by another", "registry-1.docker.io/a/b", "", "", "docker.io/a/b"},
      {"library/ is not added twice", "docker.io/library/alpine", "", "",
       "docker.io/library/alpine"},
      {"a host with a port", "registry.lan:5000/x", "", "", "registry.lan:5000/x"},
      {"a configured name without a dot", "hub/x", "", "", "hub/x"},
      {"one word that is a configured name is a repository", "hub", "", "",
       "docker.io/library/hub"},
      {"one word with a dot is a repository", "my.app", "", "", "docker.io/library/my.app"},
      {"ns", "org/image", "ghcr.io", "", "ghcr.io/org/image"},
      {"ns of Docker Hub adds library/", "alpine", "docker.io", "", "docker.io/library/alpine"},
      {"ns by an alias", "a/b", "registry-1.docker.io", "", "docker.io/a/b"},
      {"ns in capitals", "a/b", "GHCR.io", "", "ghcr.io/a/b"},
      {"ns with a port", "a/b", "registry.lan:5000", "", "registry.lan:5000/a/b"},
      {"with ns a dot in the path is a name's", "my.project/app", "ghcr.io", "",
       "ghcr.io/my.project/app"},
      {"the path outweighs ns", "ghcr.io/a/b", "docker.io", "", "ghcr.io/a/b"},
      {"the host", "a/b", "", "ghcr.mirror.lan", "ghcr.io/a/b"},
      {"the host with a port, in capitals", "a/b", "", "GHCR.mirror.lan:5000", "ghcr.io/a/b"},
      {"the host with a dot at the end", "a/b", "", "ghcr.mirror.lan.", "ghcr.io/a/b"},
      {"the path outweighs the host", "docker.io/a/b", "", "ghcr.mirror.lan", "docker.io/a/b"},
      {"ns outweighs the host", "a/b", "docker.io", "ghcr.mirror.lan", "docker.io/a/b"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto image = of(row.name, row.ns, row.host);
    REQUIRE(image);
    CHECK(image->str() == row.want);
  }
}

TEST_CASE("an upstream that is not configured is refused, and named with those that are") {
  struct Row {
    std::string why;
    std::string name;
    std::string ns;
    std::string says;
  };
  const Row rows[] = {
      {"in the path", "quay.io/a/b", "", "the registry \"quay.io\" is not configured"},
      {"with a port", "ghcr.io:443/a/b", "", "the registry \"ghcr.io:443\" is not configured"},
      {"localhost", "localhost/a", "", "the registry \"localhost\" is not configured"},
      {"an organisation with a dot", "my.project/app", "", "the registry \"my.project\" is not"},
      {"by ns", "a/b", "quay.io", "the registry \"quay.io\" is not configured"},
      {"by ns, an address", "a/b", "169.254.169.254", "the registry \"169.254.169.254\" is not"},
      {"by ns, a user", "a/b", "me@ghcr.io", "the registry \"me@ghcr.io\" is not configured"},
      {"by ns, with a dot at the end", "a/b", "ghcr.io.", "the registry \"ghcr.io.\" is not"},
      {"by ns, a URL", "a/b", "https://ghcr.io", "the registry \"https://ghcr.io\" is not"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto image = of(row.name, row.ns, "");
    REQUIRE(!image);
    CHECK(image.error().code == Errc::name_unknown);
    CHECK(image.error().message.find(row.says) == 0);
    CHECK(image.error().message.ends_with(
        "as an upstream of this archway; it has docker.io, ghcr.io, registry.lan:5000, hub"));
  }
}

TEST_CASE("a repository that breaks the grammar is refused") {
  struct Row {
    std::string why;
    std::string name;
    std::string ns;
  };
  const Row rows[] = {
      {"a registry alone", "ghcr.io/", ""},
      {"nothing", "", ""},
      {"nothing, by ns", "", "ghcr.io"},
      {"capitals", "ghcr.io/A", ""},
      {"a registry within a name that ns makes whole", "a.b:1/c", "docker.io"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto image = of(row.name, row.ns, "");
    REQUIRE(!image);
    CHECK(image.error().code == Errc::name_invalid);
  }
  // library/ counts: 255 characters are the bound for the whole.
  CHECK(of(std::string(247, 'a'), "", ""));
  CHECK(!of(std::string(248, 'a'), "", ""));
}

TEST_CASE("without a default a name must say where it is from") {
  const UpstreamNames one{.entries = {{.name = "ghcr.io"}}, .default_name = ""};
  const Route route{.kind = Route::Kind::manifest, .name = "a/b"};
  const auto image = upstream_of(route, "", one);
  REQUIRE(!image);
  CHECK(image.error().code == Errc::name_unknown);
  CHECK(image.error().message ==
        "this name does not say which registry it is from, and this archway has no default "
        "upstream; it has ghcr.io");
}

TEST_CASE("a long list of upstreams is cut in messages") {
  UpstreamNames many;
  for (int i = 0; i < 50; ++i) many.entries.push_back({.name = "r" + std::to_string(i) + ".io"});
  const auto image = upstream_of({.kind = Route::Kind::manifest, .name = "x.io/a"}, "", many);
  REQUIRE(!image);
  CHECK(image.error().message.ends_with("r19.io and 30 more"));
  const auto none = upstream_of({.kind = Route::Kind::manifest, .name = "x.io/a"}, "", {});
  CHECK(none.error().message.ends_with("of this archway; none is"));
}

TEST_CASE("a full name starts with a configured upstream") {
  struct Row {
    std::string why;
    std::string text;
    std::string want;  // of an error: what its message holds
  };
  const Row rows[] = {
      {"an upstream", "ghcr.io/org/app", "ghcr.io/org/app"},
      {"with a port", "registry.lan:5000/app", "registry.lan:5000/app"},
      {"by another name", "index.docker.io/me/app", "docker.io/me/app"},
      {"Docker Hub's own", "docker.io/alpine", "docker.io/library/alpine"},
      {"without a dot", "hub/app", "hub/app"},
      {"an upstream that is not configured", "quay.io/app", "\"quay.io\" is not configured"},
      {"no upstream", "me/app", "\"me\" is not configured"},
      {"a word", "alpine", "\"alpine\" is not configured"},
      {"an upstream alone", "ghcr.io", "it is empty"},
      {"an upstream and a slash", "ghcr.io/", "it is empty"},
      {"a tag", "ghcr.io/org/app:1", "lower-case"},
      {"nothing", "", "\"\" is not configured"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto image = image_named(row.text, names);
    const auto got = image ? image->str() : image.error().message;
    CAPTURE(got);
    CHECK(got.find(row.want) != std::string::npos);
    CHECK(image.has_value() == (got == row.want));
  }
}
