// Upstreams behind a proxy: tunnels, requests with the whole URL, and what may not be reached.

#include "proxy/upstream/tunnel.hpp"

#include "tests/proxy/upstream/fixture.hpp"
#include "tests/support/scripted_proxy.hpp"

#include <doctest/doctest.h>
#include <map>
#include <string>

namespace archway::proxy {
namespace {

const std::string credential = "Basic bWU6czNjcmV0";  // me:s3cret
const Repository repository = *Repository::parse("a");
const Reference tag = *Tag::parse("1");
const std::string path = "/v2/a/manifests/1";

Settings::Upstream behind(const std::string& proxy, const std::string& url) {
  auto upstream = upstream_at(url);
  const auto parsed = *resolver::Proxy::parse(proxy);
  upstream.proxy = {.https = parsed, .http = parsed, .loopback_too = true};
  return upstream;
}

/// Names that only the proxy knows.
std::map<std::string, std::string> nobody_resolves(const std::string& name) {
  return {{name, ""}};
}

std::string by_name(const char* scheme, const char* name, const test::ScriptedUpstream& upstream) {
  return std::string(scheme) + "://" + name + ":" + std::to_string(upstream.port());
}

TEST_CASE("an https upstream is reached by a tunnel, an http one by its whole URL") {
  for (const bool tls : {true, false}) {
    CAPTURE(tls);
    test::ScriptedUpstream upstream({.tls = tls, .certificate = {.names = {"registry.test"}}});
    test::ScriptedProxy proxy;
    const auto url = by_name(tls ? "https" : "http", "registry.test", upstream);
    upstream.on(tls ? path : url + path).answer(200).json("{}");
    auto settings = behind(proxy.authority(), url);
    settings.ca_file = upstream.ca_file_or_none();
    RegistryBench bench(settings, {}, nobody_resolves("registry.test"));
    for (int i = 0; i < 2; ++i) {
      const auto got = bench.run(bench.registry->get_manifest(repository, tag));
      REQUIRE(got);
      CHECK(got->bytes == "{}");
    }
    const auto heads = proxy.heads();
    REQUIRE(heads.size() == 1);  // the connection is kept
    const auto authority = "registry.test:" + std::to_string(upstream.port());
    CHECK(heads[0].starts_with(tls ? "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority
                                   : "GET " + url + path + " HTTP/1.1\r\nHost: " + authority));
    CHECK(heads[0].find("Proxy-Authorization") == std::string::npos);
  }
}

TEST_CASE("the proxy's credentials go to the proxy alone, and are in no message") {
  for (const bool tls : {true, false}) {
    CAPTURE(tls);
    test::ScriptedUpstream upstream({.tls = tls, .certificate = {.names = {"registry.test"}}});
    test::ScriptedProxy proxy({.authorization = credential});
    const auto url = by_name(tls ? "https" : "http", "registry.test", upstream);
    upstream.on(tls ? path : url + path).answer(200).json("{}");
    struct Row {
      const char* user_info;
      const char* says;  // "" : it works
    };
    const Row rows[] = {
        {"me:s3cret@", ""},
        {"me:wr0ng@", "refuses the user name and password"},
        {"", "asks for a user name and password"},
    };
    for (const Row& row : rows) {
      CAPTURE(std::string(row.user_info));
      auto settings = behind(row.user_info + proxy.authority(), url);
      settings.ca_file = upstream.ca_file_or_none();
      RegistryBench bench(settings);
      const auto got = bench.run(bench.registry->get_manifest(repository, tag));
      REQUIRE(got.has_value() == (*row.says == '\0'));
      if (got) continue;
      const auto text = got.error().message + got.error().context;
      CHECK(got.error().message.find("registry.test cannot be reached: the proxy " +
                                     proxy.authority() + " " + row.says) != std::string::npos);
      CHECK(got.error().code == Errc::upstream_unreachable);
      CHECK_FALSE(got.error().retryable);
      CHECK(text.find("wr0ng") == std::string::npos);
    }
    // Within a tunnel nobody but the upstream reads, and it must not see them.
    if (tls) CHECK(upstream.requests().back().header("Proxy-Authorization").empty());
  }
}

TEST_CASE("what a proxy may answer instead of a tunnel") {
  struct Row {
    const char* why;
    test::ScriptedProxy::Options proxy;
    Errc code;
    const char* says;
    bool retryable;
  };
  const Row rows[] = {
      {"it does not let us through",
       {.answer = "HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n"},
       Errc::upstream_unreachable,
       "does not let archway through (status 403)",
       false},
      {"it cannot reach it",
       {.answer = "HTTP/1.0 502 Bad Gateway\r\n\r\n"},
       Errc::upstream_unreachable,
       "cannot reach it either (status 502)",
       true},
      {"a redirect",
       {.answer = "HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n"},
       Errc::upstream_unreachable,
       "does not let archway through (status 302)",
       false},
      {"no HTTP",
       {.answer = "SSH-2.0-x\r\n\r\n"},
       Errc::upstream_failed,
       "gives an answer that makes no sense",
       true},
      {"a tunnel that speaks first",
       {.answer = "HTTP/1.1 200 OK\r\n\r\nhello"},
       Errc::upstream_failed,
       "gives an answer that makes no sense",
       true},
      {"an end",
       {.answer = "HTTP/1.1 200 OK\r\n"},
       Errc::upstream_unreachable,
       "ended the connection",
       true},
      {"interim answers without end",
       {.answer =
            [] {
              std::string many;
              for (int i = 0; i < 20; ++i) many += "HTTP/1.1 103 Early Hints\r\n\r\n";
              return many;
            }()},
       Errc::upstream_failed,
       "gives an answer that makes no sense",
       true},
      {"nothing", {.silent = true}, Errc::upstream_unreachable, "does not answer in time", true},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.why));
    test::ScriptedProxy proxy(row.proxy);
    RegistryBench bench(behind(proxy.authority(), "https://registry.test"), short_timeouts());
    const auto got = bench.run(bench.registry->get_manifest(repository, tag));
    REQUIRE_FALSE(got);
    CHECK(got.error().code == row.code);
    CHECK(got.error().message.find("registry.test cannot be reached: the proxy " +
                                   proxy.authority() + " " + row.says) != std::string::npos);
    CHECK(got.error().retryable == row.retryable);
    CHECK(proxy.heads().size() == 1);
  }
}

