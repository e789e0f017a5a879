#include "proxy/config/endpoint.hpp"

#include "proxy/config/section.hpp"
#include "resolver/network.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <system_error>

namespace archway::proxy {
namespace {

using Endpoint = Settings::Endpoint;

/// sockaddr_un::sun_path has 108 bytes with its terminator.
constexpr std::size_t unix_path_bytes_max = 107;

constexpr std::string_view listen_forms =
    "an IP address and a port, such as 0.0.0.0:5000 or [::]:5000";
constexpr std::string_view admin_forms = "127.0.0.1:5001, [::1]:5001, unix:/path or none";

Error refused(std::string_view text, std::string_view allowed, const std::string& hint = {}) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "found " + quoted_for_message(text) + "; allowed: " + std::string(allowed) +
                     (hint.empty() ? "" : "; " + hint)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

/// What someone probably meant who left a part out.
std::string hint_for(std::string_view host, std::string_view port, std::string_view usual) {
  if (host.empty()) return "did you mean " + std::string(usual) + ":" + std::string(port) + "?";
  if (host == "localhost") return "did you mean 127.0.0.1:" + std::string(port) + "?";
  if (host == "*") return "did you mean 0.0.0.0:" + std::string(port) + "?";
  const bool letters = host.find_first_of("ghijklmnopqrstuvwxyz") != std::string_view::npos;
  return letters ? "names are not looked up here" : "";
}

/// `usual`: the address that a port alone most likely belongs to.
Result<Endpoint> parse_address(std::string_view text, std::string_view allowed,
                               std::string_view usual) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    if (parse_port(text)) return refused(text, allowed, hint_for("", text, usual));
    return refused(text, allowed, "the port is missing");
  }
  std::string_view host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const bool v6 = host.find(':') != std::string_view::npos;
  if (text.ends_with(']')) return refused(text, allowed, "the port is missing");
  if (brackets && !v6) {
    return refused(text, allowed, "only an IPv6 address stands in brackets");
  }
  if (v6 && !brackets) return refused(text, allowed, "an IPv6 address stands in brackets");
  if (!port) return refused(text, allowed, "a port is a number from 0 to 65535");
  const auto address = resolver::Address::parse(host);
  if (!address) {
    return refused(text, allowed, hint_for(host, text.substr(colon + 1), usual));
  }
  return Endpoint{.address = address->str(), .port = *port};
}

bool is_wildcard(const Endpoint& endpoint) {
  return endpoint.address == "0.0.0.0" || endpoint.address == "::";
}
bool is_v6(const Endpoint& endpoint) {
  return endpoint.address.find(':') != std::string::npos;
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with("unix:")) {
    return refused(text, listen_forms, "a socket file is for admin only");
  }
  return parse_address(text, listen_forms, "0.0.0.0");
}

Result<Endpoint> parse_admin_endpoint(std::string_view text) {
  for (const std::string_view word : {"off", "no", "false", "disabled"}) {
    if (text == word) return refused(text, admin_forms, "did you mean none?");
  }
  if (!text.starts_with("unix:")) return parse_address(text, admin_forms, "127.0.0.1");
  const std::string_view path = text.substr(5);
  if (!path.starts_with('/')) return refused(text, admin_forms, "the path begins with /");
  if (path.size() > unix_path_bytes_max) {
    return refused(text, admin_forms, "a socket's path has at most 107 bytes");
  }
  return Endpoint{.address = {}, .port = 0, .unix_path = std::string(path)};
}

bool same_endpoint(const Endpoint& a, const Endpoint& b) {
  if (!a.unix_path.empty() || !b.unix_path.empty()) return a.unix_path == b.unix_path;
  return a.port != 0 && a.port == b.port && a.address == b.address;
}

bool overlap(const Endpoint& a, const Endpoint& b) {
  if (same_endpoint(a, b)) return true;
  const bool tcp = a.unix_path.empty() && b.unix_path.empty();
  if (!tcp || a.port == 0 || a.port != b.port || is_v6(a) != is_v6(b)) return false;
  return is_wildcard(a) || is_wildcard(b);
}

}  // namespace archway::proxy
