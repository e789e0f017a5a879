// Who may have what: over every way to ask, for an image that is everybody's and one that is not.

#include "tests/integration/access_bench.hpp"

#include <chrono>

namespace archway::test {
namespace {

using Access = proxy::Settings::Access;

struct Way {
  const char* why;
  std::string target;
  Headers headers = {};
  std::string method = "GET";
  std::string body = {};        ///< of the right answer; "": any
  bool needs_upstream = false;  ///< also when all of it is cached
};

/// Every way to ask for an image.
std::vector<Way> ways_to(const std::string& repository, const std::vector<Image>& images,
                         const Document& index) {
  const auto& image = images.front();
  const auto blob = blob_path(repository, digest_of(image.layer));
  const auto tag = manifest_path(repository, "1");
  const auto by_digest = manifest_path(repository, index.digest);
  return {
      {"tag", tag, {}, "GET", index.bytes},
      {"HEAD of a tag", tag, {}, "HEAD"},
      {"a tag's child", tag, {{"Archway-Platform", "linux/amd64"}}, "GET", image.manifest.bytes},
      {"digest", by_digest, {}, "GET", index.bytes},
      {"HEAD of a digest", by_digest, {}, "HEAD"},
      {"a digest that the client has", by_digest, {{"If-None-Match", "\"" + index.digest + "\""}}},
      {"child", manifest_path(repository, image.manifest.digest), {}, "GET", image.manifest.bytes},
      {"config", blob_path(repository, digest_of(image.config)), {}, "GET", image.config},
      {"blob", blob, {}, "GET", image.layer},
      {"HEAD of a blob", blob, {}, "HEAD"},
      {"range", blob, {{"Range", "bytes=0-99"}}, "GET", image.layer.substr(0, 100)},
      {"far range",
       blob,
       {{"Range", "bytes=-50"}},
       "GET",
       image.layer.substr(image.layer.size() - 50)},
      {"tags", "/v2/" + repository + "/tags/list", {}, "GET", "", true},
      {"referrers", "/v2/" + repository + "/referrers/" + index.digest},
      {"by the upstream's name",
       manifest_path("docker.io/" + repository, "1"),
       {},
       "GET",
       index.bytes},
      {"by a platform's path",
       "/platform/linux-arm64" + tag,
       {},
       "GET",
       images.back().manifest.bytes},
  };
}

/// One state of the world, asked about by everybody in every way.
struct Matrix {
  const PrivateRegistry& registry;
  const Gateway& gateway;
  bool shared = false;
  bool down = false;
  bool alice_first = false;

  Answer ask(const Person& person, const Way& way) const {
    auto headers = person.headers;
    headers.insert(headers.end(), way.headers.begin(), way.headers.end());
    return fetch(gateway.port(), way.target, headers, way.method);
  }

  void check_given(const Way& way, const Answer& answer) const {
    const bool good = answer.status == 200 || answer.status == 206 || answer.status == 304;
    if (down && way.needs_upstream) {
      CHECK(answer.status >= 503);
      return;
    }
    CHECK_MESSAGE(good, answer.status, " ", answer.body);
    if (!way.body.empty()) CHECK((answer.body == way.body));
  }

  void check_kept_back(const Person& person, const Answer& answer) const {
    CHECK(answer.status >= 400);
    CHECK(answer.body.find("canary") == std::string::npos);
    CHECK(answer.header("Docker-Content-Digest").empty());
    for (const auto& image : registry.own) {
      CHECK(answer.body.find(image.manifest.digest) == std::string::npos);
    }
    const bool asked_for_any = person.headers.empty() && !down;
    if (asked_for_any) CHECK(answer.status == 401);
    CHECK(answer.header("WWW-Authenticate").empty() == (answer.status != 401));
  }

