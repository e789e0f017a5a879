// Upstreams that fail, lie, or are not there: what is cached is served, what is wrong is not.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
const std::string tag_path = manifest_path(repository, "1");

TEST_CASE("a stale tag is served when its upstream fails, but not when it says no") {
  struct Row {
    std::string why;
    unsigned status;
    int want;
    std::string cache;
  };
  const std::vector<Row> rows{
      {"an error of its own", 500, 200, "stale"},
      {"overload", 503, 200, "stale"},
      {"a limit", 429, 200, "stale"},
      {"gone", 404, 404, "refused"},
      {"not for us", 403, 403, "refused"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream upstream;
    const auto image = make_image("linux/amd64", "layer");
    publish(upstream, repository, image.manifest);
    upstream.on(tag_path)
        .answer(200)
        .header("Content-Type", image.manifest.media_type)
        .header("Docker-Content-Digest", image.manifest.digest)
        .body(image.manifest.bytes);
    upstream.on(tag_path).answer(row.status).error("UNKNOWN", "no");
    Gateway gateway(upstream);
    gateway.settings.tags.fresh_for = std::chrono::seconds(0);
    gateway.start();
    CHECK(gateway.get(tag_path).header("Archway-Cache") == "miss");
    const auto again = gateway.get(tag_path);
    CHECK(again.status == row.want);
    CHECK(again.header("Archway-Cache") == row.cache);
  }
}

TEST_CASE("many clients of one stale tag cost one HEAD") {
  ScriptedUpstream upstream;
  const auto image = make_image("linux/amd64", "layer");
  const auto gate = upstream.gate();
  publish(upstream, repository, image.manifest);
  upstream.on(tag_path)
      .answer(200)
      .header("Content-Type", image.manifest.media_type)
      .header("Docker-Content-Digest", image.manifest.digest)
      .body(image.manifest.bytes)
      .hang(gate);
  Gateway gateway(upstream);
  gateway.start();
  std::vector<std::thread> threads;
  std::vector<Answer> answers(20);
  for (auto& answer : answers) threads.emplace_back([&] { answer = gateway.get(tag_path); });
  CHECK(gate->wait_reached());
  CHECK(gateway.wait_metric("archway_connections", 21));  // They are all there, and /metrics.
  gate->open();
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) CHECK(answer.body == image.manifest.bytes);
  CHECK(upstream.count("HEAD", tag_path) == 1);
  CHECK(upstream.count("GET", manifest_path(repository, image.manifest.digest)) == 1);
}

TEST_CASE("a manifest whose bytes are wrong is 502, not kept, and not asked for again at once") {
  ScriptedUpstream upstream;
  const auto image = make_image("linux/amd64", "layer");
  const auto path = manifest_path(repository, image.manifest.digest);
  upstream.on(path)
      .answer(200)
      .header("Content-Type", image.manifest.media_type)
      .body(image.manifest.bytes)
      .wrong_byte(3);
  Gateway gateway(upstream);
  gateway.start();
  const auto wrong = gateway.get(path);
  CHECK(wrong.status == 502);
  CHECK(wrong.body.find("do not match") != std::string::npos);
  CHECK(gateway.metric("archway_digest_mismatches_total{upstream=\"docker.io\"}") == 1);
  const auto told = gateway.get(path);
  CHECK(told.status == 502);
  CHECK(told.body.find("sent other bytes than those of") != std::string::npos);
  CHECK(upstream.count("GET", path) == 1);
}

TEST_CASE("a manifest over 4 MiB is refused") {
  ScriptedUpstream upstream;
  const std::string big = "{\"x\":\"" + std::string(4 * 1024 * 1024, 'x') + "\"}";
  const auto path = manifest_path(repository, digest_of(big));
  upstream.on(path).answer(200).header("Content-Type", "application/json").body(big);
  Gateway gateway(upstream);
  gateway.start();
  CHECK(gateway.get(path).status == 502);
}

TEST_CASE("a registry that says no digest in HEAD is asked for the manifest itself") {
  ScriptedUpstream upstream;
  const auto image = make_image("linux/amd64", "layer");
  upstream.on(tag_path)
      .answer(200)
      .header("Content-Type", image.manifest.media_type)
      .body(image.manifest.bytes);
  Gateway gateway(upstream);
  gateway.start();
  const auto got = gateway.get(tag_path);
  CHECK(got.body == image.manifest.bytes);
  CHECK(got.header("Docker-Content-Digest") == image.manifest.digest);
}

