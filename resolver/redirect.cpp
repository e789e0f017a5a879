#include "resolver/redirect.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace archway::resolver {
namespace {

Error refused(const Url& from, std::string_view why, std::string_view context) {
  return {
      .code = Errc::upstream_failed,
      .origin = Origin::upstream,
      .message = from.host + " answered with a redirect that is not followed: " + std::string(why),
      .context = std::string(context)};
}

/// Source: RFC 3986 section 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const auto segment = path.substr(0, end);  // with its leading slash
    path.remove_prefix(end);
    if (segment != "/." && segment != "/..") {
      result += segment;
      continue;
    }
    if (segment == "/..") result.resize(std::min(result.rfind('/'), result.size()));
    if (path.empty()) result += '/';
  }
  return result;
}

/// The target that a relative reference without an authority means.
std::string merged(std::string_view base, std::string_view reference) {
  const auto base_path = base.substr(0, base.find('?'));
  if (reference.empty()) return std::string(base);
  if (reference.front() == '?') return std::string(base_path) + std::string(reference);
  const auto path = reference.substr(0, reference.find('?'));
  const auto query = reference.substr(path.size());
  const auto folder =
      path.front() == '/' ? std::string_view{} : base_path.substr(0, base_path.rfind('/') + 1);
  return without_dot_segments(std::string(folder) + std::string(path)) + std::string(query);
}

/// True when a scheme stands in front: a colon before any slash or question mark.
bool is_absolute(std::string_view reference) {
  const auto at = reference.find_first_of(":/?");
  return at != std::string_view::npos && reference[at] == ':';
}

struct Special {
  Network network;
  AddressKind kind;
};

/// Networks of the special-purpose registries; what is in none of them is global.
const std::array<Special, 15>& special_networks() {
  static const auto at = [](std::string_view text) { return *Network::parse(text); };
  static const std::array<Special, 15> networks = {{
      {at("0.0.0.0/8"), AddressKind::never},
      {at("10.0.0.0/8"), AddressKind::local},
      {at("100.64.0.0/10"), AddressKind::local},
      {at("127.0.0.0/8"), AddressKind::loopback},
      {at("169.254.0.0/16"), AddressKind::link_local},
      {at("172.16.0.0/12"), AddressKind::local},
      {at("192.0.0.0/24"), AddressKind::local},
      {at("192.168.0.0/16"), AddressKind::local},
      {at("198.18.0.0/15"), AddressKind::local},
      {at("224.0.0.0/3"), AddressKind::never},  // multicast, reserved, broadcast
      {at("64:ff9b:1::/48"), AddressKind::local},
      {at("fc00::/7"), AddressKind::local},
      {at("fe80::/10"), AddressKind::link_local},
      {at("fec0::/10"), AddressKind::local},
      {at("ff00::/8"), AddressKind::never},
  }};
  return networks;
}

Address mapped(const Address& from, std::size_t offset) {
  Address address;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::copy_n(from.bytes.begin() + static_cast<std::ptrdiff_t>(offset), 4,
              address.bytes.begin() + 12);
  return address;
}

/// The IPv4 address that a translator or tunnel would really talk to, or the address itself.
Address really(const Address& address) {
  static const auto nat64 = *Network::parse("64:ff9b::/96");
  static const auto six_to_four = *Network::parse("2002::/16");
  if (nat64.contains(address)) return mapped(address, 12);
  if (six_to_four.contains(address)) return mapped(address, 2);
  return address;
}

/// Source: RFC 6761, RFC 6762, RFC 8375, ICANN's reservation of `internal`; the rest is custom.
constexpr std::array<std::string_view, 9> local_domains = {"localhost", "local",       "internal",
                                                           "home.arpa", "localdomain", "lan",
                                                           "intranet",  "corp",        "home"};

bool is_local_name(std::string_view host) {
  if (Address::parse(host)) return false;
  if (host.find('.') == std::string_view::npos) return true;
  return std::any_of(local_domains.begin(), local_domains.end(), [&](std::string_view domain) {
    return host.size() > domain.size() && host.ends_with(domain) &&
           host[host.size() - domain.size() - 1] == '.';
  });
}

}  // namespace

Result<Redirect> follow(const Url& current, std::string_view location) {
  const auto reference = location.substr(0, location.find('#'));
  if (location.empty()) return refused(current, "it does not say where to", "empty Location");
  std::string absolute;
  if (is_absolute(reference)) {
    absolute = std::string(reference);
  } else if (reference.starts_with("//")) {
    absolute = current.scheme + ":" + std::string(reference);
  } else {
    absolute = current.origin() + merged(current.target, reference);
  }
  auto url = Url::parse(absolute);
  if (!url) return refused(current, url.error().message, "Location of " + current.origin());
  if (current.scheme == "https" && url->scheme == "http") {
    return refused(current, "it leads from https to http", "to " + url->origin());
  }
  const bool other_origin = url->origin() != current.origin();
  return Redirect{.url = *std::move(url), .other_origin = other_origin};
}

AddressKind kind_of(const Address& address) {
  const auto meant = really(address);
  for (const auto& special : special_networks()) {
    if (special.network.contains(meant)) return special.kind;
  }
  // ::1, ::, and the IPv4-compatible form that nobody uses any more.
  static const auto low = *Network::parse("::/96");
  if (!low.contains(meant)) return AddressKind::global;
  static const auto loopback = *Address::parse("::1");
  return meant == loopback ? AddressKind::loopback : AddressKind::never;
}

Address beyond_a_proxy() {
  static const auto documentation = *Address::parse("2001:db8::1");
  return documentation;
}

bool name_permitted(std::string_view target, std::string_view upstream) {
  return !is_local_name(target) || is_local_name(upstream);
}

bool address_permitted(const Address& target, const Address& upstream) {
  const auto from = kind_of(upstream);
  switch (kind_of(target)) {
    case AddressKind::global: return true;
    case AddressKind::local: return from == AddressKind::local || from == AddressKind::loopback;
    case AddressKind::loopback: return from == AddressKind::loopback;
    case AddressKind::link_local: return from == AddressKind::link_local;
    case AddressKind::never: return false;
  }
  return false;
}

}  // namespace archway::resolver
