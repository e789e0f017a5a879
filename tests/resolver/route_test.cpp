#include "resolver/route.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>
#include <vector>

using namespace archway::resolver;
using archway::Errc;

namespace {

const std::string hash = "sha256:" + std::string(64, 'a');

/// `kind name what platform`, to compare with; a dash for what is absent.
std::string shown(const Route& route) {
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  std::string what = "-";
  if (route.reference) what = str(*route.reference);
  if (route.digest) what = route.digest->str();
  return std::string(name(route.kind)) + " " + or_dash(route.name) + " " + what + " " +
         (route.platform ? route.platform->str() : "-");
}

}  // namespace

TEST_CASE("every path of the read API is understood, with and without a platform") {
  struct Row {
    std::string why;
    std::string target;
    std::string want;
  };
  const std::vector<Row> rows = {
      {"ping", "/v2/", "ping - - -"},
      {"ping without a slash", "/v2", "ping - - -"},
      {"by tag", "/v2/library/golang/manifests/1.22", "manifest library/golang 1.22 -"},
      {"by digest", "/v2/a/manifests/" + hash, "manifest a " + hash + " -"},
      {"a blob", "/v2/a/b/c/blobs/" + hash, "blob a/b/c " + hash + " -"},
      {"tags", "/v2/a/b/tags/list", "tags a/b - -"},
      {"referrers", "/v2/a/b/referrers/" + hash, "referrers a/b " + hash + " -"},
      {"a host in front", "/v2/ghcr.io/org/image/manifests/1", "manifest ghcr.io/org/image 1 -"},
      {"a host with a port", "/v2/registry.lan:5000/x/manifests/1",
       "manifest registry.lan:5000/x 1 -"},
      {"ping, platform in front", "/platform/linux-arm64/v2/", "ping - - linux/arm64"},
      {"ping, platform in front, no slash", "/platform/linux-arm64/v2", "ping - - linux/arm64"},
      {"ping, platform behind", "/v2/platform/linux-arm64/", "ping - - linux/arm64"},
      {"ping, platform behind, no slash", "/v2/platform/linux-arm64", "ping - - linux/arm64"},
      {"platform in front", "/platform/linux-arm-v7/v2/library/a/manifests/1",
       "manifest library/a 1 linux/arm/v7"},
      {"platform behind", "/v2/platform/linux-arm-v7/library/a/manifests/1",
       "manifest library/a 1 linux/arm/v7"},
      {"platform, then a host", "/v2/platform/arm64/quay.io/a/b/blobs/" + hash,
       "blob quay.io/a/b " + hash + " linux/arm64"},
      {"platform in front, then a host", "/platform/arm64/v2/localhost:1/a/tags/list",
       "tags localhost:1/a - linux/arm64"},
      {"verbs as names", "/v2/manifests/blobs/tags/manifests/list",
       "manifest manifests/blobs/tags "
       "list -"},
      {"a repository called blobs", "/v2/a/blobs/blobs/" + hash, "blob a/blobs " + hash + " -"},
      {"a tag called uploads", "/v2/a/manifests/uploads", "manifest a uploads -"},
      {"uploads within a name", "/v2/a/blobs/uploads/manifests/1", "manifest a/blobs/uploads 1 -"},
      {"a repository called platform behind its registry", "/v2/docker.io/platform/app/manifests/1",
       "manifest docker.io/platform/app 1 -"},
      {"an unknown parameter", "/v2/a/manifests/1?x=%zz&y", "manifest a 1 -"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto route = parse_route(row.target);
    REQUIRE(route);
    CHECK(shown(*route) == row.want);
  }
}

TEST_CASE("a target that asks for nothing here is refused with a reason") {
  struct Row {
    std::string why;
    std::string target;
    Errc code;
    const char* says;
  };
  const std::vector<Row> rows = {
      {"the root", "/", Errc::name_unknown, "is no path of a registry"},
      {"empty", "", Errc::name_unknown, "is no path of a registry"},
      {"a star", "*", Errc::name_unknown, "is no path of a registry"},
      {"version 1", "/v1/_ping", Errc::name_unknown, "is no path of a registry"},
      {"version 2 something", "/v2x/a/manifests/1", Errc::name_unknown, "no path of a registry"},
      {"a whole URL", "http://a.b/v2/", Errc::name_unknown, "is no path of a registry"},
      {"an unknown verb", "/v2/a/other/1", Errc::name_unknown, "is no path of a registry"},
      {"a repository alone", "/v2/a", Errc::name_unknown, "is no path of a registry"},
      {"an extension", "/v2/_oci/ext/discover", Errc::name_unknown, "is no path of a registry"},
      {"other lists of tags", "/v2/a/tags/other", Errc::name_unknown, "is no path of a registry"},
      {"the catalogue", "/v2/_catalog", Errc::unsupported,
       "archway is a read-only mirror: it has no catalogue of all repositories"},
      {"the catalogue's page", "/v2/_catalog?n=5", Errc::unsupported, "no catalogue"},
      {"an upload", "/v2/a/blobs/uploads/", Errc::unsupported, "nothing can be pushed to it"},
      {"an upload without a slash", "/v2/a/blobs/uploads", Errc::unsupported, "nothing can be"},
      {"a piece of an upload", "/v2/a/blobs/uploads/1-2", Errc::unsupported, "nothing can be"},
      {"no name", "/v2/manifests/1", Errc::name_invalid, "it is empty"},
      {"an empty name", "/v2//manifests/1", Errc::name_invalid, "it is empty"},
      {"two slashes", "/v2/a//b/manifests/1", Errc::name_invalid, "is not a repository name"},
      {"upwards", "/v2/a/../b/manifests/1", Errc::name_invalid, "is not a repository name"},
      {"capitals", "/v2/Library/a/manifests/1", Errc::name_invalid, "lower-case letters"},
      {"the name is told before the tag", "/v2/A/manifests/.", Errc::name_invalid, "repository"},
      {"a colon in the middle", "/v2/a/b:1/manifests/1", Errc::name_invalid, "repository name"},
      {"a colon and nothing behind", "/v2/a:5000/manifests/1", Errc::name_invalid, "repository"},
      {"no port number", "/v2/a.b:x/c/manifests/1", Errc::name_invalid, "before the port number"},
      {"port 0", "/v2/a.b:0/c/manifests/1", Errc::name_invalid, "before the port number"},
      {"port 65536", "/v2/a.b:65536/c/manifests/1", Errc::name_invalid, "before the port number"},
      {"a signed port", "/v2/a.b:+1/c/manifests/1", Errc::name_invalid, "before the port number"},
      {"IPv6 in brackets", "/v2/[::1]:5000/c/manifests/1", Errc::name_invalid, "port number"},
      {"an escaped slash", "/v2/a%2fb/manifests/1", Errc::name_unknown, "has a percent sign"},
      {"escaped dots", "/v2/%2e%2e/manifests/1", Errc::name_unknown, "has a percent sign"},
      {"an escaped NUL", "/v2/a%00/manifests/1", Errc::name_unknown, "has a percent sign"},
      {"an escaped colon in a digest", "/v2/a/blobs/sha256%3aabc", Errc::name_unknown, "percent"},
      {"a fragment", "/v2/a/manifests/1#x", Errc::name_invalid, "is not a tag"},
      {"a bad tag", "/v2/a/manifests/.x", Errc::name_invalid, "is not a tag"},
      {"no tag", "/v2/a/manifests/", Errc::name_invalid, "is not a tag"},
      {"a bad digest", "/v2/a/manifests/sha256:abc", Errc::digest_invalid, "is not a digest"},
      {"a tag for a blob", "/v2/a/blobs/latest", Errc::digest_invalid, "is not a digest"},
      {"a tag for referrers", "/v2/a/referrers/latest", Errc::digest_invalid, "is not a digest"},
      {"a long name", "/v2/" + std::string(256, 'a') + "/manifests/1", Errc::name_invalid, "255"},
      {"a bad platform", "/platform/linux/v2/", Errc::platform_invalid, "is not a platform"},
      {"a mistyped platform", "/v2/platform/linux-amr64/a/manifests/1", Errc::platform_invalid,
       "its architecture is not known"},
      {"no platform", "/v2/platform/", Errc::platform_invalid, "it is empty"},
      {"a platform and nothing", "/platform/arm64", Errc::name_unknown, "is no path of a registry"},
      {"a platform and something", "/platform/arm64/v1/", Errc::name_unknown, "is no path"},
      {"two platforms", "/platform/arm64/v2/platform/amd64/", Errc::platform_invalid,
       "names a platform in two places"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto route = parse_route(row.target);
    REQUIRE(!route);
    CHECK(route.error().code == row.code);
    CHECK(route.error().message.find(row.says) != std::string::npos);
    CHECK(route.error().message.size() < 600);
  }
}

TEST_CASE("the query is decoded, as far as it means something") {
  const auto tags = parse_route("/v2/a/tags/list?n=50&last=v1%2E0&ns=docker.io");
  REQUIRE(tags);
  CHECK(tags->n == 50);
  CHECK(tags->last == "v1.0");
  CHECK(tags->ns == "docker.io");
  const auto referrers = parse_route("/v2/a/referrers/" + hash + "?artifactType=a%2Fb%2Bjson");
  REQUIRE(referrers);
  CHECK(referrers->artifact_type == "a/b+json");
  CHECK(parse_route("/v2/a/referrers/" + hash + "?artifactType=a/b+json")->artifact_type ==
        "a/b+json");
  CHECK(parse_route("/v2/a/manifests/1?ns=registry.lan:5000")->ns == "registry.lan:5000");
  CHECK(parse_route("/v2/a/manifests/1?ns=")->ns.empty());
  CHECK(parse_route("/v2/a/manifests/1?")->ns.empty());
  CHECK(parse_route("/v2/?ns=docker.io")->ns == "docker.io");
  CHECK(parse_route("/v2/a/tags/list?n=0")->n == 0);
}

TEST_CASE("a parameter has its meaning only where the specification gives it one") {
  const auto manifest = parse_route("/v2/a/manifests/1?n=x&last=y&artifactType=z");
  REQUIRE(manifest);
  CHECK(!manifest->n);
  CHECK(manifest->last.empty());
  CHECK(manifest->artifact_type.empty());
}

TEST_CASE("a query that cannot be meant is refused") {
  struct Row {
    std::string why;
    std::string query;
    const char* says;
  };
  const std::vector<Row> rows = {
      {"n is a word", "n=all", "parameter n is not a number of tags"},
      {"n is negative", "n=-1", "parameter n is not a number of tags"},
      {"n is nothing", "n=", "parameter n is not a number of tags"},
      {"n has a tail", "n=5x", "parameter n is not a number of tags"},
      {"n exceeds 64 bits", "n=18446744073709551616", "parameter n is not a number of tags"},
      {"n twice", "n=1&n=2", "parameter n stands there twice"},
      {"two registries", "ns=a.b&ns=c.d", "parameter ns stands there twice"},
      {"an empty one and another", "ns=&ns=c.d", "parameter ns stands there twice"},
      {"a broken escape", "last=%4", "parameter last is too long or has characters"},
      {"an escape that is none", "last=%zz", "parameter last is too long or has characters"},
      {"an escape at the end", "last=%", "parameter last is too long or has characters"},
      {"a line break", "ns=a%0d%0ab", "parameter ns is too long or has characters"},
      {"a NUL", "ns=a%00", "parameter ns is too long or has characters"},
      {"beyond ASCII", "ns=%c3%a4", "parameter ns is too long or has characters"},
      {"too long", "ns=" + std::string(256, 'a'), "parameter ns is too long or has characters"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto route = parse_route("/v2/a/tags/list?" + row.query);
    REQUIRE(!route);
    CHECK(route.error().code == Errc::request_invalid);
    CHECK(route.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("messages never repeat what could upset a terminal") {
  const auto route = parse_route("/\x1b[2J\xff");
  REQUIRE(!route);
  CHECK(route.error().message.find("\"/?[2J?\"") == 0);
}

TEST_CASE("every kind of route has a word of its own") {
  std::set<std::string_view> words;
  for (int kind = 0; kind <= static_cast<int>(Route::Kind::referrers); ++kind) {
    words.insert(name(static_cast<Route::Kind>(kind)));
  }
  CHECK(words == std::set<std::string_view>{"ping", "manifest", "blob", "tags", "referrers"});
}
