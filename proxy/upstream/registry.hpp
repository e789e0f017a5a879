#pragma once

#include "proxy/http/message.hpp"
#include "resolver/model/digest.hpp"
#include "resolver/model/name.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// A blob's bytes as they come from an upstream. Dropping it closes the connection unless all was
/// read. Threads: the one that opened it.
class BlobStream {
 public:
  virtual ~BlobStream() = default;

  /// Of the whole blob, when the upstream said it (Content-Length, or the total of Content-Range).
  virtual std::optional<std::uint64_t> size() const = 0;
  /// Where the bytes begin: the offset asked for, or 0 when the upstream ignored the range.
  virtual std::uint64_t offset() const = 0;

  /// The next bytes, at least one; 0 at the proper end (all of Content-Length, the last chunk, or
  /// the end of the connection where neither was given). The buffer must outlive the call.
  /// Errors: Errc::upstream_failed (cut short, nonsense), Errc::upstream_unreachable (silence);
  /// both retryable.
  virtual boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) = 0;
};

/// One upstream, in a registry's words: names, pool, TLS, tokens, redirects and bounds are its
/// business. Every method ends by the configured bounds; none throws.
///
/// Errors, all methods: what the upstream said as it means: 404 becomes manifest_unknown,
/// blob_unknown or name_unknown; 401 and 403 denied; 429 and 503 upstream_busy (retry_after_s);
/// other statuses and nonsense upstream_failed; no answer in time upstream_unreachable.
///
/// Threads: one; each thread has its own (tokens are shared behind it).
class Registry {
 public:
  virtual ~Registry() = default;

  /// Asks for the API itself, `/v2/`: good when a registry is there and takes the credentials, if
  /// there are any. Errors: also Errc::denied for credentials that it refuses.
  virtual boost::asio::awaitable<Result<void>> ping() = 0;

  /// What a HEAD tells; `digest` is absent when the upstream does not send it.
  struct Head {
    std::optional<Digest> digest;
    std::string media_type;
    std::optional<std::uint64_t> size;
    /// Of a blob: the registry led elsewhere, and there a HEAD is refused. Only the redirect says
    /// that it exists; a registry that redirects unseen says so of anything.
    bool by_redirect_alone = false;
  };
  virtual boost::asio::awaitable<Result<Head>> head_manifest(Repository repository,
                                                             Reference reference) = 0;

  /// A manifest's bytes, whole (at most resolver::manifest_bytes_max) and not yet verified.
  struct Document {
    std::string media_type;  ///< bare: without parameters
    std::string bytes;
    std::optional<Digest> digest;  ///< Docker-Content-Digest, when sent and valid
    Fields fields = {};            ///< Link, OCI-Filters-Applied: what tags and referrers need
  };
  virtual boost::asio::awaitable<Result<Document>> get_manifest(Repository repository,
                                                                Reference reference) = 0;

  /// Does this repository hold the blob? Size when the upstream says it.
  virtual boost::asio::awaitable<Result<Head>> head_blob(Repository repository, Digest digest) = 0;

  virtual boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> open_blob(
      Repository repository, Digest digest, std::uint64_t offset) = 0;
  /// `length` bytes (at least one) from `offset`, or fewer; or, by BlobStream::offset(), the whole
  /// from an upstream that ignores ranges.
  virtual boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> open_part(
      Repository repository, Digest digest, std::uint64_t offset, std::uint64_t length) = 0;

  /// `tags/list` and `referrers`, passed on as JSON. `query` is already encoded ("" or
  /// "n=5&last=a").
  virtual boost::asio::awaitable<Result<Document>> get_tags(Repository repository,
                                                            std::string query) = 0;
  virtual boost::asio::awaitable<Result<Document>> get_referrers(Repository repository,
                                                                 Digest digest,
                                                                 std::string query) = 0;

  /// What came for this digest were other bytes: where there are several places to ask, this one is
  /// asked last from now on. Waits for nothing.
  virtual void disbelieve(const Digest& /*digest*/) {}

  /// False where one more transfer would have to wait for another to end.
  virtual bool has_room() const { return true; }
};

}  // namespace archway::proxy
