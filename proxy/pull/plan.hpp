#pragma once

#include "proxy/pull/asked.hpp"
#include "proxy/pull/parts.hpp"

#include <memory>

namespace archway::proxy {

/// docker's CLI sends what its configuration calls `HttpHeaders` under such names alone, so this
/// one states a platform, too, behind the configured header.
inline constexpr std::string_view forwarded_platform_header = "X-Meta-Archway-Platform";

/// Everything that is decided about a request before anything is fetched: upstream, rewriting, who
/// the client is. The same for a client's request and for one that `explain` made up; `route` is
/// that of the request's target, and no ping.
///
/// Errors: of the request (name, platform), Errc::name_unknown for an upstream that is not
/// configured.
Result<std::shared_ptr<const Asked>> plan(const PullShared& shared,
                                          std::shared_ptr<const Request> request,
                                          resolver::Route route, std::shared_ptr<Account> account);

}  // namespace archway::proxy
