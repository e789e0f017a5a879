// An image that is its owner's alone, by names that a rule or an operator made for it.

#include "tests/integration/access_bench.hpp"

namespace archway::test {
namespace {

using Access = proxy::Settings::Access;

ImageName name(const std::string& repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

struct Fixture {
  Fixture() : gateway(*registry.upstream) {
    gateway.settings.access.rules = {{.match = "docker.io/acme/*", .access = Access::client}};
  }
  Answer as(const std::string& who, const std::string& target) const {
    return gateway.get(target, {{"Authorization", who}});
  }
  PrivateRegistry registry;
  Gateway gateway;
};

TEST_CASE_FIXTURE(Fixture, "a rewritten name gives no more than the name behind it") {
  gateway.settings.rewrite.rules = {{.from = "docker.io/(acme/.*)-amd64", .to = "docker.io/$1"},
                                    {.from = "docker.io/free/(.*)", .to = "docker.io/acme/$1"}};
  gateway.start();
  const auto& image = registry.own.front();
  for (const std::string repository : {"acme/secret-amd64", "free/secret"}) {
    for (const auto& target :
         {manifest_path(repository, "1"), manifest_path(repository, image.manifest.digest),
          blob_path(repository, digest_of(image.layer))}) {
      CAPTURE(target);
      CHECK(as(alice, target).status == 200);
      const auto refused = as(bob, target);
      CHECK(refused.status >= 400);
      CHECK(refused.body.find("canary") == std::string::npos);
      CHECK(gateway.get(target).status >= 400);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "credentials go to no other registry, where a rule leads to one") {
  const PrivateRegistry other;
  auto elsewhere = gateway.settings.upstreams.front();
  elsewhere.name = "other.lan";
  elsewhere.url = *resolver::Url::parse(other.upstream->url());
  elsewhere.is_default = false;
  elsewhere.access = Access::client;
  gateway.settings.upstreams.push_back(elsewhere);
  gateway.settings.rewrite.rules = {{.from = "docker.io/theirs/(.*)", .to = "other.lan/acme/$1"}};
  gateway.start();
  CHECK(as(alice, manifest_path("theirs/secret", "1")).status >= 400);
  const auto asked = other.upstream->requests();
  REQUIRE_FALSE(asked.empty());
  for (const auto& request : asked) CHECK(request.header("Authorization").empty());
  CHECK(as(alice, manifest_path("other.lan/acme/secret", "1")).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "an image that is its owner's is part of no virtual image") {
  const VirtualImage::Member open{.platform = *Platform::parse("linux/arm64"),
                                  .image = name("library/hi")};
  const VirtualImage::Member own{.platform = *Platform::parse("linux/amd64"),
                                 .image = name("acme/secret")};
  gateway.settings.images = {{.name = name("library/both"), .members = {open, own}}};
  gateway.start();
  const auto& image = registry.own.front();
  for (const auto& who : {alice, bob}) {
    for (const auto& target :
         {manifest_path("library/both", "1"), manifest_path("library/both", image.manifest.digest),
          blob_path("library/both", digest_of(image.layer))}) {
      CAPTURE(target);
      const auto answer = as(who, target);
      CHECK(answer.status == 403);
      CHECK(answer.body.find("part of no virtual image") != std::string::npos);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "what is its owner's by a rule leaves the rest of the upstream alone") {
  gateway.start();
  CHECK(gateway.get(manifest_path("library/hi", "1")).status == 200);
  CHECK(as(bob, manifest_path("library/hi", "1")).status == 200);
  for (const auto& request : registry.upstream->requests()) {
    CHECK(request.header("Authorization").empty());
  }
}

struct Ask {
  std::string target;
  Headers headers;
};

/// An image of somebody else's own making, whose manifests name the objects of alice's.
void publish_trap(const PrivateRegistry& registry, const std::string& repository) {
  publish(*registry.upstream, repository, registry.own.front().manifest, "1");
  const auto index = make_index({registry.own.back(), registry.hi.front()});
  publish(*registry.upstream, repository, index, "2");
}

TEST_CASE_FIXTURE(Fixture, "a manifest that names another's objects opens none of them") {
  publish_trap(registry, "library/trap");
  publish_trap(registry, "bob/trap");
  gateway.settings.access.rules.push_back({.match = "docker.io/bob/*", .access = Access::client});
  gateway.start();
  for (const auto& image : registry.own) {
    REQUIRE(as(alice, manifest_path(registry.secret, image.manifest.digest)).status == 200);
    REQUIRE(as(alice, blob_path(registry.secret, digest_of(image.config))).status == 200);
    REQUIRE(as(alice, blob_path(registry.secret, digest_of(image.layer))).status == 200);
  }
  const auto& image = registry.own.front();
  const auto& hidden = registry.own.back();
  for (const std::string repository : {"library/trap", "bob/trap"}) {
    REQUIRE(as(bob, manifest_path(repository, "1")).status == 200);
    REQUIRE(as(bob, manifest_path(repository, "2")).status == 200);
    const Headers as_bob{{"Authorization", bob}};
    Headers for_arm = as_bob;
    for_arm.emplace_back("Archway-Platform", "linux/arm64");
    Headers part = as_bob;
    part.emplace_back("Range", "bytes=0-9");
    for (const auto* method : {"GET", "HEAD"}) {
      for (const Ask& ask :
           std::vector<Ask>{{blob_path(repository, digest_of(image.layer)), as_bob},
                            {blob_path(repository, digest_of(image.layer)), part},
                            {blob_path(repository, digest_of(image.config)), as_bob},
                            {manifest_path(repository, hidden.manifest.digest), as_bob},
                            {manifest_path(repository, "2"), for_arm}}) {
        CAPTURE(method);
        CAPTURE(ask.target);
        const auto answer = fetch(gateway.port(), ask.target, ask.headers, method);
        CHECK(answer.status >= 400);
        CHECK(answer.header("Docker-Content-Digest").empty());
        CHECK(answer.body.find("canary") == std::string::npos);
      }
    }
  }
  CHECK(as(alice, blob_path(registry.secret, digest_of(image.layer))).body == image.layer);
}

TEST_CASE_FIXTURE(Fixture,
                  "a layer of two names is fetched once, when the upstream has it for both") {
  const auto& image = registry.own.front();
  publish(*registry.upstream, "library/same", image);
  publish(*registry.upstream, "library/same", image.manifest, "1");
  gateway.start();
  const auto layer = digest_of(image.layer);
  REQUIRE(as(alice, blob_path(registry.secret, layer)).status == 200);
  const auto shared = blob_path("library/same", layer);
  REQUIRE(gateway.get(manifest_path("library/same", "1")).status == 200);
  for (int i = 0; i < 2; ++i) CHECK(gateway.get(shared).body == image.layer);
  CHECK(registry.upstream->count("GET", shared) == 0);
  CHECK(registry.upstream->count("HEAD", shared) == 1);
}

}  // namespace
}  // namespace archway::test
