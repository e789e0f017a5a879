// A tag that is one image and no index, and `platforms.wrong`.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

using Wrong = resolver::VerdictPolicy::Wrong;

constexpr const char* repository = "library/hi";
const std::string tag_path = manifest_path(repository, "1");
const Headers amd64{{"Archway-Platform", "linux/amd64"}};
const Headers arm64{{"Archway-Platform", "linux/arm64"}};

struct Registry {
  Registry() : image(make_image("linux/arm64", noise(1000))) {
    publish(upstream, repository, image);
    publish(upstream, repository, image.manifest, "1");
  }
  std::string config_path() const { return blob_path(repository, digest_of(image.config)); }
  ScriptedUpstream upstream;
  Image image;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

TEST_CASE("wrong: refuse says which platform the image is for, before it hands anything out") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.settings.policy.wrong = Wrong::refuse;
  gateway.start();
  const auto refused = gateway.get(tag_path, amd64);
  CHECK(refused.status == 403);
  for (const std::string part :
       {"DENIED", "docker.io/library/hi:1", "linux/arm64", "linux/amd64", "header"}) {
    CAPTURE(part);
    CHECK(refused.body.find(part) != std::string::npos);
  }
  CHECK(gateway.head(tag_path, amd64).status == 403);
  const auto right = gateway.get(tag_path, arm64);
  CHECK(right.body == registry.image.manifest.bytes);
  CHECK(right.header("Warning").empty());
  CHECK(gateway.get(tag_path).status == 200);  // Nobody said a platform.
  CHECK(gateway.get(manifest_path(repository, registry.image.manifest.digest), amd64).status ==
        200);  // A digest is what it is.
  CHECK(registry.upstream.count("GET", registry.config_path()) == 1);
}

TEST_CASE("wrong: refuse does not guess when the config cannot be had just now") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.settings.policy.wrong = Wrong::refuse;
  ScriptedUpstream busy;
  publish(busy, repository, registry.image.manifest, "1");
  busy.on(registry.config_path()).answer(503);
  busy.on(registry.config_path()).answer(200).body(registry.image.config);
  gateway.settings.upstreams.front().url = *resolver::Url::parse(busy.url());
  gateway.start();
  CHECK(gateway.get(tag_path, amd64).status == 503);
  CHECK(gateway.get(tag_path, amd64).status == 403);
}

TEST_CASE("wrong: warn does not wait for the config, logs one line, and warns from then on") {
  Registry registry;
  ScriptedUpstream slow;
  const auto gate = slow.gate();
  publish(slow, repository, registry.image.manifest, "1");
  slow.on(registry.config_path()).answer(200).body(registry.image.config).hang(gate);
  Gateway gateway(slow);
  gateway.start();
  for (int i = 0; i < 10; ++i) {
    const auto got = gateway.get(tag_path, amd64);
    CHECK(got.body == registry.image.manifest.bytes);
    CHECK(got.header("Warning").empty());
  }
  CHECK(gate->wait_reached());
  gate->open();
  const std::string line = "an image for another platform was handed out";
  CHECK(gateway.wait_log(line));
  CHECK(slow.count("GET", registry.config_path()) == 1);
  for (const auto& answer : {gateway.get(tag_path, amd64), gateway.head(tag_path, amd64)}) {
    CHECK(answer.status == 200);
    CHECK(answer.header("Warning").starts_with("299 archway \"docker.io/library/hi:1"));
    CHECK(answer.header("Warning").find("linux/arm64") != std::string::npos);
  }
  CHECK(gateway.get(tag_path, arm64).header("Warning").empty());
  CHECK(count(gateway.log_text(), line) == 1);
}

TEST_CASE("wrong: pass looks at no config, and neither does who states nothing") {
  Registry registry;
  Gateway gateway(registry.upstream);
  gateway.settings.policy.wrong = Wrong::refuse;
  gateway.settings.policy_rules = {{.match = "docker.io/library/*", .wrong = Wrong::pass}};
  gateway.start();
  CHECK(gateway.get(tag_path, amd64).body == registry.image.manifest.bytes);
  CHECK(gateway.get(tag_path).body == registry.image.manifest.bytes);
  CHECK(registry.upstream.count("GET", registry.config_path()) == 0);
}

TEST_CASE("what is emulated is not wrong, and what is no image has no platform") {
  Registry registry;
  auto chart = make_image("linux/arm64", "chart");
  const std::string config_type = "application/vnd.oci.image.config.v1+json";
  auto& bytes = chart.manifest.bytes;
  bytes.replace(bytes.find(config_type), config_type.size(), "application/vnd.cncf.helm.config");
  chart.manifest.digest = digest_of(bytes);
  publish(registry.upstream, repository, chart.manifest, "chart");
  Gateway gateway(registry.upstream);
  gateway.settings.policy.wrong = Wrong::refuse;
  gateway.settings.platforms.clients.push_back({.from = *resolver::Network::parse("127.0.0.0/8"),
                                                .platform = *Platform::parse("linux/amd64"),
                                                .emulates = {*Platform::parse("linux/arm64")}});
  gateway.start();
  CHECK(gateway.get(tag_path).body == registry.image.manifest.bytes);
  CHECK(
      gateway.get(manifest_path(repository, "chart"), {{"Archway-Platform", "linux/s390x"}}).body ==
      bytes);
  CHECK(gateway.get(tag_path, {{"Archway-Platform", "linux/s390x"}}).status == 403);
}

}  // namespace
}  // namespace archway::test
