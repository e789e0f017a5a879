#pragma once

#include "proxy/config/settings.hpp"
#include "resolver/model/result.hpp"

#include <string_view>

namespace archway::proxy {

/// `127.0.0.1:5000` or `[::1]:5000`: an address that archway listens on. Port 0: the system picks
/// one.
///
/// Errors: Errc::configuration_invalid; the message says what is allowed and what was probably
/// meant.
Result<Settings::Endpoint> parse_endpoint(std::string_view text);

/// Also `unix:/path`.
///
/// Errors: as parse_endpoint().
Result<Settings::Endpoint> parse_admin_endpoint(std::string_view text);

/// The two are one address and port, or one of them is every address of the other's family.
bool overlap(const Settings::Endpoint& a, const Settings::Endpoint& b);

/// The two are written differently at most: the very same address and port.
bool same_endpoint(const Settings::Endpoint& a, const Settings::Endpoint& b);

}  // namespace archway::proxy
