#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/http/message.hpp"

#include <string>

namespace archway::proxy {

/// Why a request that changes something is not obeyed; "" when it is. A page of some web site that
/// an operator's browser shows must not change anything here: it comes with an Origin of another
/// host, or, where it has the name of its own host lead to this address, with that host's name.
///
/// `admin` is where the operator's port is; no browser comes by a unix socket.
///
/// Source: RFC 6454 section 7 (Origin).
std::string why_not_obeyed(const Request& request, const Settings::Endpoint& admin);

}  // namespace archway::proxy
