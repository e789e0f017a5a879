#pragma once

#include "proxy/pull/fetch_blob.hpp"
#include "proxy/pull/parts.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

inline constexpr std::size_t fills_max = 256;  ///< transfers at once, each with 512 KiB of buffers

/// What there is of a blob, for whoever serves or reads it.
struct ObtainedBlob {
  std::optional<cache::BlobFile> file = {};  ///< complete; else
  std::shared_ptr<cache::Fill> fill = {};    ///< on its way, its headers in
  metrics::Outcome outcome = metrics::Outcome::hit;

  /// True when these bytes come by the upstream's answer about this very image name.
  bool brought_for(const ImageName& image) const;
};

/// The blob's file, or the fill that brings it, joined or begun here; waits until the upstream's
/// headers are in. A fill that was begun under another name and fails says nothing about this one:
/// then the next one is begun here. Whether this name may have the bytes is the caller's to know.
///
/// Errors: what ended the fill before its headers; Errc::upstream_unreachable; Errc::overloaded
/// when fills_max others are under way. For what the cache cannot take see cannot_be_cached():
/// then `untaken`, which may be null, has the upstream's answer where it was asked here.
boost::asio::awaitable<Result<ObtainedBlob>> obtain_blob(PullParts* parts, ImageName image,
                                                         Digest digest,
                                                         std::shared_ptr<Untaken> untaken = {});

/// True for what ended a fill because of this machine's disk: full, read-only or broken. Whoever
/// wants the bytes all the same has to do without it (proxy/pull/relay). A storage failure that is
/// retryable is another thing: what the cache had was damaged, and asking again fetches it.
bool cannot_be_cached(const Error& error);

/// The whole blob, once it is verified. Errors: what ended the fill.
boost::asio::awaitable<Result<cache::BlobFile>> await_whole(std::shared_ptr<cache::Fill> fill,
                                                            ImageName image);

/// A small blob (a config) whole and verified, in memory.
///
/// Errors: obtain_blob()'s; Errc::manifest_invalid when it is longer than `bytes_max`.
boost::asio::awaitable<Result<std::string>> read_small_blob(PullParts* parts, ImageName image,
                                                            Digest digest, std::uint64_t bytes_max);

}  // namespace archway::proxy
