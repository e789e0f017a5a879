#pragma once

#include "resolver/network.hpp"
#include "resolver/url.hpp"

#include <string_view>

namespace archway::resolver {

inline constexpr int redirect_hops_max = 5;  ///< counted by whoever follows

/// Where a redirect leads.
struct Redirect {
  Url url;
  bool other_origin = false;  ///< the credential stays behind
};

/// Resolves a Location header against the URL that answered with it. A fragment is dropped.
///
/// Errors: Errc::upstream_failed when it is no URL, not http or https, has user information, or
/// would leave https for http. Messages name hosts only: a target may be signed.
///
/// Source: RFC 9110 section 10.2.2; RFC 3986 section 5.2.
Result<Redirect> follow(const Url& current, std::string_view location);

/// Where in the world an address is.
enum class AddressKind : std::uint8_t {
  global,
  local,  ///< private networks, shared address space (100.64.0.0/10), fc00::/7
  loopback,
  link_local,  ///< also where clouds keep their metadata service
  never,       ///< nobody's: unspecified, multicast, reserved
};

/// IPv4 within IPv6 (mapped, NAT64 64:ff9b::/96, 6to4) counts as that IPv4 address.
///
/// Source: the IANA special-purpose address registries (RFC 6890).
AddressKind kind_of(const Address& address);

/// True when a host that the upstream named (a redirect, a token realm) may be dialled at `target`,
/// `upstream` being the address at which the configured upstream itself was reached. A global
/// upstream leads to global addresses alone; one in a private network also into private networks;
/// one on loopback also to loopback. Nobody is led to a link-local address but by a link-local one.
bool address_permitted(const Address& target, const Address& upstream);

/// Stands for the address at which a proxy reached a host by its name, which only the proxy knows:
/// a global one, so that nothing inside may be reached in its name.
Address beyond_a_proxy();

/// The part of address_permitted() that can be told of a name alone, where a proxy resolves it:
/// names that exist only within some network (one label, `.local`, `.internal` and the like) are
/// for upstreams that have such a name themselves.
bool name_permitted(std::string_view target, std::string_view upstream);

}  // namespace archway::resolver
