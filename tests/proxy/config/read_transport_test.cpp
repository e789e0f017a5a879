#include "proxy/config/defaults.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <map>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("what says how an upstream is reached and cannot be used is reported") {
  const BadRow rows[] = {
      {"a proxy over TLS",
       "upstreams:\n  - {name: a.lan, proxy: \"https://me:s3cret@proxy.lan\"}\n",
       "2:26: upstreams[0].proxy: not a proxy that archway can use: it is not reached over http "
       "(to "
       "https upstreams it is asked for a tunnel); allowed: a URL such as http://proxy.lan:3128, "
       "or "
       "none"},
      {"a proxy with a path", "upstreams:\n  - {name: a.lan, proxy: \"http://proxy.lan/x\"}\n",
       "2:26: upstreams[0].proxy: not a proxy that archway can use: a path has no place in it; "
       "allowed: a URL such as http://proxy.lan:3128, or none"},
      {"a mapping for a proxy", "upstreams:\n  - {name: a.lan, proxy: {url: x}}\n",
       "2:26: upstreams[0].proxy: found a mapping; allowed: a URL such as http://proxy.lan:3128, "
       "or "
       "none"},
      {"a certificate without a key",
       "upstreams:\n  - {name: a.lan, client_certificate: {certificate: /dev/null}}\n",
       "2:39: upstreams[0].client_certificate: the key key is missing"},
      {"a certificate that is not there",
       "upstreams:\n  - {name: a.lan, client_certificate: {certificate: /nowhere, key: "
       "/dev/null}, access: shared}\n",
       "2:53: upstreams[0].client_certificate.certificate: the file /nowhere does not exist"},
      {"a server name with a port", "upstreams:\n  - {name: a.lan, server_name: \"a.lan:443\"}\n",
       "2:32: upstreams[0].server_name: found \"a.lan:443\"; allowed: a host name without a port, "
       "such as arm64.mirror.lan"},
      {"no pattern at all", "upstreams:\n  - {name: a.lan, redirects: []}\n",
       "2:30: upstreams[0].redirects: found an empty list; allowed: at least one pattern, or leave "
       "the key out"},
      {"a URL for a pattern", "upstreams:\n  - {name: a.lan, redirects: [\"https://cdn.io\"]}\n",
       "2:31: upstreams[0].redirects[0]: found \"https://cdn.io\"; allowed: a pattern over host "
       "names, such as *.cloudfront.net, without scheme, port and path"},
  };
  check_refused(rows);
}

TEST_CASE("an upstream's own proxy, certificate, server name and redirects are taken over") {
  const Settings settings = settings_of(
      "upstreams:\n  - {name: a.lan, proxy: \"http://me:s3cret@Proxy.lan:3128\", server_name: "
      "Other.lan,\n     client_certificate: {certificate: /dev/null, key: /dev/null}, redirects: "
      "[\"*.cdn.io\", s3.lan], access: shared}\n"
      "  - {name: b.lan, proxy: none}\n");
  const auto& upstream = settings.upstreams[0];
  CHECK(upstream.proxy_is_its_own);
  for (const auto& proxy : {upstream.proxy.https, upstream.proxy.http}) {
    REQUIRE(proxy);
    CHECK(proxy->authority() == "proxy.lan:3128");
    CHECK(proxy->user_info == "me:s3cret");
  }
  CHECK(upstream.proxy.loopback_too);
  CHECK(upstream.server_name == "other.lan");
  REQUIRE(upstream.client_certificate);
  CHECK(upstream.client_certificate->certificate == "/dev/null");
  CHECK(upstream.redirects == std::vector<std::string>{"*.cdn.io", "s3.lan"});
  CHECK(settings.upstreams[1].proxy_is_its_own);
  CHECK_FALSE(settings.upstreams[1].proxy.https);
}

TEST_CASE("the environment's proxies are everybody's who has none of its own") {
  std::map<std::string, std::string> variables = {{"https_proxy", "http://small.lan:1"},
                                                  {"HTTP_PROXY", "http://plain.lan:2"},
                                                  {"NO_PROXY", "b.lan"}};
  const Environment environment{
      .variable = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      }};
  const auto read = [&](const char* text) {
    return *read_settings_text(text, "archway.yaml", environment).settings;
  };
  const Settings settings =
      read("upstreams: [{name: a.lan}, {name: b.lan}, {name: c.lan, proxy: none}]");
  const auto proxy_of = [](const Settings::Upstream& upstream, const char* url) {
    const auto* const proxy = upstream.proxy.for_url(*resolver::Url::parse(url));
    return proxy == nullptr ? std::string() : proxy->authority();
  };
  CHECK(proxy_of(settings.upstreams[0], "https://a.lan") == "small.lan:1");
  CHECK(proxy_of(settings.upstreams[0], "http://a.lan") == "plain.lan:2");
  CHECK_FALSE(settings.upstreams[0].proxy_is_its_own);
  CHECK(proxy_of(settings.upstreams[1], "https://b.lan").empty());
  CHECK(proxy_of(settings.upstreams[2], "https://c.lan").empty());
  CHECK(proxy_of(default_settings(environment).upstreams[0], "https://x.io") == "small.lan:1");
  variables["HTTPS_PROXY"] = "http://large.lan:3";
  CHECK(proxy_of(read("").upstreams[0], "https://x.io") == "large.lan:3");
}

TEST_CASE("a proxy's password in a file that everybody can read is worth a warning") {
  const std::string text = "upstreams: [{name: a.lan, proxy: \"http://me:s3cret@proxy.lan\"}]";
  CHECK(outcome_of(text, false).warnings.empty());
  const auto warnings = outcome_of(text, true).warnings;
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("everybody on this machine can read") != std::string::npos);
  CHECK(warnings[0].find("s3cret") == std::string::npos);
}

}  // namespace
}  // namespace archway::proxy
