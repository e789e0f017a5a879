#include "proxy/upstream/tokens.hpp"
#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

struct Bench : ExchangeBench {
  Tokens tokens{nullptr};

  Result<Authorization> authorization(const Settings::Upstream& upstream,
                                      resolver::Challenge challenge) {
    const Challenged challenged{.challenge = std::move(challenge),
                                .upstream_at = *resolver::Address::parse("127.0.0.1")};
    return test::run(loop, tokens.authorization(std::make_shared<Settings::Upstream>(upstream),
                                                exchange, challenged, "", 20s));
  }
};

Settings::Upstream with_identity_token(const std::string& url) {
  auto upstream = upstream_at(url);
  upstream.credentials = {
      {.username = std::string(identity_token_user), .password = "s3cret/identity+token="}};
  return upstream;
}

resolver::Challenge bearer(const std::string& realm) {
  return {.scheme = resolver::Challenge::Scheme::bearer,
          .realm = realm,
          .service = "a registry",
          .scope = "repository:a:pull,push repository:b:pull"};
}

TEST_CASE("an identity token buys tokens by a form, and is kept out of the URL") {
  test::ScriptedUpstream service;
  service.on("/token").answer(200).json(R"({"access_token":"abc","refresh_token":"other"})");
  Bench bench;
  const auto upstream = with_identity_token(service.url());
  for (int i = 0; i < 2; ++i) {
    const auto got = bench.authorization(upstream, bearer(service.url() + "/token?account=x"));
    REQUIRE(got);
    CHECK(got->field == "Bearer abc");
  }
  REQUIRE(service.requests().size() == 1);
  const auto request = service.requests().front();
  CHECK(request.method == "POST");
  CHECK(request.target == "/token?account=x");
  CHECK(request.header("Content-Type") == "application/x-www-form-urlencoded");
  CHECK(request.header("Authorization").empty());
  CHECK(request.body ==
        "grant_type=refresh_token&client_id=archway&service=a%20registry"
        "&scope=repository%3Aa%3Apull%2Cpush%20repository%3Ab%3Apull"
        "&refresh_token=s3cret%2Fidentity%2Btoken%3D");
}

TEST_CASE("an identity token is shown to no other host, and an anonymous refusal says why") {
  test::ScriptedUpstream registry;
  test::ScriptedUpstream elsewhere;
  elsewhere.on("/token").answer(401);
  Bench bench;
  const auto got =
      bench.authorization(with_identity_token(registry.url()), bearer(elsewhere.url() + "/token"));
  REQUIRE_FALSE(got);
  CHECK(got.error().code == Errc::denied);
  CHECK(got.error().message ==
        "the token service of test.registry does not let archway in without credentials; "
        "127.0.0.1 is not among its token realms and was not shown them");
  const auto request = elsewhere.requests().front();
  CHECK(request.method == "GET");
  CHECK(request.body.empty());
  CHECK(request.target.find("s3cret") == std::string::npos);
}

TEST_CASE("Basic cannot be answered with an identity token") {
  Bench bench;
  const auto got =
      bench.authorization(with_identity_token("https://registry.test"), resolver::Challenge());
  REQUIRE_FALSE(got);
  CHECK(got.error().code == Errc::denied);
  CHECK(got.error().message.find("identity token") != std::string::npos);
  CHECK(got.error().message.find("s3cret") == std::string::npos);
}

}  // namespace
}  // namespace archway::proxy
