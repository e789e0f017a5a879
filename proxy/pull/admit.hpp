#pragma once

#include "proxy/pull/asked.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <memory>

namespace archway::proxy {

inline constexpr std::size_t checks_max = 256;  ///< of clients' credentials, under way at once

/// Whether this client may have what it asks for, before anything of it is looked for: the lists of
/// images (`access.allow`, `access.deny`) and, where access is the client's, the upstream's word
/// about its credentials: one question (HEAD of what is asked for) an image and credential,
/// believed for `recheck`. The result is the request as it goes on: narrowed to the name that the
/// client may have, where a rewritten one has two. The same for a client's request and for
/// `explain`.
///
/// Errors: Errc::denied (a list, the upstream), Errc::unauthorized (credentials would help),
/// Errc::overloaded (too many wrong ones from there), Errc::request_invalid (unreadable ones), the
/// upstream's when it cannot be asked.
boost::asio::awaitable<Result<std::shared_ptr<const Asked>>> admit(
    PullParts* parts, std::shared_ptr<const Asked> asked);

/// Refuses a virtual image with a member that is a client's: whose credentials are good for all of
/// an index is nobody's to say. Errors: Errc::denied.
Result<void> check_members(const PullShared& shared, const ImageName& name);

/// True for a ping that has to be challenged: clients of the docker family show credentials later
/// only if they were asked for them here. dockerd asks on behalf of the default upstream alone, and
/// would answer any challenge with Docker Hub's credentials.
bool asks_for_credentials(const PullShared& shared, const Request& request);
Error needs_credentials();

}  // namespace archway::proxy
