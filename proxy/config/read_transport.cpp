#include "proxy/config/defaults.hpp"
#include "proxy/config/sections.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

using Upstream = Settings::Upstream;

constexpr std::size_t patterns_max = 256;
constexpr std::string_view pattern_form =
    "a pattern over host names, such as *.cloudfront.net, without scheme, port and path";

void read_proxy(const Value& value, Upstream& upstream) {
  upstream.proxy = {};
  upstream.proxy_is_its_own = true;
  const auto written = value.text("a URL such as http://proxy.lan:3128, or none");
  if (!written || *written == "none") return;
  const auto proxy = resolver::Proxy::parse(*written);
  if (!proxy) {
    value.problem(proxy.error().message + ", or none");
    return;
  }
  if (!proxy->user_info.empty() && value.reading().others_read) {
    value.reading().warn(value.at(), value.path() +
                                         ": everybody on this machine can read this file and the "
                                         "password in it; chmod 600 keeps it to you");
  }
  upstream.proxy = {.https = *proxy, .http = *proxy, .loopback_too = true};
}

void read_client_certificate(const Value& value, Upstream& upstream) {
  const Section section(value, "upstreams[].client_certificate");
  const auto certificate = section.need("certificate");
  const auto key = section.need("key");
  if (!certificate || !key) return;
  const auto certificate_path = certificate->file_path();
  const auto key_path = key->file_path();
  if (!certificate_path || !key_path) return;
  check_file(*certificate, *certificate_path, false);
  check_file(*key, *key_path, true);
  upstream.client_certificate =
      Settings::ClientCertificate{.certificate = *certificate_path, .key = *key_path};
}

bool is_host_pattern(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_*?[]!").find(c) != std::string_view::npos;
  });
}

void read_redirects(const Value& value, Upstream& upstream) {
  const auto entries = value.list("a list of patterns over host names", patterns_max);
  if (entries.empty() && value.node().kind == Yaml::Kind::sequence) {
    value.problem("found an empty list; allowed: at least one pattern, or leave the key out");
  }
  for (const Value& entry : entries) {
    const auto written = entry.text(pattern_form);
    if (!written) continue;
    if (is_host_pattern(*written)) {
      upstream.redirects.push_back(*written);
    } else {
      entry.refuse(pattern_form);
    }
  }
}

}  // namespace

resolver::ProxyRules proxies_of(const Environment& environment) {
  const auto variable = [&](const char* upper, const char* lower) {
    const auto first = environment.variable(upper).value_or("");
    return first.empty() ? environment.variable(lower).value_or("") : first;
  };
  return resolver::proxy_rules_of(variable("HTTPS_PROXY", "https_proxy"),
                                  variable("HTTP_PROXY", "http_proxy"),
                                  variable("NO_PROXY", "no_proxy"));
}

void read_transport(const Section& section, Upstream& upstream) {
  upstream.proxy = proxies_of(section.value().reading().environment);
  if (const auto value = section.find("proxy")) read_proxy(*value, upstream);
  if (const auto value = section.find("ca_file")) {
    const auto path = value->file_path();
    if (path) check_file(*value, *path, false);
    if (path) upstream.ca_file = *path;
  }
  if (const auto value = section.find("client_certificate")) {
    read_client_certificate(*value, upstream);
  }
  if (const auto value = section.find("server_name")) {
    if (const auto name = read_host(*value)) upstream.server_name = *name;
  }
  if (const auto value = section.find("redirects")) read_redirects(*value, upstream);
}

}  // namespace archway::proxy