TEST_CASE("a certificate is verified through a tunnel, too") {
  test::ScriptedUpstream upstream({.tls = true});
  test::ScriptedUpstream other({.tls = true});
  test::ScriptedProxy proxy;
  auto settings = behind(proxy.authority(), upstream.url());
  settings.ca_file = other.ca_file();
  RegistryBench bench(settings);
  const auto got = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(got);
  CHECK(got.error().message.find("its TLS certificate is refused") != std::string::npos);
  CHECK(upstream.requests().empty());
}

TEST_CASE("token services and redirects go through the proxy as well") {
  test::ScriptedUpstream upstream(
      {.tls = true, .certificate = {.names = {"registry.test", "auth.test", "cdn.test"}}});
  test::ScriptedProxy proxy;
  const auto digest = *Digest::parse("sha256:" + std::string(64, 'a'));
  upstream.guard(
      "/v2/", "Bearer abc",
      "Bearer realm=\"" + by_name("https", "auth.test", upstream) + "/token\",service=\"s\"");
  upstream.on("/token").answer(200).json(R"({"token":"abc"})");
  upstream.on("/v2/a/blobs/" + digest.str())
      .answer(307)
      .redirect(by_name("https", "cdn.test", upstream) + "/blob");
  upstream.on("/blob").answer(200).body("hello");
  auto settings = behind(proxy.authority(), by_name("https", "registry.test", upstream));
  settings.ca_file = upstream.ca_file();
  RegistryBench bench(settings, {}, {{"registry.test", ""}, {"auth.test", ""}, {"cdn.test", ""}});
  const auto got = bench.run(bench.registry->open_blob(repository, digest, 0));
  REQUIRE(got);
  const auto heads = proxy.heads();
  REQUIRE(heads.size() == 3);
  CHECK(heads[0].starts_with("CONNECT registry.test:"));
  CHECK(heads[1].starts_with("CONNECT auth.test:"));
  CHECK(heads[2].starts_with("CONNECT cdn.test:"));
}

TEST_CASE("through a proxy nobody is led to what is inside, as far as a name tells") {
  struct Row {
    const char* why;
    const char* home;
    const char* target;
    bool asked;  // is the proxy asked for it?
  };
  const Row rows[] = {
      {"a name like any other", "registry.test", "cdn.test", true},
      {"the metadata service", "registry.test", "169.254.169.254", false},
      {"the metadata service by mapping", "registry.test", "[::ffff:169.254.169.254]", false},
      {"this machine by NAT64", "registry.test", "[64:ff9b::7f00:1]", false},
      {"a private address", "registry.test", "10.0.0.7", false},
      {"this machine", "registry.test", "127.0.0.1", false},
      {"this machine by name", "registry.test", "localhost", false},
      {"a cloud's own name", "registry.test", "metadata.google.internal", false},
      {"one label", "registry.test", "intranet", false},
      {"inside from inside", "registry.lan", "s3.lan", true},
      {"this machine from this machine", "127.0.0.1", "127.0.0.1", true},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.why));
    test::ScriptedUpstream upstream;
    test::ScriptedUpstream target;
    test::ScriptedProxy proxy;
    const auto url = by_name("http", row.home, upstream);
    const auto to = by_name("http", row.target, target);
    upstream.on(url + path).answer(307).redirect(to + "/x");
    target.on(to + "/x").answer(200).json("{}");
    RegistryBench bench(behind(proxy.authority(), url));
    const auto got = bench.run(bench.registry->get_manifest(repository, tag));
    CHECK(got.has_value() == row.asked);
    if (!got) CHECK(got.error().code == Errc::denied);
    CHECK(proxy.heads().size() == (row.asked ? 2 : 1));
    CHECK(target.connections() == (row.asked ? 1 : 0));
  }
}

TEST_CASE("a proxy that is not there or cannot be used is named, and not passed by") {
  test::ScriptedUpstream upstream;
  auto settings = upstream_at(by_name("http", "registry.test", upstream));
  settings.proxy = resolver::proxy_rules_of("", "socks5://me:s3cret@127.0.0.1:9", "");
  RegistryBench unusable(settings);
  const auto first = unusable.run(unusable.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(first);
  CHECK(first.error().message.find("registry.test cannot be reached: the environment's HTTP_PROXY "
                                   "is not a proxy that archway can use") != std::string::npos);
  CHECK((first.error().message + first.error().context).find("s3cret") == std::string::npos);

  std::string gone;
  {
    const test::ScriptedProxy proxy;
    gone = proxy.authority();
  }
  RegistryBench absent(behind(gone, by_name("http", "registry.test", upstream)));
  const auto second = absent.run(absent.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("the proxy " + gone + " does not accept connections") !=
        std::string::npos);
  CHECK(upstream.connections() == 0);
}

}  // namespace
}  // namespace archway::proxy
