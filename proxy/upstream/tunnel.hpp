#pragma once

#include "proxy/upstream/connection.hpp"
#include "resolver/proxy_rules.hpp"
#include "resolver/url.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace archway::proxy {

/// Asks the proxy at the other end of a new connection for a tunnel to the URL's host and port;
/// what is written from then on goes there. Both must outlive the call.
///
/// Errors: Errc::upstream_unreachable when the proxy refuses, cannot reach it either, or says
/// nothing within `time`; Errc::upstream_failed for an answer that makes no sense. The message
/// names the proxy, never what it is given.
///
/// Source: RFC 9110 section 9.3.6.
boost::asio::awaitable<Result<void>> open_tunnel(Connection* connection,
                                                 const resolver::Proxy* proxy,
                                                 const resolver::Url* url,
                                                 std::chrono::milliseconds time);

/// What a proxy's refusal (407 and the like) means.
Error refused_by_proxy(const resolver::Proxy& proxy, const resolver::Url& url, unsigned status);

}  // namespace archway::proxy
