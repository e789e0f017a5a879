#pragma once

#include "cache/hasher.hpp"
#include "proxy/upstream/registry.hpp"
#include "proxy/upstream/request_body.hpp"
#include "resolver/model/digest.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>

namespace archway::proxy {

/// A blob on its way into a request: hashed as it passes, and of bytes that do not match its digest
/// the last ones are not handed on. Threads: one.
class CheckedSource final : public BodySource {
 public:
  /// `size` is the blob's, at least 1; the stream begins at 0.
  CheckedSource(std::shared_ptr<BlobStream> stream, Digest digest, std::uint64_t size);

  /// Errors: the stream's; Errc::upstream_failed for bytes that end early or do not match.
  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override;

  /// What read() ended with, so that its error can be told from the receiver's.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  Error failed(Error error);
  bool matches();

  std::shared_ptr<BlobStream> stream_;
  cache::Hasher hasher_;
  Digest digest_;
  std::uint64_t left_;
  std::optional<Error> failure_ = {};
};

}  // namespace archway::proxy
