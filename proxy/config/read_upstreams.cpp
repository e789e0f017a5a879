#include "proxy/config/defaults.hpp"
#include "proxy/config/sections.hpp"
#include "resolver/model/text.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

using Upstream = Settings::Upstream;

constexpr std::size_t upstreams_max = 1024;
constexpr std::size_t hosts_max = 256;
constexpr std::uint64_t requests_max = 10'000;
constexpr std::uint64_t bandwidth_min = 16ULL * 1024;  // Below, clients take it for silence.
constexpr std::uint64_t bandwidth_max = 1ULL << 40;
constexpr std::size_t urls_max = 16;
constexpr std::string_view name_form =
    "a registry's name as it stands in image names, such as ghcr.io or registry.lan:5000";

/// What must be unlike in all upstreams, with the place where it was said first.
struct Said {
  std::string text;
  Position at;
};
struct SaidBefore {
  std::vector<Said> names;
  std::vector<Said> hosts;
  std::vector<Said> defaults;
};

/// Remembers a text; reports one that was said before.
bool say_once(const Value& value, const std::string& text, std::vector<Said>& said,
              std::string_view what) {
  const auto found =
      std::find_if(said.begin(), said.end(), [&](const Said& s) { return s.text == text; });
  if (found == said.end()) {
    said.push_back({text, value.at()});
    return true;
  }
  value.problem("found " + std::string(what) + "; the first is on line " +
                std::to_string(found->at.line));
  return false;
}

/// `host` or `host:port` in lower case, as it stands before the first slash of an image name.
bool is_host_name(const std::string& text, bool port_allowed) {
  const bool letters = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           c == ':';
  });
  if (!letters || text.size() > 255) return false;
  if (!port_allowed && text.find(':') != std::string::npos) return false;
  return resolver::Url::parse("https://" + text).has_value();
}

std::optional<std::string> read_name(const Value& value) {
  const auto written = value.text(name_form);
  if (!written || is_host_name(*written, true)) return written;
  std::string allowed(name_form);
  const std::string meant = lower(
      written->substr(written->find("://") == std::string::npos ? 0 : written->find("://") + 3));
  const std::string host = meant.substr(0, meant.find('/'));
  if (!host.empty() && host != *written && is_host_name(host, true)) {
    allowed += "; did you mean " + host + "?";
  }
  value.refuse(allowed);
  return std::nullopt;
}

std::optional<resolver::Url> read_url(const Value& value) {
  const auto url = value.parsed(&resolver::Url::parse, "a URL such as https://registry.lan:5000");
  if (!url || url->target == "/") return url;
  value.problem("a registry's URL has no path here; did you mean " + url->origin() + "?");
  return std::nullopt;
}

/// All that can be read, each once.
std::vector<resolver::Url> read_urls(const Value& value) {
  const auto entries = value.list("a list such as [https://registry.lan]", urls_max);
  if (entries.empty() && value.node().kind == Yaml::Kind::sequence) {
    value.problem("found an empty list; allowed: at least one URL");
  }
  std::vector<resolver::Url> urls;
  std::vector<Said> said;
  for (const Value& entry : entries) {
    const auto url = read_url(entry);
    if (url && say_once(entry, url->origin(), said, "a URL that is in the list already")) {
      urls.push_back(*url);
    }
  }
  return urls;
}

void read_where(const Section& section, Upstream& upstream) {
  const auto url = section.find("url");
  const auto urls = section.find("urls");
  if (url && urls) urls->problem("found beside url; allowed: one of the two");
  std::vector<resolver::Url> read;
  if (urls && !url) read = read_urls(*urls);
  if (url) {
    if (const auto one = read_url(*url)) read.push_back(*one);
  }
  if (read.empty()) return;
  upstream.url = read.front();
  upstream.further_urls.assign(read.begin() + 1, read.end());
}

void read_hosts(const Value& value, Upstream& upstream, SaidBefore& said) {
  for (const Value& entry : value.list("a list of host names", hosts_max)) {
    const auto host = read_host(entry);
    if (!host) continue;
    if (say_once(entry, *host, said.hosts, "a host name that means an upstream already")) {
      upstream.hosts.push_back(*host);
    }
  }
}

