// Credentials that are guessed, and upstreams that say yes to everything.

#include "tests/integration/access_bench.hpp"

#include <algorithm>
#include <set>
#include <thread>

namespace archway::test {
namespace {

using Access = proxy::Settings::Access;

TEST_CASE("guessing is bounded: many wrong passwords from one address reach no upstream") {
  PrivateRegistry registry;
  const auto gateway = registry.gateway(Access::client, true);
  const auto target = manifest_path(registry.secret, "1");
  REQUIRE(gateway->get(target, {{"Authorization", alice}}).status == 200);
  const std::vector<std::string> guesses{"YTpi", "YTpj", "YTpk", "YTpl", "YTpm", "YTpn", "YTpo",
                                         "YTpp", "YTpq", "YTpr", "YTpz", "YTp0", "YTp1"};
  Answer last;
  for (const auto& guess : guesses) {
    last = gateway->get(target, {{"Authorization", "Basic " + guess}});
  }
  CHECK(last.status == 503);
  CHECK(last.header("Retry-After") == "60");
  CHECK(last.body.find("too many wrong credentials") != std::string::npos);
  CHECK(gateway->get(target, {{"Authorization", alice}}).status == 200);
  std::size_t guessed = 0;
  for (const auto& request : registry.upstream->requests()) {
    if (request.header("Authorization") == "Basic YTp1") ++guessed;
  }
  CHECK(guessed == 0);
}

TEST_CASE("guesses that come at once are bounded, too, and the right credentials wait their turn") {
  PrivateRegistry registry;
  const auto gateway = registry.gateway(Access::client, true);
  const auto target = manifest_path(registry.secret, "1");
  std::vector<int> statuses(30);
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const auto guess = "Bearer guess-" + std::to_string(i);
    clients.emplace_back([&gateway, &target, guess, &status = statuses[i]] {
      status = gateway->get(target, {{"Authorization", guess}}).status;
    });
  }
  for (auto& client : clients) client.join();
  CHECK(std::count(statuses.begin(), statuses.end(), 403) == 10);
  CHECK(std::count(statuses.begin(), statuses.end(), 503) == 20);
  std::set<std::string> guessed;
  for (const auto& request : registry.upstream->requests()) {
    const auto shown = request.header("Authorization");
    if (shown.starts_with("Bearer guess-")) guessed.insert(shown);
  }
  CHECK(guessed.size() == 10);
}

TEST_CASE("many who are right at once are all let in") {
  PrivateRegistry registry;
  for (int i = 0; i < 30; ++i) {
    registry.upstream->admit("/v2/acme/", "Bearer token-" + std::to_string(i));
  }
  const auto gateway = registry.gateway(Access::client, true);
  const auto target = manifest_path(registry.secret, "1");
  std::vector<int> statuses(30);
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const auto token = "Bearer token-" + std::to_string(i);
    clients.emplace_back([&gateway, &target, token, &status = statuses[i]] {
      status = gateway->get(target, {{"Authorization", token}}).status;
    });
  }
  for (auto& client : clients) client.join();
  CHECK(std::count(statuses.begin(), statuses.end(), 200) == 30);
}

TEST_CASE("a page that answers to everything lets nobody at an image") {
  struct Row {
    const char* why;
    const char* type;
    std::string page;
  };
  const auto image = make_image("linux/amd64", noise(5000, 7));
  const Row rows[] = {
      {"a document, for a blob that is not here", "application/json", "{}"},
      {"of another length than the blob that is here", "application/octet-stream", "welcome"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    ScriptedUpstream upstream;
    publish(upstream, "acme/app", image.manifest, "1");
    const auto layer = blob_path("acme/app", digest_of(image.layer));
    const bool cached = row.page == "welcome";
    if (cached) upstream.on(layer).answer(200).body(image.layer);
    upstream.on(layer).answer(200).header("Content-Type", row.type).body(row.page);
    Gateway gateway(upstream);
    gateway.settings.upstreams.front().access = Access::client;
    gateway.start();
    if (cached) {
      REQUIRE(gateway.get(manifest_path("acme/app", "1"), {{"Authorization", alice}}).status ==
              200);
      REQUIRE(gateway.get(layer, {{"Authorization", alice}}).body == image.layer);
    }
    const auto answer = gateway.get(layer, {{"Authorization", bob}});
    CHECK(answer.status == 502);
    CHECK(answer.body.find("something else than what was asked for") != std::string::npos);
  }
}

}  // namespace
}  // namespace archway::test
