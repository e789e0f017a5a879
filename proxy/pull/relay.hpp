#pragma once

#include "cache/blob_file.hpp"
#include "proxy/http/byte_source.hpp"
#include "proxy/pull/parts.hpp"
#include "resolver/byte_range.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace archway::proxy {

inline constexpr std::size_t relays_max = 256;  ///< at once, each with 256 KiB of buffers

/// A blob on its way from its upstream straight to one client: what is done where the cache cannot
/// take it, or has not got to it yet.
struct Relay {
  std::shared_ptr<ByteSource> source;
  std::optional<std::uint64_t> size = {};  ///< of the whole blob
};

/// The whole blob. Hashed on the way: the last 64 KiB leave when the digest is right, else read()
/// fails. Waits until the upstream's headers are in. `begun`: the upstream's answer, from the
/// blob's beginning, where there is one already.
///
/// Errors: the upstream's; Errc::overloaded when relays_max others are under way.
boost::asio::awaitable<Result<Relay>> relay_whole(PullParts* parts, ImageName image, Digest digest,
                                                  std::shared_ptr<BlobStream> begun = {});

/// Part of a blob of `size` bytes, as it comes: nobody can verify a part, but whoever puts parts
/// together. That is the client, which hashes the whole; and nothing of it is kept here.
///
/// Errors: the upstream's; Errc::unsupported when it ignores the range; Errc::overloaded.
boost::asio::awaitable<Result<Relay>> relay_part(PullParts* parts, ImageName image, Digest digest,
                                                 resolver::ByteRange range, std::uint64_t size);

/// What a client still wants of a blob whose fill the disk ended.
struct RelayRest {
  std::uint64_t at = 0;                                ///< the next byte of the blob
  bool whole = false;                                  ///< it wants, and got, all of it
  std::optional<std::uint64_t> to = {};                ///< of a part: behind its last byte
  std::optional<std::uint64_t> size = {};              ///< of the whole blob
  std::shared_ptr<const cache::FileHandle> file = {};  ///< what the client got is its front
};

/// The rest, asked for when it is first read. Of a whole blob what was sent before is hashed again,
/// from the file, or from the upstream where the file cannot be read: so the digest of the whole
/// still decides about the last 64 KiB. Null when relays_max others are under way.
std::shared_ptr<ByteSource> relay_rest(PullParts* parts, ImageName image, Digest digest,
                                       RelayRest rest);

}  // namespace archway::proxy