void read_token_realms(const Value& value, Upstream& upstream) {
  upstream.token_realms.clear();
  for (const Value& entry : value.list("a list of hosts", hosts_max)) {
    const auto written = entry.text("a host, such as auth.registry.lan");
    if (!written) continue;
    const std::string host = lower(*written);
    if (is_host_name(host, true)) {
      upstream.token_realms.push_back(host);
    } else {
      entry.refuse("a host without https:// and path, such as auth.registry.lan");
    }
  }
}

void read_default(const Value& value, Upstream& upstream, SaidBefore& said) {
  upstream.is_default = value.flag().value_or(false);
  if (upstream.is_default) say_once(value, "true", said.defaults, "a second default upstream");
}

/// Machines that are reached without leaving the operator's own network.
bool is_near(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  const auto address = resolver::Address::parse(host);
  if (!address) return false;
  constexpr std::string_view near[] = {
      "127.0.0.0/8",   "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
      "100.64.0.0/10", "::1",        "fc00::/7",      "fe80::/10"};
  return std::any_of(std::begin(near), std::end(near), [&](std::string_view text) {
    return resolver::Network::parse(text)->contains(*address);
  });
}

/// Every place of the upstream is given the credentials.
void warn_of_plain_text(const Value& credentials, const Upstream& upstream) {
  auto urls = upstream.further_urls;
  urls.insert(urls.begin(), upstream.url);
  for (const resolver::Url& url : urls) {
    if (url.scheme != "http" || is_near(url.host)) continue;
    credentials.reading().warn(credentials.at(),
                               credentials.path() + ": the password of " + upstream.name +
                                   " goes over the network unencrypted (" + url.origin() + ")");
  }
}

void read_secrets(const Section& section, Upstream& upstream) {
  if (const auto credentials = section.find("credentials")) {
    upstream.credentials = read_credentials(*credentials);
    if (!upstream.credentials.empty()) {
      warn_of_plain_text(*credentials, upstream);
    }
  }
}

/// How much archway may ask of it, and for how long what it said is believed.
void read_bounds(const Section& section, Upstream& upstream, Settings& settings) {
  if (const auto value = section.find("requests")) {
    upstream.requests = static_cast<unsigned>(value->number(0, requests_max).value_or(0));
  }
  if (const auto value = section.find("bandwidth")) {
    upstream.bandwidth = value->size(bandwidth_min, bandwidth_max).value_or(0);
  }
  if (const auto value = section.find("tags")) {
    settings.tags.upstreams[upstream.name] = read_tag_changes(Section(*value, "upstreams[].tags"));
  }
}

void read_upstream(const Value& entry, Settings& settings, SaidBefore& said) {
  const Section section(entry, "upstreams[]");
  const auto name_value = section.need("name");
  std::optional<std::string> name;
  if (name_value) name = read_name(*name_value);
  // Without a usable name the rest is read all the same, for what is wrong with it.
  Upstream upstream = upstream_by_name(name.value_or("invalid"));
  if (name) say_once(*name_value, *name, said.names, "an upstream of this name already");
  read_where(section, upstream);
  if (const auto value = section.find("default")) read_default(*value, upstream, said);
  read_secrets(section, upstream);
  read_transport(section, upstream);
  read_upstream_access(section, upstream);
  if (const auto value = section.find("hosts")) read_hosts(*value, upstream, said);
  if (const auto value = section.find("token_realms")) read_token_realms(*value, upstream);
  read_bounds(section, upstream, settings);
  if (name) settings.upstreams.push_back(std::move(upstream));
}

}  // namespace

void read_upstreams(const Section& file, Settings& settings) {
  const auto value = file.find("upstreams");
  if (!value) return;
  settings.upstreams.clear();
  settings.tags.upstreams.clear();
  SaidBefore said;
  const auto entries =
      value->list("a list such as [{name: docker.io, default: true}]", upstreams_max);
  for (const Value& entry : entries) read_upstream(entry, settings, said);
  if (value->node().kind == Yaml::Kind::sequence && value->node().items.empty()) {
    value->problem("found an empty list; allowed: at least one upstream, or leave the key out");
  }
}

}  // namespace archway::proxy