  void run() const {
    for (const auto& way : ways_to(registry.open, registry.hi, registry.hi_index)) {
      for (const auto& person : people()) {
        CAPTURE(person.name);
        CAPTURE(way.why);
        check_given(way, ask(person, way));
      }
    }
    for (const auto& person : people()) {
      const bool may = shared || person.name == std::string("alice");
      for (const auto& way : ways_to(registry.secret, registry.own, registry.own_index)) {
        CAPTURE(person.name);
        CAPTURE(way.why);
        const auto answer = ask(person, way);
        if (may) check_given(way, answer);
        if (!may) check_kept_back(person, answer);
      }
    }
  }
};

/// Nothing of what anybody may not see, on the operator's side either.
void check_operator_side(Gateway& gateway, const std::string& digest, bool shared) {
  const auto admin = gateway.server().endpoints().back().port;
  for (const auto& target :
       std::vector<std::string>{"/api/v1/explain?image=docker.io/acme/secret:1", "/metrics",
                                "/api/v1/cached?image=docker.io/acme/secret&digest=" + digest,
                                "/api/v1/holdings", "/api/v1/upstreams", "/api/v1/status"}) {
    CAPTURE(target);
    const auto answer = fetch(admin, target);
    CHECK(answer.status == 200);
    CHECK(answer.body.find("canary") == std::string::npos);
    if (!target.starts_with("/api/v1/explain") || shared) continue;
    CHECK(answer.body.find(R"("error_code":"UNAUTHORIZED")") != std::string::npos);
    CHECK(answer.body.find(R"("digest":"")") != std::string::npos);
  }
}

void check_no_credentials(const Gateway& gateway) {
  const auto log = gateway.log_text();
  for (const auto* word : {"canary", "YWxpY2U6", "Ym9iOm", "cm9ib3Q6"}) {
    CAPTURE(word);
    CHECK(log.find(word) == std::string::npos);
  }
}

struct Mode {
  const char* why;
  Access access;
  bool account;
};

TEST_CASE("who may have what, by every way to ask: nobody has what is not theirs") {
  const Mode modes[] = {
      {"shared: what archway may fetch, everybody may have", Access::shared, true},
      {"client, and archway has an account of its own", Access::client, true},
      {"client, and archway fetches with what the client lends", Access::client, false},
  };
  for (const auto& mode : modes) {
    CAPTURE(mode.why);
    PrivateRegistry registry;
    const auto gateway = registry.gateway(mode.access, mode.account);
    Matrix matrix{
        .registry = registry, .gateway = *gateway, .shared = mode.access == Access::shared};
    INFO("not cached");
    matrix.run();
    INFO("cached");
    matrix.run();
    registry.upstream.reset();
    INFO("the upstream is down");
    matrix.down = true;
    matrix.run();
    check_operator_side(*gateway, registry.own_index.digest, matrix.shared);
    gateway->stop();
    check_no_credentials(*gateway);
  }
}

TEST_CASE("what was not checked in time is not served while the upstream cannot be asked") {
  PrivateRegistry registry;
  const auto before = registry.gateway(Access::client, true);
  const auto target = manifest_path(registry.secret, "1");
  REQUIRE(before->get(target, {{"Authorization", alice}}).status == 200);
  before->stop();
  Gateway after(*registry.upstream, before->cache());
  after.settings.upstreams = before->settings.upstreams;
  after.start();
  registry.upstream.reset();
  const auto answer = after.get(target, {{"Authorization", alice}});
  CHECK(answer.status == 504);
  CHECK(answer.body.find("nobody can say who may have docker.io/acme/secret") != std::string::npos);
  CHECK(answer.body.find(registry.own_index.digest) == std::string::npos);
}

TEST_CASE("access that was taken back ends with the next check") {
  PrivateRegistry registry;
  auto gateway = registry.gateway(Access::client, true);
  const auto target = manifest_path(registry.secret, registry.own_index.digest);
  REQUIRE(gateway->get(target, {{"Authorization", alice}}).status == 200);
  const auto settings = gateway->settings;
  const auto cache = gateway->cache();
  registry.upstream->guard("/v2/acme/", robot, "Basic realm=\"scripted\"");
  CHECK(gateway->get(target, {{"Authorization", alice}}).status == 200);
  gateway->stop();
  Gateway after(*registry.upstream, cache);  // As when `recheck` is over: nothing is remembered.
  after.settings.upstreams = settings.upstreams;
  after.start();
  const auto answer = after.get(target, {{"Authorization", alice}});
  CHECK(answer.status == 403);
  CHECK(answer.body.find("those that were sent are not") != std::string::npos);
}

TEST_CASE("one check an image and credential serves a whole pull") {
  PrivateRegistry registry;
  const auto gateway = registry.gateway(Access::client, true);
  const auto& image = registry.own.front();
  const auto tag = manifest_path(registry.secret, "1");
  const Headers as_alice{{"Authorization", alice}};
  CHECK(gateway->get(tag, as_alice).status == 200);
  CHECK(gateway->get(manifest_path(registry.secret, image.manifest.digest), as_alice).status ==
        200);
  CHECK(gateway->get(blob_path(registry.secret, digest_of(image.layer)), as_alice).status == 200);
  std::size_t asked_as_alice = 0;
  for (const auto& request : registry.upstream->requests()) {
    if (request.header("Authorization") == alice) ++asked_as_alice;
  }
  CHECK(asked_as_alice == 1);
}

TEST_CASE("a token that the upstream gave to a client is shown to it, and to nobody else") {
  for (const bool account : {true, false}) {
    PrivateRegistry registry;
    registry.upstream->admit("/v2/acme/", "Bearer canary-token");
    const auto gateway = registry.gateway(Access::client, account);
    const auto layer = digest_of(registry.own.front().layer);
    for (const auto& target :
         {manifest_path(registry.secret, "1"), blob_path(registry.secret, layer)}) {
      CHECK(gateway->get(target, {{"Authorization", "Bearer canary-token"}}).status == 200);
      CHECK(gateway->get(target, {{"Authorization", "Bearer canary-other"}}).status == 403);
    }
    gateway->stop();
    check_no_credentials(*gateway);
  }
}

TEST_CASE("a blob is served only under a name that has it, whatever is cached") {
  PrivateRegistry registry;
  const auto gateway = registry.gateway(Access::shared, true);
  const auto layer = digest_of(registry.own.front().layer);
  REQUIRE(gateway->get(blob_path(registry.secret, layer)).status == 200);
  for (const Headers& headers : {Headers{}, Headers{{"Range", "bytes=0-9"}}}) {
    for (const auto* method : {"GET", "HEAD"}) {
      const auto answer = fetch(gateway->port(), blob_path(registry.open, layer), headers, method);
      CHECK(answer.status == 404);
      CHECK(answer.body.find("canary") == std::string::npos);
    }
  }
  CHECK(gateway->get(manifest_path(registry.open, registry.own_index.digest)).status == 404);
}

TEST_CASE("a ping is challenged only for those whose images need it") {
  PrivateRegistry registry;
  struct Row {
    const char* why;
    Access docker_hub;
    Access other;
    Headers headers;
    int want;
  };
  const Headers docker{{"User-Agent", "docker/28.3.3 go/go1.24.5"}};
  const Headers skopeo{{"User-Agent", "skopeo/1.20"}};
  const Row rows[] = {
      {"nothing configured", Access::shared, Access::shared, skopeo, 200},
      {"dockerd asks for the default upstream", Access::client, Access::shared, docker, 401},
      {"dockerd would show Docker Hub's password", Access::shared, Access::client, docker, 200},
      {"skopeo may ask for either", Access::shared, Access::client, skopeo, 401},
      {"by a host name of one upstream",
       Access::client,
       Access::shared,
       {{"Host", "other.lan:5000"}},
       200},
      {"by a host name of the other",
       Access::shared,
       Access::client,
       {{"Host", "other.lan:5000"}},
       401},
      {"with credentials", Access::client, Access::client, {{"Authorization", alice}}, 200},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Gateway gateway(*registry.upstream);
    gateway.settings.upstreams.front().access = row.docker_hub;
    auto other = gateway.settings.upstreams.front();
    other.name = "other.lan";
    other.hosts = {"other.lan"};
    other.is_default = false;
    other.access = row.other;
    gateway.settings.upstreams.push_back(other);
    gateway.start();
    const auto answer = gateway.get("/v2/", row.headers);
    CHECK(answer.status == row.want);
    CHECK(answer.header("WWW-Authenticate") == (row.want == 401 ? "Basic realm=\"archway\"" : ""));
  }
}

TEST_CASE("images outside the operator's lists are refused without asking anybody") {
  PrivateRegistry registry;
  Gateway gateway(*registry.upstream);
  gateway.settings.access.allow = {"docker.io/library/*"};
  gateway.settings.access.deny = {"docker.io/library/old"};
  gateway.start();
  CHECK(gateway.get(manifest_path(registry.open, "1")).status == 200);
  const auto asked = registry.upstream->requests().size();
  for (const auto* repository : {"library/old", "acme/secret"}) {
    for (const auto& way : ways_to(repository, registry.own, registry.own_index)) {
      CAPTURE(repository);
      CAPTURE(way.why);
      const auto answer = fetch(gateway.port(), way.target, way.headers, way.method);
      CHECK(answer.status == 403);
      if (way.method == "GET") CHECK(answer.body.find("DENIED") != std::string::npos);
    }
  }
  const auto admin = gateway.server().endpoints().back().port;
  const auto explained = fetch(admin, "/api/v1/explain?image=docker.io/library/old:1");
  CHECK(explained.body.find("access.deny has docker.io/library/old") != std::string::npos);
  CHECK(registry.upstream->requests().size() == asked);
}

}  // namespace
}  // namespace archway::test
