#include "resolver/proxy_rules.hpp"

#include "resolver/model/text.hpp"
#include "resolver/network.hpp"

#include <algorithm>
#include <charconv>

namespace archway::resolver {
namespace {

// The text may hold a password: messages never show it.
Error invalid(std::string_view why) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "not a proxy that archway can use: " + std::string(why) +
                     "; allowed: a URL such as http://proxy.lan:3128"};
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// None for a broken escape or what no header can bear.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return std::nullopt;
    out += c;
  }
  return out;
}

/// Splits `:port` off the end of an exception; none when that is another port than the URL's.
std::optional<std::string_view> for_port(std::string_view entry, std::uint16_t port) {
  const auto colon = entry.rfind(':');
  const bool bracketed = entry.ends_with(']');
  const bool bare_v6 = !entry.starts_with('[') && entry.find(':') != colon;
  if (colon == std::string_view::npos || bracketed || bare_v6) return entry;
  std::uint16_t said = 0;
  const auto* const end = entry.data() + entry.size();
  const auto [rest, error] = std::from_chars(entry.data() + colon + 1, end, said);
  if (error != std::errc() || rest != end || said != port) return std::nullopt;
  return entry.substr(0, colon);
}

bool is_below(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

bool excepts(std::string_view entry, const Url& url) {
  if (entry == "*") return true;
  const auto without_port = for_port(entry, url.port);
  if (!without_port) return false;
  auto name = *without_port;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  if (const auto address = Address::parse(url.host)) {
    const auto network = Network::parse(name);
    return network && network->contains(*address);
  }
  if (name.starts_with("*.")) name.remove_prefix(1);
  if (name.starts_with('.')) return is_below(url.host, name.substr(1));
  return !name.empty() && (url.host == name || is_below(url.host, name));
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  const auto address = Address::parse(host);
  return address && (Network::parse("127.0.0.0/8")->contains(*address) ||
                     Network::parse("::1")->contains(*address));
}

std::optional<Proxy> named_by(std::string_view variable, const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto proxy = Proxy::parse(text);
  if (proxy) return *std::move(proxy);
  return Proxy{
      .host = {},
      .unusable = "the environment's " + std::string(variable) + " is " + proxy.error().message};
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(", \t"), text.size());
    if (end > 0) words.push_back(lower(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

Result<Proxy> Proxy::parse(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end != std::string_view::npos) {
    if (lower(text.substr(0, scheme_end)) != "http") {
      return invalid("it is not reached over http (to https upstreams it is asked for a tunnel)");
    }
    text.remove_prefix(scheme_end + 3);
  }
  const auto at = text.rfind('@');
  std::string user_info;
  if (at != std::string_view::npos) {
    auto said = decoded(text.substr(0, at));
    if (!said || said->empty()) return invalid("its user name and password cannot be read");
    user_info = *std::move(said);
    if (user_info.find(':') == std::string::npos) user_info += ':';
    text.remove_prefix(at + 1);
  }
  const auto url = Url::parse("http://" + std::string(text));
  if (!url) return invalid("it is no host and port");
  if (url->target != "/") return invalid("a path has no place in it");
  return Proxy{.host = url->host, .port = url->port, .user_info = std::move(user_info)};
}

std::string Proxy::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

const Proxy* ProxyRules::for_url(const Url& url) const {
  const auto& proxy = url.scheme == "https" ? https : http;
  if (!proxy || (!loopback_too && is_loopback(url.host))) return nullptr;
  const bool excepted = std::any_of(except.begin(), except.end(),
                                    [&](const auto& entry) { return excepts(entry, url); });
  return excepted ? nullptr : &*proxy;
}

ProxyRules proxy_rules_of(const std::string& https_proxy, const std::string& http_proxy,
                          const std::string& no_proxy) {
  return {.https = named_by("HTTPS_PROXY", https_proxy),
          .http = named_by("HTTP_PROXY", http_proxy),
          .except = words_of(no_proxy)};
}

}  // namespace archway::resolver
