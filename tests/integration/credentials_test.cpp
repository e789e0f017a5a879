// What a client sees of how archway logs in at its upstreams: nothing while it works, and one
// sentence when it does not.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <chrono>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace archway::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* repository = "library/hi";

std::string bearer(const ScriptedUpstream& service) {
  return "Bearer realm=\"" + service.url() +
         "/token\",service=\"test\",scope=\"repository:library/hi:pull\"";
}

/// An image behind a token service of its own.
struct Fixture {
  ScriptedUpstream registry;
  std::unique_ptr<ScriptedUpstream> service = std::make_unique<ScriptedUpstream>();
  Image image = make_image("linux/amd64", noise(300'000));
  std::string path = manifest_path(repository, image.manifest.digest);
  std::string blob = blob_path(repository, digest_of(image.layer));
  Gateway gateway{registry};

  Fixture() {
    publish(registry, repository, image);
    registry.guard("/v2/", "Bearer good", bearer(*service));
    auto& upstream = gateway.settings.upstreams[0];
    upstream.token_realms = {"127.0.0.1:" + std::to_string(service->port())};
    upstream.credentials = {{.username = "me", .password = "canary"}};
  }
  void give_token() {
    service->on("/token").answer(200).json(R"({"token":"good","expires_in":300})");
  }
  /// What the client is told, and that no secret is told to anybody.
  void refused(int status, const std::string& sentence) {
    gateway.start();
    const auto got = gateway.get(path);
    CHECK(got.status == status);
    CAPTURE(got.body);
    CHECK(got.body.find(sentence) != std::string::npos);
    for (const std::string secret : {"canary", "bWU6Y2FuYXJ5"}) {
      CHECK(got.body.find(secret) == std::string::npos);
      CHECK(gateway.log_text().find(secret) == std::string::npos);
    }
  }
};

TEST_CASE_FIXTURE(Fixture, "a token service that is down is named to the client") {
  service.reset();
  refused(504, "the token service of docker.io: 127.0.0.1 cannot be reached");
}

TEST_CASE_FIXTURE(Fixture, "a token service that is silent is given up in time, and named") {
  service->on("/token").answer(200).hang(service->gate());
  gateway.settings.timeouts.first_byte = 50ms;
  refused(504, "the token service of docker.io: the upstream did not answer in time");
}

TEST_CASE_FIXTURE(Fixture, "a token service that breaks is named with what it answered") {
  service->on("/token").answer(500);
  refused(502, "the token service of docker.io answered with status 500");
}

TEST_CASE_FIXTURE(Fixture, "a token service whose answer is huge is read no further than 64 KiB") {
  service->on("/token").answer(200).body(std::string(1'000'000, ' '));
  refused(502,
          "the token service of docker.io: its answer is larger than 64 KiB, which no token is");
}

TEST_CASE_FIXTURE(Fixture,
                  "a token service that speaks no JSON is named as one that makes no sense") {
  service->on("/token").answer(200).body("<html>log in</html>");
  refused(502,
          "the token service of docker.io: its answer makes no sense: it holds no token that can "
          "be sent");
}

TEST_CASE_FIXTURE(Fixture, "a token service that refuses the credentials is named") {
  service->on("/token").answer(401);
  refused(403, "the token service of docker.io refuses the credentials that archway has for it");
}

TEST_CASE_FIXTURE(Fixture, "a hundred pulls at once cost one token") {
  give_token();
  gateway.start();
  std::vector<std::thread> threads;
  std::vector<Answer> answers(100);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&, i] { answers[i] = gateway.get(i % 2 == 0 ? path : blob); });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CHECK(answers[i].body == (i % 2 == 0 ? image.manifest.bytes : image.layer));
  }
  CHECK(service->count("GET", "/token") == 1);
}

