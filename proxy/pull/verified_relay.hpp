#pragma once

#include "cache/blob_file.hpp"
#include "cache/hasher.hpp"
#include "proxy/http/byte_source.hpp"
#include "proxy/pull/parts.hpp"
#include "proxy/pull/relay_slot.hpp"
#include "proxy/pull/resuming_stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

/// A whole blob from its upstream, hashed on the way. The last cache::Fill::withheld_bytes are
/// given out when the digest is right; otherwise read() fails, so that no client completes a wrong
/// blob.
///
/// Threads: the one of `parts`. The hashing is done on it, a small piece at a time: a disk that
/// hangs, and with it the disk pool, must not hold up what does without a disk.
class VerifiedRelay final : public ByteSource {
 public:
  /// From the beginning, by a stream that is open.
  VerifiedRelay(PullParts* parts, RelaySlot slot, std::unique_ptr<ResumingStream> stream,
                Digest digest);

  /// What a client has already, and where it was read from.
  struct Sent {
    std::uint64_t bytes = 0;
    std::shared_ptr<const cache::FileHandle> file = {};
  };
  /// What is behind that. It is hashed first, from the file, or, where that cannot be read, by
  /// fetching it again.
  VerifiedRelay(PullParts* parts, RelaySlot slot, ImageName image, Digest digest,
                std::optional<std::uint64_t> size, Sent sent);

  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override;

 private:
  boost::asio::awaitable<void> begin();
  boost::asio::awaitable<Result<void>> take_more();
  Result<void> check();

  PullParts* parts_;
  RelaySlot slot_;
  ImageName image_;
  Digest digest_;
  std::optional<std::uint64_t> size_ = {};
  Sent sent_ = {};
  std::unique_ptr<ResumingStream> stream_;  // Null until the first read() where it was not open.
  std::shared_ptr<cache::Hasher> hasher_;
  std::uint64_t hashed_ = 0;  // Bytes of the blob.
  std::string held_;          // Hashed, but not given out.
  std::size_t given_ = 0;     // Of held_.
  bool right_ = false;        // All is here, and the digest is right.
};

/// The log's line about a relay that broke off: its client sees nothing but a reset.
void tell_relay_ended(metrics::Log& log, const ImageName& image, const Error& why);

}  // namespace archway::proxy
