#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>

namespace archway::proxy {

/// Digest -> verified bytes: from the cache when the image name holds the digest, else by one fetch
/// upstream however many ask. What is fetched is kept, and with it the grants of everything it
/// names, so that an image is whole without a network.
///
/// Errors: the upstream's, also what it has just said there is not; Errc::upstream_failed when its
/// bytes do not match the digest.
boost::asio::awaitable<Result<StoredManifest>> obtain_manifest(PullParts* parts, ImageName image,
                                                               Digest digest);

/// The same by tag, for registries that answer HEAD without a digest; the hash is the bytes'.
boost::asio::awaitable<Result<StoredManifest>> fetch_manifest_by_tag(PullParts* parts,
                                                                     ImageName image, Tag tag);

}  // namespace archway::proxy