TEST_CASE("a token that ends in the middle of a blob is renewed once, and the blob goes on there") {
  ScriptedUpstream registry;
  const auto blob = noise(400'000);
  const auto path = blob_path(repository, digest_of(blob));
  const auto gate = registry.gate();
  registry.on(path).answer(401).header("WWW-Authenticate", bearer(registry));
  registry.on(path).answer(200).body(blob).ranges().cut_after(100'000);
  registry.on(path).answer(401).header("WWW-Authenticate", bearer(registry));
  registry.on(path).answer(200).body(blob).ranges();
  registry.on("/token").answer(200).json(R"({"token":"first","expires_in":300})");
  registry.on("/token").answer(200).json(R"({"token":"second","expires_in":300})");
  Gateway gateway(registry);
  gateway.settings.timeouts.retry_pause = 1ms;
  gateway.start();
  const auto got = gateway.get(path);
  CHECK(got.complete);
  CHECK(got.body == blob);
  CHECK(registry.count("GET", "/token") == 2);
  const auto requests = registry.requests();
  const auto last = requests.back();
  CHECK(last.header("Authorization") == "Bearer second");
  CHECK(last.header("Range") == "bytes=100000-");
  CHECK(std::count_if(requests.begin(), requests.end(), [](const auto& request) {
          return request.header("Range") == "bytes=100000-";
        }) == 2);
}

TEST_CASE_FIXTURE(Fixture, "a password that is replaced while archway runs is used from then on") {
  const TempDir folder;
  const auto file = folder.write("password", "old\n");
  gateway.settings.upstreams[0].credentials = {{.username = "me", .password_file = file}};
  registry.guard("/v2/", "Basic bWU6b2xk", "Basic realm=\"x\"");  // me:old
  gateway.start();
  CHECK(gateway.get(path).body == image.manifest.bytes);
  folder.write("password", "new\n");
  registry.guard("/v2/", "Basic bWU6bmV3", "Basic realm=\"x\"");
  CHECK(gateway.get(blob).body == image.layer);
}

TEST_CASE_FIXTURE(Fixture,
                  "a realm on another host is asked without credentials, and the client is told") {
  gateway.settings.upstreams[0].token_realms = {};
  service->on("/token").answer(401);
  refused(403,
          "the token service of docker.io does not let archway in without credentials; 127.0.0.1 "
          "is not among its token realms and was not shown them");
  REQUIRE(service->requests().size() == 1);
  const auto request = service->requests()[0];
  CHECK(request.target.find("canary") == std::string::npos);
  for (const auto& [name, value] : request.headers) {
    CHECK(value.find("bWU6Y2FuYXJ5") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "tokens as long as registries make them pass, a client's and the upstream's") {
  const std::string longest(16 * 1024, 't');
  registry.guard("/v2/", "Bearer " + longest, bearer(*service));
  service->on("/token").answer(200).json("{\"token\":\"" + longest + "\"}");
  gateway.start();
  const auto got = gateway.get(path, {{"Authorization", "Bearer " + std::string(30'000, 'c')}});
  CHECK(got.body == image.manifest.bytes);
}

/// A client may send what it has for Docker Hub: dockerd does so to a mirror that asks for it.
TEST_CASE_FIXTURE(Fixture, "a client's credentials go nowhere, are not kept, and are not logged") {
  registry.guard("/v2/", "", "");
  gateway.settings.upstreams[0].credentials = {};
  gateway.settings.log_level = metrics::Level::debug;
  gateway.start();
  for (const std::string shown : {"Basic Y2xpZW50OnNlY3JldA==", "Bearer client-secret"}) {
    CHECK(gateway.get(path, {{"Authorization", shown}}).body == image.manifest.bytes);
    CHECK(gateway.get(blob, {{"Authorization", shown}}).body == image.layer);
  }
  for (const auto& request : registry.requests()) {
    CHECK(request.header("Authorization").empty());
  }
  for (const std::string secret : {"Y2xpZW50OnNlY3JldA", "client-secret"}) {
    CHECK(gateway.log_text().find(secret) == std::string::npos);
  }
}

}  // namespace
}  // namespace archway::test
