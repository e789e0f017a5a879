#include "resolver/url.hpp"

#include "resolver/model/text.hpp"
#include "resolver/network.hpp"

#include <algorithm>
#include <optional>

namespace archway::resolver {
namespace {

constexpr std::size_t host_max = 253;
constexpr std::size_t label_max = 63;

// The text may hold a secret (user information, a signature): messages never show it.
Error invalid(std::string_view why) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "not a URL that archway can use: " + std::string(why)};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_label(std::string_view label) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= label_max && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), good);
}

bool is_name(std::string_view host) {
  if (host.size() > host_max) return false;
  for (std::size_t begin = 0; begin <= host.size();) {
    const auto end = std::min(host.find('.', begin), host.size());
    if (!is_label(host.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

/// True for hosts that a resolver takes for an IPv4 address in one of its many spellings.
bool ends_in_number(std::string_view host) {
  const auto dot = host.rfind('.');
  const auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return all_digits(last) || last.starts_with("0x");
}

std::optional<std::string> read_host(std::string_view text) {
  const auto host = lower(text);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return std::nullopt;
    const auto inside = host.substr(1, host.size() - 2);
    const auto address = Address::parse(inside);
    if (!address || inside.find(':') == std::string::npos) return std::nullopt;
    return address->str();  // One spelling for one address, or origins would not compare.
  }
  if (!is_name(host)) return std::nullopt;
  if (ends_in_number(host) && !Address::parse(host)) return std::nullopt;
  return host;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  if (!all_digits(text) || text.size() > 5) return std::nullopt;
  const auto value = std::stoul(std::string(text));
  if (value == 0 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::uint16_t usual_port(std::string_view scheme) {
  return static_cast<std::uint16_t>(scheme == "https" ? 443 : 80);
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > length_max) return invalid("it is longer than 16 KiB");
  if (!is_visible(text)) return invalid("it has characters that no URL has");
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return invalid("it does not start with http:// or https://");
  Url url{.scheme = lower(text.substr(0, colon)), .host = {}, .target = {}};
  if (url.scheme != "http" && url.scheme != "https") {
    return invalid("it does not start with http:// or https://");
  }
  const auto rest = text.substr(colon + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#\\"));
  const auto target = rest.substr(authority.size());
  if (target.find_first_of("#\\") != std::string_view::npos) {
    return invalid("a fragment (#) or a backslash has no place in it");
  }
  if (authority.find('@') != std::string_view::npos) {
    return invalid("a user name and password have no place in it");
  }
  // The colon of a port stands behind the bracket of an IPv6 address.
  const auto bracket = authority.rfind(']');
  const auto port_colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  auto host = read_host(authority.substr(0, port_colon));
  if (!host) return invalid("its host is neither a name nor an address");
  url.host = *std::move(host);
  url.port = usual_port(url.scheme);
  if (port_colon != std::string_view::npos) {
    const auto port = read_port(authority.substr(port_colon + 1));
    if (!port) return invalid("its port is not a number from 1 to 65535");
    url.port = *port;
  }
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return url;
}

std::string Url::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  const auto shown = v6 ? "[" + host + "]" : host;
  return port == usual_port(scheme) ? shown : shown + ":" + std::to_string(port);
}

std::string Url::origin() const {
  return scheme + "://" + authority();
}

std::string Url::str() const {
  return origin() + target;
}

}  // namespace archway::resolver
