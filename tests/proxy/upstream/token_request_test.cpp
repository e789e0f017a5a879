#include "proxy/upstream/token_request.hpp"

#include "proxy/upstream/token_answer.hpp"
#include "resolver/challenge.hpp"

#include <doctest/doctest.h>
#include <optional>
#include <string>

namespace archway::proxy {
namespace {

/// A registry as its documentation shows it: what it challenges with, what it is then asked, and
/// what it gives.
struct Row {
  const char* registry;
  const char* url;
  const char* realm_host;  ///< in `token_realms`; "" : none is needed
  const char* challenge;
  const char* asked;   ///< URL with its query; without credentials the same
  const char* answer;  ///< the token service's JSON
  const char* token;   ///< what is then sent behind `Bearer `
  int seconds;         ///< how long it is good for
};

// Sources: the registries' own documentation of their token services, and the CNCF distribution
// project's token specification, which all of them follow in their own way.
const Row rows[] = {
    {"Docker Hub", "https://registry-1.docker.io", "auth.docker.io",
     R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull")",
     "https://auth.docker.io/"
     "token?service=registry.docker.io&scope=repository%3Alibrary%2Falpine%3Apull",
     R"({"token":"hub.t","access_token":"hub.t","expires_in":300,"issued_at":"2026-11-22T10:00:00.0Z"})",
     "hub.t", 300},
    {"GitHub", "https://ghcr.io", "",
     R"(Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull")",
     "https://ghcr.io/token?service=ghcr.io&scope=repository%3Auser%2Fimage%3Apull",
     R"({"token":"djE6dXNlcg=="})", "djE6dXNlcg==", 60},
    {"Quay", "https://quay.io", "",
     R"(Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="repository:prometheus/node-exporter:pull")",
     "https://quay.io/v2/auth?service=quay.io&scope=repository%3Aprometheus%2Fnode-exporter%3Apull",
     R"({"token":"eyJ.quay"})", "eyJ.quay", 60},
    {"Google, the old registry", "https://gcr.io", "",
     R"(Bearer realm="https://gcr.io/v2/token",service="gcr.io",scope="repository:project/image:pull")",
     "https://gcr.io/v2/token?service=gcr.io&scope=repository%3Aproject%2Fimage%3Apull",
     R"({"expires_in":43200,"issued_at":"2026-11-22T02:00:00-08:00","token":"AJAD5v"})", "AJAD5v",
     3600},
    {"Google, the new registry", "https://europe-docker.pkg.dev", "",
     R"(Bearer realm="https://europe-docker.pkg.dev/v2/token",service="europe-docker.pkg.dev",scope="repository:p/r/i:pull")",
     "https://europe-docker.pkg.dev/v2/"
     "token?service=europe-docker.pkg.dev&scope=repository%3Ap%2Fr%2Fi%3Apull",
     R"({"token":"AJAD5v","expires_in":3600})", "AJAD5v", 3600},
    {"Amazon's public registry", "https://public.ecr.aws", "",
     R"(Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws")",
     "https://public.ecr.aws/token/?service=public.ecr.aws&scope=aws", R"({"token":"eyJ.ecr"})",
     "eyJ.ecr", 60},
    {"GitLab", "https://registry.gitlab.com", "gitlab.com",
     R"(Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="repository:group/project:pull",error="invalid_token")",
     "https://gitlab.com/jwt/"
     "auth?service=container_registry&scope=repository%3Agroup%2Fproject%3Apull",
     R"({"token":"eyJ.gitlab"})", "eyJ.gitlab", 60},
    {"Harbor", "https://harbor.lan", "",
     R"(Bearer realm="https://harbor.lan/service/token",service="harbor-registry",scope="repository:library/app:pull")",
     "https://harbor.lan/service/"
     "token?service=harbor-registry&scope=repository%3Alibrary%2Fapp%3Apull",
     R"({"token":"eyJ.h","access_token":"","expires_in":1800,"issued_at":"2026-11-22T10:00:00Z"})",
     "eyJ.h", 1800},
    {"Azure", "https://me.azurecr.io", "",
     R"(Bearer realm="https://me.azurecr.io/oauth2/token",service="me.azurecr.io",scope="repository:app:pull")",
     "https://me.azurecr.io/oauth2/token?service=me.azurecr.io&scope=repository%3Aapp%3Apull",
     R"({"access_token":"eyJ.acr"})", "eyJ.acr", 60},
    {"a realm with a query, several scopes, other quoting", "https://registry.lan:5000", "",
     R"(bearer scope="repository:a/b:pull repository:c:pull" , Realm="https://registry.lan:5000/t?a=b")",
     "https://registry.lan:5000/t?a=b&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apull",
     R"({"token":"t","expires_in":0,"refresh_token":"r"})", "t", 60},
};

Challenged challenged_by(const Row& row) {
  const auto challenge = resolver::to_answer(resolver::read_challenges({row.challenge}));
  REQUIRE(challenge);
  return {.challenge = *challenge, .upstream_at = *resolver::Address::parse("93.184.216.34")};
}

Settings::Upstream upstream_of(const Row& row) {
  Settings::Upstream upstream;
  upstream.name = "test.registry";
  upstream.url = *resolver::Url::parse(row.url);
  if (*row.realm_host != '\0') upstream.token_realms = {row.realm_host};
  return upstream;
}

