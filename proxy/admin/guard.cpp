#include "proxy/admin/guard.hpp"

#include "proxy/admin/query.hpp"
#include "resolver/network.hpp"

#include <string_view>

namespace archway::proxy {
namespace {

/// `127.0.0.1:5001`, `[::1]:5001` -> the host, without port and brackets.
std::string_view bare_host(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.rfind(':'));
}

bool is_of_this_host(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) {
      return equal_without_case(origin.substr(scheme.size()), host);
    }
  }
  return false;
}

}  // namespace

std::string why_not_obeyed(const Request& request, const Settings::Endpoint& admin) {
  const auto host = request.fields.find("Host");
  for (const auto origin : request.fields.all("Origin")) {
    if (is_of_this_host(origin, host)) continue;
    return "this came from a page of " + shown(origin) +
           "; only pages of this address may change anything here";
  }
  const bool by_address = equal_without_case(bare_host(host), "localhost") ||
                          resolver::Address::parse(bare_host(host)).has_value();
  if (!admin.unix_path.empty() || !request.fields.contains("Host") || by_address) return "";
  return "the Host header is " + shown(host) +
         "; what changes something here has to be asked for by an IP address or localhost, because "
         "any web site can have its name lead here";
}

}  // namespace archway::proxy
