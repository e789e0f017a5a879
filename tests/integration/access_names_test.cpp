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

}  // namespace
}  // namespace archway::test