TEST_CASE("every registry's challenge leads to the request that its token service wants") {
  const Login login("user", "secret");
  for (const auto& row : rows) {
    CAPTURE(row.registry);
    const auto upstream = upstream_of(row);
    const auto anonymous = token_request(upstream, challenged_by(row), nullptr);
    REQUIRE(anonymous);
    CHECK(anonymous->ask.verb == Verb::get);
    CHECK(anonymous->ask.destination.url.str() == row.asked);
    CHECK(anonymous->ask.fields.find("Authorization").empty());
    CHECK_FALSE(anonymous->with_credentials);

    const auto known = token_request(upstream, challenged_by(row), &login);
    REQUIRE(known);
    CHECK(known->ask.verb == Verb::get);
    CHECK(known->ask.destination.url.str() == row.asked);
    CHECK(known->ask.fields.find("Authorization") == "Basic dXNlcjpzZWNyZXQ=");
    CHECK(known->with_credentials);
    CHECK_FALSE(known->ask.destination.named_by.has_value());
    CHECK(known->key.find("secret") == std::string::npos);
  }
}

TEST_CASE("every registry's token is read, and is good for as long as it says, within bounds") {
  for (const auto& row : rows) {
    CAPTURE(row.registry);
    const auto token = read_token(row.answer);
    REQUIRE(token);
    CHECK(token->value == row.token);
    CHECK(token->valid_for == std::chrono::seconds(row.seconds));
  }
}

TEST_CASE("an identity token is a refresh token: a form, never a query or a header") {
  const Login login(std::string(identity_token_user), "refresh+token");
  for (const auto& row : rows) {
    CAPTURE(row.registry);
    const auto request = token_request(upstream_of(row), challenged_by(row), &login);
    REQUIRE(request);
    CHECK(request->ask.verb == Verb::post);
    const auto target = request->ask.destination.url.target;
    CHECK(target.find("scope") == std::string::npos);
    CHECK(target.find("refresh") == std::string::npos);
    CHECK(request->ask.fields.find("Authorization").empty());
    CHECK(request->ask.fields.find("Content-Type") == "application/x-www-form-urlencoded");
    CHECK(request->ask.body.length() > std::string("grant_type=refresh_token").size());
  }
}

/// Realms that somebody who answers for the registry may send, to have its credentials sent there.
TEST_CASE("no realm but the registry's own and those that are named sees a credential") {
  struct Evil {
    const char* why;
    std::string realm;
    bool asked;  ///< without credentials; false: nobody is asked at all
  };
  const Evil evils[] = {
      {"another host", "https://evil.test/token", true},
      {"below the registry", "https://evil.registry.test/token", true},
      {"below the realm", "https://evil.auth.test/token", true},
      {"above the registry", "https://test/token", true},
      {"its name in front", "https://registry.test.evil.test/token", true},
      {"its name behind a dash", "https://evil-registry.test/token", true},
      {"its name in the path", "https://evil.test/registry.test/token", true},
      {"its name in the query", "https://evil.test/token?host=registry.test", true},
      {"another port", "https://registry.test:8443/token", true},
      {"another port of the realm", "https://auth.test:8443/token", true},
      {"http", "http://registry.test/token", false},
      {"http at the TLS port", "http://registry.test:443/token", false},
      {"http at the realm", "http://auth.test/token", false},
      {"a private address", "https://10.0.0.1/token", true},
      {"loopback", "https://127.0.0.1/token", true},
      {"loopback, IPv6", "https://[::1]/token", true},
      {"the cloud's metadata", "https://169.254.169.254/latest/meta-data", true},
      {"user information", "https://registry.test@evil.test/token", false},
      {"user information with a port", "https://registry.test:443@evil.test/token", false},
      {"a backslash", "https://registry.test\\@evil.test/token", false},
      {"a fragment", "https://evil.test#registry.test/token", false},
      {"percent-encoding", "https://registry%2etest/token", false},
      {"an encoded slash", "https://registry.test%2f@evil.test/token", false},
      {"a full stop of another script", "https://registry\xe3\x80\x82test/token", false},
      {"letters of another script", "https://r\xd0\xb5gistry.test/token", false},
      {"a dot behind", "https://registry.test./token", true},
      {"two slashes and no scheme", "//registry.test/token", false},
      {"a decimal address", "https://2130706433/token", false},
      {"a hexadecimal address", "https://0x7f.1/token", false},
      {"a blank", "https://registry.test /token", false},
      {"a line end", "https://registry.test/token\r\nHost: evil.test", false},
      {"javascript", "javascript:alert(1)", false},
      {"nothing", "", false},
  };
  Settings::Upstream upstream;
  upstream.name = "registry.test";
  upstream.url = *resolver::Url::parse("https://registry.test");
  upstream.token_realms = {"auth.test"};
  const Login password("user", "canary");
  const Login identity(std::string(identity_token_user), "canary");
  for (const auto& evil : evils) {
    CAPTURE(evil.why);
    Challenged challenged{.challenge = {.scheme = resolver::Challenge::Scheme::bearer,
                                        .realm = evil.realm,
                                        .service = "s",
                                        .scope = "repository:a:pull"},
                          .upstream_at = *resolver::Address::parse("93.184.216.34")};
    for (const auto* const login : {&password, &identity}) {
      const auto request = token_request(upstream, challenged, login);
      // A dot behind a name is either refused or another host; both are right.
      if (!request) {
        CHECK(request.error().code == Errc::upstream_failed);
        CHECK(request.error().message.find("canary") == std::string::npos);
        CHECK((!evil.asked || std::string(evil.why) == "a dot behind"));
        continue;
      }
      CHECK(evil.asked);
      CHECK_FALSE(request->with_credentials);
      CHECK(request->ask.verb == Verb::get);
      CHECK(request->ask.fields.find("Authorization").empty());
      CHECK(request->ask.destination.url.str().find("canary") == std::string::npos);
      // Where it may lead to is then measured by where the registry is.
      REQUIRE(request->ask.destination.named_by.has_value());
    }
  }
}

}  // namespace
}  // namespace archway::proxy
