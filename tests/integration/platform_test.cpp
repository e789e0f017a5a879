// A tag is answered for the client's platform; a digest is answered with its bytes.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
const std::string accept_all =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

struct Registry {
  explicit Registry(bool docker = false)
      : images{make_image("linux/amd64", noise(1000, 1)),
               make_image("linux/arm/v7", noise(1000, 2)),
               make_image("linux/arm64/v8", noise(1000, 3))},
        index(make_index(images, docker)) {
    for (const auto& image : images) publish(upstream, repository, image);
    publish(upstream, repository, index, "1");
  }
  ScriptedUpstream upstream;
  std::vector<Image> images;
  Document index;
};

TEST_CASE("each way of stating a platform gets the child by tag, GET and HEAD alike") {
  struct Row {
    std::string why;
    std::string target;
    Headers headers;
    std::size_t child;
    std::string said;
  };
  const std::vector<Row> rows{
      {"path before /v2",
       "/platform/linux-arm64/v2/library/hi/manifests/1",
       {},
       2,
       "linux/arm64; by=path"},
      {"path behind /v2",
       "/v2/platform/linux-arm-v7/docker.io/library/hi/manifests/1",
       {},
       1,
       "linux/arm/v7; by=path"},
      {"header",
       "/v2/hi/manifests/1",
       {{"Archway-Platform", "linux/arm64"}},
       2,
       "linux/arm64; by=header"},
      {"host name",
       "/v2/library/hi/manifests/1?ns=docker.io",
       {{"Host", "pi.mirror.test:5000"}},
       1,
       "linux/arm/v7; by=host"},
      {"a User-Agent whose client cannot choose",
       "/v2/library/hi/manifests/1",
       {{"Accept", "application/vnd.docker.distribution.manifest.v2+json"},
        {"User-Agent", "docker/20.10.24 go/go1.19.8 os/linux arch/arm64"}},
       2,
       "linux/arm64; by=user-agent"},
  };
  for (const bool docker : {false, true}) {
    Registry registry(docker);
    Gateway gateway(registry.upstream);
    gateway.settings.platforms.hosts["pi.mirror.test"] = *Platform::parse("linux/arm/v7");
    gateway.start();
    for (const auto& row : rows) {
      CAPTURE(row.why);
      const auto& child = registry.images[row.child].manifest;
      auto headers = row.headers;
      if (row.why.find("cannot choose") == std::string::npos) {
        headers.emplace_back("Accept", accept_all);
      }
      const auto got = gateway.get(row.target, headers);
      CHECK(got.status == 200);
      CHECK(got.body == child.bytes);
      CHECK(got.header("Docker-Content-Digest") == child.digest);
      CHECK(got.header("Content-Type") == child.media_type);
      CHECK(got.header("Archway-Platform") == row.said);
      CHECK(got.header("Archway-Index") == registry.index.digest);
      const auto head = gateway.head(row.target, headers);
      CHECK(head.status == 200);
      CHECK(head.header("Docker-Content-Digest") == child.digest);
      CHECK(head.header("Content-Length") == std::to_string(child.bytes.size()));
      CHECK(head.header("Content-Type") == child.media_type);
    }
  }
}

TEST_CASE("listeners and addresses state platforms, too") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.settings.listen.push_back({.endpoint = {.address = "127.0.0.1", .port = 0},
                                     .platform = *Platform::parse("linux/arm/v7")});
  gateway.settings.platforms.clients.push_back({.from = *resolver::Network::parse("127.0.0.0/8"),
                                                .platform = *Platform::parse("linux/arm64")});
  gateway.start();
  const auto by_address = gateway.get("/v2/library/hi/manifests/1");
  CHECK(by_address.body == registry.images[2].manifest.bytes);
  CHECK(by_address.header("Archway-Platform") == "linux/arm64; by=address");
  const auto by_listener = fetch(gateway.port(1), "/v2/library/hi/manifests/1");
  CHECK(by_listener.body == registry.images[1].manifest.bytes);
  CHECK(by_listener.header("Archway-Platform") == "linux/arm/v7; by=listener");
}

TEST_CASE("who states nothing gets the index, and a digest is never resolved") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.start();
  const auto index = gateway.get("/v2/library/hi/manifests/1", {{"Accept", accept_all}});
  CHECK(index.body == registry.index.bytes);
  CHECK(index.header("Docker-Content-Digest") == registry.index.digest);
  const auto docker = gateway.get(
      "/v2/library/hi/manifests/1",
      {{"Accept", accept_all}, {"User-Agent", "docker/28.3.3 go/go1.23.5 os/linux arch/amd64"}});
  CHECK(docker.body == registry.index.bytes);
  std::vector<Document> all{registry.index};
  for (const auto& image : registry.images) all.push_back(image.manifest);
  for (const auto& document : all) {
    const auto got = gateway.get(manifest_path(repository, document.digest),
                                 {{"Archway-Platform", "linux/arm64"}});
    CHECK(got.status == 200);
    CHECK(got.body == document.bytes);
    const auto head = gateway.head(manifest_path(repository, document.digest));
    CHECK(head.header("Docker-Content-Digest") == document.digest);
    CHECK(head.header("Content-Length") == std::to_string(document.bytes.size()));
    CHECK(head.header("ETag") == "\"" + document.digest + "\"");
  }
}

