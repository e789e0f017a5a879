// Answers that are given again without being made anew: they end with what they were made of.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
const std::string tag_path = manifest_path(repository, "1");
const Headers arm{{"Archway-Platform", "linux/arm64"}};

/// Two platforms under one tag, and a client on one connection to one loop.
struct Scene {
  ScriptedUpstream upstream;
  std::vector<Image> images{make_image("linux/amd64", noise(100, 1)),
                            make_image("linux/arm64", noise(100, 2))};
  Document index = make_index(images);
  Gateway gateway{upstream};
  std::optional<HttpClient> client;

  Scene() {
    for (const auto& image : images) publish(upstream, repository, image);
    publish(upstream, repository, index, "1");
    gateway.settings.threads = 1;
  }

  Answer ask(const std::string& target, const Headers& headers = {},
             const std::string& method = "GET") {
    if (!client) client.emplace(gateway.port());
    client->send(method, target, headers);
    auto answer = client->read_head();
    client->read_rest(answer, method == "HEAD");
    return answer;
  }
  /// Until it is a hit that was given before, too.
  void warm(const std::string& target, const Headers& headers = {}) {
    for (int i = 0; i < 4; ++i) REQUIRE(ask(target, headers).status == 200);
  }
  void moves(const Image& to) { publish(upstream, repository, to.manifest, "1"); }
  Answer operate(const std::string& method, const std::string& target) {
    const auto port = gateway.server().endpoints().back().port;
    return fetch(port, target, {{"Host", "127.0.0.1:" + std::to_string(port)}}, method);
  }
};

TEST_CASE("an answer that is given again says all that the first hit said, each with its own id") {
  Scene scene;
  scene.gateway.start();
  const auto digest = scene.images[1].manifest.digest;
  for (const auto& target : {tag_path, manifest_path(repository, digest)}) {
    CAPTURE(target);
    CHECK(scene.ask(target, arm).status == 200);
    const auto hit = scene.ask(target, arm);
    std::set<std::string> ids{hit.header("X-Request-Id")};
    for (int i = 0; i < 3; ++i) {
      auto again = scene.ask(target, arm);
      CHECK(ids.insert(again.header("X-Request-Id")).second);
      CHECK(again.body == scene.images[1].manifest.bytes);
      CHECK(again.headers.size() == hit.headers.size());
      for (const auto& [name, value] : hit.headers) {
        if (name != "X-Request-Id" && name != "Date") CHECK(again.header(name) == value);
      }
      const auto head = scene.ask(target, arm, "HEAD");
      CHECK(head.header("Content-Length") == again.header("Content-Length"));
      CHECK(head.header("Docker-Content-Digest") == digest);
    }
  }
  CHECK(scene.ask(tag_path).body == scene.index.bytes);
  CHECK(scene.ask(tag_path, {{"If-None-Match", "\"" + scene.index.digest + "\""}}).status == 304);
  CHECK(scene.ask(tag_path, {{"If-None-Match", "\"" + scene.index.digest + "\""}}).status == 304);
}

TEST_CASE("each answer that is given again is counted and logged") {
  Scene scene;
  scene.gateway.start();
  scene.warm(tag_path, arm);
  const std::string hits =
      "archway_requests_total{kind=\"manifest\",outcome=\"hit\",platform=\"linux/arm64\","
      "status=\"2xx\",upstream=\"docker.io\"}";
  const auto before = scene.gateway.metric(hits);
  std::string last;
  for (int i = 0; i < 5; ++i) last = scene.ask(tag_path, arm).header("X-Request-Id");
  CHECK(scene.gateway.wait_metric(hits, before + 5));
  CHECK(scene.gateway.wait_log("\"id\":\"" + last + "\""));
  const auto log = scene.gateway.log_text();
  const auto line = log.substr(log.find("\"id\":\"" + last + "\""));
  const auto said = line.substr(0, line.find('\n'));
  for (const std::string field :
       {"\"client\":\"127.0.0.1\"", "\"status\":200", "\"image\":\"docker.io/library/hi:1\"",
        "\"platform\":\"linux/arm64\"", "\"by\":\"header\"", "\"outcome\":\"hit\""}) {
    CAPTURE(field);
    CHECK(said.find(field) != std::string::npos);
  }
}

TEST_CASE("a tag that has moved is not answered as before, once that is known") {
  Scene scene;
  scene.gateway.settings.tags.no_cache_from = {*resolver::Network::parse("127.0.0.1")};
  scene.gateway.start();
  scene.warm(tag_path);
  scene.moves(scene.images[0]);
  CHECK(scene.ask(tag_path).body == scene.index.bytes);
  CHECK(scene.ask(tag_path, {{"Cache-Control", "no-cache"}}).body ==
        scene.images[0].manifest.bytes);
  CHECK(scene.ask(tag_path).body == scene.images[0].manifest.bytes);
  scene.moves(scene.images[1]);
  CHECK(scene.ask(tag_path, {{"Cache-Control", "no-cache"}}).body ==
        scene.images[1].manifest.bytes);
}

TEST_CASE("a tag that is not fresh is asked for each time") {
  Scene scene;
  scene.gateway.settings.tags.fresh_for = std::chrono::seconds(0);
  scene.gateway.start();
  scene.warm(tag_path);
  scene.moves(scene.images[0]);
  CHECK(scene.ask(tag_path).body == scene.images[0].manifest.bytes);
}

TEST_CASE("what was purged is not answered as before") {
  Scene scene;
  scene.gateway.settings.tags.absent_for = std::chrono::seconds(0);
  scene.gateway.start();
  const auto by_digest = manifest_path(repository, scene.index.digest);
  scene.warm(tag_path);
  scene.warm(by_digest);
  for (const auto& path : {tag_path, by_digest}) {
    scene.upstream.on(path).answer(404).error("MANIFEST_UNKNOWN", "gone");
  }
  CHECK(scene.ask(tag_path).status == 200);
  CHECK(scene.operate("DELETE", "/api/v1/holdings/docker.io/library/hi:1").status == 200);
  CHECK(scene.ask(tag_path).status == 404);
  CHECK(scene.ask(by_digest).status == 404);
}

TEST_CASE("a virtual image takes the place of what was answered before, and gives it back") {
  Scene scene;
  const auto other = make_image("linux/arm64", noise(100, 3));
  publish(scene.upstream, "library/other", other);
  publish(scene.upstream, "library/other", other.manifest, "1");
  scene.gateway.start();
  scene.warm(tag_path, arm);
  const std::string image = "/api/v1/images/docker.io/library/hi:1";
  CHECK(scene.operate("PUT", image + "?member=linux/arm64=library/other:1").status < 300);
  CHECK(scene.ask(tag_path, arm).body == other.manifest.bytes);
  CHECK(scene.ask(tag_path, arm).body == other.manifest.bytes);
  CHECK(scene.operate("DELETE", image).status < 300);
  CHECK(scene.ask(tag_path, arm).body == scene.images[1].manifest.bytes);
}

TEST_CASE("an image for another platform is warned of as soon as that is known, and ever after") {
  Scene scene;
  const auto path = manifest_path("library/single", "1");
  publish(scene.upstream, "library/single", scene.images[0]);
  publish(scene.upstream, "library/single", scene.images[0].manifest, "1");
  scene.gateway.start();
  scene.warm(path, arm);
  CHECK(scene.gateway.wait_log("an image for another platform was handed out"));
  for (int i = 0; i < 3; ++i) CHECK_FALSE(scene.ask(path, arm).header("Warning").empty());
}

}  // namespace
}  // namespace archway::test
