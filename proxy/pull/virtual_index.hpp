#pragma once

#include "proxy/pull/tagged.hpp"
#include "resolver/model/virtual_image.hpp"

#include <boost/asio/awaitable.hpp>

namespace archway::proxy {

/// The index of a virtual image for this tag, made from what its members are now: of a member that
/// is an index itself, the manifest for the member's platform. The same members give the same
/// bytes. A member that does not exist, or has nothing for its platform, is left out, and so is one
/// that `platforms.allow` does not let through.
///
/// `anew` as in resolve_tag().
///
/// Errors: Errc::manifest_unknown when nothing is left; whatever else keeps a member from being
/// read, because half an index must not look whole.
boost::asio::awaitable<Result<Tagged>> make_virtual_index(PullParts* parts, VirtualImage image,
                                                          Tag tag, bool anew = false);

}  // namespace archway::proxy
