#pragma once

#include "proxy/pull/parts.hpp"
#include "proxy/pull/retry_pause.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace archway::proxy {

/// A blob's bytes straight from its upstream, across cuts: a transfer that ends too early goes on
/// by Range on a new connection where it stopped, while that is worth it (Retries). An upstream
/// that ignores ranges begins again; what is known already is then dropped.
///
/// Threads: the one of `parts`.
class ResumingStream {
 public:
  struct Wanted {
    ImageName image;
    Digest digest;
    std::uint64_t from = 0;
    std::optional<std::uint64_t> to = {};    ///< the byte behind the last; none: to the blob's end
    std::optional<std::uint64_t> size = {};  ///< of the whole blob, where it is known
  };
  ResumingStream(PullParts* parts, Wanted wanted);

  /// Asks the upstream; read() does by itself where that was not done. Errors: the upstream's.
  boost::asio::awaitable<Result<void>> open();
  /// The same with an answer that is there already.
  Result<void> take(std::shared_ptr<BlobStream> answer);

  /// The next bytes, at least one; 0 behind the last. The buffer must outlive the call.
  /// Errors: the upstream's; Errc::upstream_failed when the blob's size changes under way.
  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size);

  /// Of the whole blob, as far as the upstream or the caller said it.
  std::optional<std::uint64_t> size() const { return wanted_.size; }
  /// True when the upstream ignored the range: all before it comes, too.
  bool begins_too_early() const { return stream_ && at_ < position_; }
  const ImageName& image() const { return wanted_.image; }

 private:
  bool at_the_end() const;
  boost::asio::awaitable<Result<std::unique_ptr<BlobStream>>> ask();
  boost::asio::awaitable<Result<void>> open_again();
  boost::asio::awaitable<Result<std::size_t>> step(char* buffer, std::size_t size);
  std::size_t keep_wanted(char* buffer, std::size_t got);

  PullParts* parts_;
  Wanted wanted_;
  std::shared_ptr<BlobStream> stream_;
  std::uint64_t position_;      // Of the blob: the next byte to give out.
  std::uint64_t at_ = 0;        // Of the blob: the next byte of stream_.
  std::uint64_t tried_at_ = 0;  // Where position_ was when the last try began.
  Retries retries_;
  bool ended_ = false;  // By the upstream, where nobody knows the size.
};

}  // namespace archway::proxy