TEST_CASE("a blob by way of a redirect goes without the credential") {
  ScriptedUpstream upstream;
  ScriptedUpstream elsewhere;
  const auto blob = noise(100'000);
  const auto path = blob_path(repository, digest_of(blob));
  elsewhere.on("/signed").answer(200).body(blob);
  upstream.on(path).answer(307).redirect(elsewhere.url() + "/signed?secret=canary");
  upstream.guard("/v2/", "Basic bWU6aHVzaA==", "Basic realm=\"x\"");
  Gateway gateway(upstream);
  gateway.settings.upstreams[0].credentials = {{.username = "me", .password = "hush"}};
  gateway.start();
  CHECK(gateway.get(path).body == blob);
  REQUIRE(elsewhere.requests().size() == 1);
  CHECK(elsewhere.requests()[0].header("Authorization").empty());
  for (const std::string secret : {"canary", "hush", "bWU6aHVzaA"}) {
    CAPTURE(secret);
    CHECK(gateway.log_text().find(secret) == std::string::npos);
  }
}

TEST_CASE("after a restart without any upstream everything cached is served by tag and digest") {
  auto upstream = std::make_unique<ScriptedUpstream>();
  const std::vector<Image> images{make_image("linux/amd64", noise(90'000, 1)),
                                  make_image("linux/arm64", noise(90'000, 2))};
  const auto index = make_index(images);
  for (const auto& image : images) publish(*upstream, repository, image);
  publish(*upstream, repository, index, "1");
  std::shared_ptr<ScratchDirectory> cache;
  {
    Gateway gateway(*upstream);
    cache = gateway.cache();
    gateway.start();
    CHECK(gateway.get(tag_path).body == index.bytes);
    for (const auto& image : images) {
      CHECK(gateway.get(manifest_path(repository, image.manifest.digest)).complete);
      for (const auto& bytes : {image.config, image.layer}) {
        CHECK(gateway.get(blob_path(repository, digest_of(bytes))).body == bytes);
      }
    }
    CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 4));
    gateway.stop();
  }
  Gateway gateway(*upstream, cache);
  upstream.reset();
  gateway.start();
  CHECK(gateway.get(tag_path).body == index.bytes);
  CHECK(gateway.get(tag_path, {{"Archway-Platform", "linux/arm64"}}).body ==
        images[1].manifest.bytes);
  for (const auto& image : images) {
    const auto by_digest = gateway.get(manifest_path(repository, image.manifest.digest));
    CHECK(by_digest.body == image.manifest.bytes);
    CHECK(by_digest.header("Archway-Cache") == "hit");
    for (const auto& bytes : {image.config, image.layer}) {
      CHECK(gateway.get(blob_path(repository, digest_of(bytes))).body == bytes);
    }
  }
  const auto unknown = gateway.get(manifest_path(repository, "2"));
  CHECK(unknown.status == 504);
  CHECK(unknown.body.find("docker.io") != std::string::npos);
}

TEST_CASE("a second gateway on one cache directory says who holds it") {
  ScriptedUpstream upstream;
  Gateway first(upstream);
  first.start();
  const auto log = metrics::Log::make({.level = metrics::Level::error});
  Gateway second(upstream, first.cache());
  const auto refused = proxy::Server::start(second.settings, log.get());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::storage_failed);
  CHECK(refused.error().retryable);
  CHECK(refused.error().message.find(std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("the operator's port") {
  ScriptedUpstream upstream;
  Gateway gateway(upstream);
  gateway.start();
  const auto admin = gateway.server().endpoints().back().port;
  CHECK(fetch(admin, "/healthz").status == 200);
  CHECK(fetch(admin, "/readyz").status == 200);
  CHECK(fetch(admin, "/metrics").header("Content-Type") ==
        "text/plain; version=0.0.4; charset=utf-8");
  CHECK(gateway.get("/metrics").status == 404);  // Not on the clients' port.
}

}  // namespace
}  // namespace archway::test
