// Who comes in by a listener.

#include "tests/integration/access_bench.hpp"
#include "tests/proxy/access/htpasswd.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

namespace archway::test {
namespace {

using Access = proxy::Settings::Access;

struct Fixture {
  Fixture() : gateway(*registry.upstream) {
    std::ofstream(folder.path() / "htpasswd") << htpasswd_alice << htpasswd_bob;
    door.htpasswd = folder.path() / "htpasswd";
  }
  /// The first listener has the door, a second one none.
  void start() {
    gateway.settings.listen.push_back(gateway.settings.listen.front());
    gateway.settings.listen.front().access = door;
    gateway.start();
  }
  std::string sent_upstream() const {
    std::string text;
    for (const auto& request : registry.upstream->requests()) {
      text += request.header("Authorization");
    }
    return text;
  }

  PrivateRegistry registry;
  ScratchDirectory folder;
  proxy::Settings::Door door;
  Gateway gateway;
};

TEST_CASE_FIXTURE(Fixture, "with htpasswd nothing is served without a name and password") {
  start();
  struct Row {
    const char* why;
    Headers headers;
    int want;
  };
  const Row rows[] = {
      {"nothing", {}, 401},
      {"podman's nothing", {{"Authorization", "Basic Og=="}}, 401},
      {"a wrong password", {{"Authorization", expired}}, 401},
      {"an unknown name", {{"Authorization", robot}}, 401},
      {"a token", {{"Authorization", "Bearer abc"}}, 401},
      {"nonsense", {{"Authorization", "Basic ???"}}, 400},
      {"alice", {{"Authorization", alice}}, 200},
      {"alice again", {{"Authorization", alice}}, 200},
      {"bob", {{"Authorization", bob}}, 200},
  };
  for (const Row& row : rows) {
    for (const std::string target : {"/v2/", "/v2/library/hi/manifests/1"}) {
      CAPTURE(row.why);
      CAPTURE(target);
      const auto answer = gateway.get(target, row.headers);
      CHECK(answer.status == row.want);
      CHECK(answer.header("WWW-Authenticate") ==
            (row.want == 401 ? "Basic realm=\"archway\"" : ""));
      if (row.want == 401) CHECK(answer.body.find("name and password") != std::string::npos);
    }
  }
  CHECK(fetch(gateway.port(1), "/v2/library/hi/manifests/1").status == 200);
  CHECK(sent_upstream().empty());
  gateway.stop();
  CHECK(gateway.log_text().find("canary") == std::string::npos);
  CHECK(gateway.log_text().find("Basic") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "what lets somebody in at a door is shown to no upstream") {
  gateway.settings.upstreams.front().access = Access::client;
  start();
  const auto target = manifest_path(registry.secret, "1");
  const auto answer = gateway.get(target, {{"Authorization", alice}});
  CHECK(answer.status == 403);
  CHECK(answer.body.find("archway's own") != std::string::npos);
  CHECK(sent_upstream().empty());
  CHECK(fetch(gateway.port(1), target, {{"Authorization", alice}}).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "guessing at a door is bounded, and holds up nobody who is known") {
  start();
  REQUIRE(gateway.get("/v2/", {{"Authorization", alice}}).status == 200);
  Answer last;
  for (int i = 0; i <= 10; ++i) last = gateway.get("/v2/", {{"Authorization", expired}});
  CHECK(last.status == 503);
  CHECK(last.header("Retry-After") == "60");
  CHECK(gateway.get("/v2/", {{"Authorization", alice}}).status == 200);
}

TEST_CASE_FIXTURE(Fixture, "of guesses that come at once no more are looked at than may be wrong") {
  start();
  std::vector<int> statuses(40);
  std::vector<std::thread> guessers;
  for (auto& status : statuses) {
    guessers.emplace_back([this, &status] {
      status = gateway.get("/v2/", {{"Authorization", expired}}).status;
    });
  }
  for (auto& guesser : guessers) guesser.join();
  CHECK(std::count(statuses.begin(), statuses.end(), 401) == 10);
  CHECK(std::count(statuses.begin(), statuses.end(), 503) == 30);
}

TEST_CASE_FIXTURE(Fixture, "a door is for the networks it names, and for certificates") {
  struct Row {
    const char* why;
    const char* from;
    bool certificates;
    int want;
    const char* says;
  };
  const Row rows[] = {
      {"from here", "127.0.0.0/8", false, 200, ""},
      {"from elsewhere", "10.0.0.0/8", false, 403, "not for 127.0.0.1"},
      {"without a certificate", "127.0.0.0/8", true, 403, "a certificate of their own"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Gateway own(*registry.upstream);
    own.settings.listen.front().access = proxy::Settings::Door{
        .from = {*resolver::Network::parse(row.from)}, .certificates = row.certificates};
    own.start();
    for (const std::string target : {"/v2/", "/v2/library/hi/manifests/1"}) {
      const auto answer = own.get(target);
      CHECK(answer.status == row.want);
      CHECK(answer.body.find(row.says) != std::string::npos);
      CHECK(answer.header("WWW-Authenticate").empty());
    }
  }
}

}  // namespace
}  // namespace archway::test
