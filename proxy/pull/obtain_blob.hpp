#pragma once

#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace archway::proxy {

/// What there is of a blob, for whoever serves or reads it.
struct ObtainedBlob {
  std::optional<cache::BlobFile> file = {};  ///< complete; else
  std::shared_ptr<cache::Fill> fill = {};    ///< on its way, its headers in
  metrics::Outcome outcome = metrics::Outcome::hit;
};

/// The blob's file, or the fill that brings it, joined or begun here; waits until the upstream's
/// headers are in. The image name must have been granted the digest, or no one else's bytes be
/// there.
///
/// Errors: what ended the fill before its headers; Errc::upstream_unreachable.
boost::asio::awaitable<Result<ObtainedBlob>> obtain_blob(PullParts* parts, ImageName image,
                                                         Digest digest);

/// A small blob (a config) whole and verified, in memory.
///
/// Errors: obtain_blob()'s; Errc::manifest_invalid when it is longer than `bytes_max`.
boost::asio::awaitable<Result<std::string>> read_small_blob(PullParts* parts, ImageName image,
                                                            Digest digest, std::uint64_t bytes_max);

}  // namespace archway::proxy