TEST_CASE("a rule and a User-Agent that disagree: the index, a warning, a count") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.settings.platforms.clients.push_back({.from = *resolver::Network::parse("127.0.0.0/8"),
                                                .platform = *Platform::parse("linux/arm64")});
  gateway.start();
  const auto got = gateway.get("/v2/library/hi/manifests/1",
                               {{"User-Agent", "docker/28.3.3 os/linux arch/amd64"}});
  CHECK(got.body == registry.index.bytes);
  CHECK(gateway.metric("archway_platform_conflicts_total") == 1);
  CHECK(gateway.log_text().find("disagree") != std::string::npos);
}

TEST_CASE("conflict: trust believes the rule, and still says that there is a conflict") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.settings.platforms.clients.push_back({.from = *resolver::Network::parse("127.0.0.0/8"),
                                                .platform = *Platform::parse("linux/arm64")});
  gateway.settings.platforms.conflict = resolver::PlatformRules::Conflict::trust;
  gateway.start();
  const auto got = gateway.get("/v2/library/hi/manifests/1",
                               {{"User-Agent", "docker/28.3.3 os/linux arch/amd64"}});
  CHECK(got.body == registry.images[2].manifest.bytes);
  CHECK(gateway.metric("archway_platform_conflicts_total") == 1);
}

TEST_CASE("a platform that the image lacks: passed by default, refused where it is asked for") {
  Registry registry;
  Gateway passing(registry.upstream);
  passing.start();
  const Headers wanted{{"Archway-Platform", "linux/s390x"}};
  CHECK(passing.get("/v2/library/hi/manifests/1", wanted).body == registry.index.bytes);
  Gateway refusing(registry.upstream);
  refusing.settings.policy.missing = resolver::VerdictPolicy::Missing::refuse;
  refusing.start();
  const auto refused = refusing.get("/v2/library/hi/manifests/1", wanted);
  CHECK(refused.status == 403);
  for (const std::string part :
       {"DENIED", "docker.io/library/hi:1", "linux/s390x", "linux/arm/v7"}) {
    CAPTURE(part);
    CHECK(refused.body.find(part) != std::string::npos);
  }
}

TEST_CASE("an index without platforms is decided by what the configs say") {
  ScriptedUpstream upstream;
  const auto amd64 = make_image("linux/amd64", noise(100, 1));
  const auto arm64 = make_image("linux/arm64", noise(100, 2));
  for (const auto& image : {amd64, arm64}) publish(upstream, repository, image);
  auto inner = make_index({amd64, arm64});
  publish(upstream, repository, inner);
  Document outer{.media_type = inner.media_type};
  outer.bytes = R"({"schemaVersion":2,"mediaType":")" + inner.media_type +
                R"(","manifests":[{"mediaType":")" + inner.media_type + R"(","digest":")" +
                inner.digest + R"(","size":)" + std::to_string(inner.bytes.size()) + "}]}";
  outer.digest = digest_of(outer.bytes);
  publish(upstream, repository, outer, "nested");
  Document plain{.media_type = inner.media_type};
  plain.bytes = R"({"schemaVersion":2,"mediaType":")" + inner.media_type +
                R"(","manifests":[{"mediaType":")" + arm64.manifest.media_type + R"(","digest":")" +
                arm64.manifest.digest + R"(","size":)" +
                std::to_string(arm64.manifest.bytes.size()) + "}]}";
  plain.digest = digest_of(plain.bytes);
  publish(upstream, repository, plain, "plain");
  Gateway gateway(upstream);
  gateway.start();
  const Headers wanted{{"Archway-Platform", "linux/arm64"}};
  CHECK(gateway.get("/v2/library/hi/manifests/nested", wanted).body == arm64.manifest.bytes);
  CHECK(gateway.get("/v2/library/hi/manifests/plain", wanted).body == arm64.manifest.bytes);
  const Headers other{{"Archway-Platform", "linux/amd64"}};
  CHECK(gateway.get("/v2/library/hi/manifests/plain", other).body == plain.bytes);
}

TEST_CASE("a platform that cannot be read is told so") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.start();
  const auto got = gateway.get("/v2/library/hi/manifests/1", {{"Archway-Platform", "arm!"}});
  CHECK(got.status == 400);
  CHECK(gateway.get("/v2/platform/linux-/hi/manifests/1").status == 400);
  CHECK(registry.upstream.requests().empty());
}

}  // namespace
}  // namespace archway::test
