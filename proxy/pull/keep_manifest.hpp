#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <string>

namespace archway::proxy {

/// Bytes that are known to have this digest, read.
StoredManifest stored_manifest(const Digest& digest, std::string media_type, std::string bytes);

/// Keeps a manifest from an upstream, with the grants of everything it names: an index's children
/// for the platforms that it says, a manifest's parts for the platform that the manifest itself was
/// granted for. `proof` is of the manifest alone; what it names is no more than named. Waits until
/// the next request finds them; what cannot be kept is still given back.
boost::asio::awaitable<StoredManifest> keep(PullParts* parts, ImageName image,
                                            StoredManifest stored, cache::Proof proof);

/// Keeps an index that archway made itself under `image`, so that it is served by digest, too: once
/// for each digest. The outcome is hit when it was there, else miss.
///
/// Errors: Errc::storage_failed when its digest cannot be computed.
boost::asio::awaitable<Result<StoredManifest>> keep_made(PullParts* parts, ImageName image,
                                                         std::string media_type, std::string bytes);

}  // namespace archway::proxy
