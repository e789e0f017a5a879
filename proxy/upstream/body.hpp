#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/upstream/answer_head.hpp"
#include "proxy/upstream/connection.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace archway::proxy {

inline constexpr std::size_t chunk_extension_bytes_max = 1024;
inline constexpr std::size_t trailer_bytes_max = 16 * 1024;
inline constexpr std::chrono::milliseconds discarded_time_max{500};

/// How long a body that is read whole may take: its free time, or longer when it comes at this pace
/// on average.
struct Pace {
  std::chrono::milliseconds free{60'000};
  std::uint64_t bytes_per_s = 1024;  ///< 0: the free time is all there is

  std::chrono::milliseconds time_for(std::uint64_t bytes) const;
};

/// The body of one answer, as it comes: what arrives is handed on at once, however little it is.
/// Threads: its connection's.
class Body {
 public:
  /// Takes over a connection that is of use for a further request; not called for any other.
  using Keep = std::function<void(std::unique_ptr<Connection>)>;

  /// Of the timeouts `stall` (the longest silence) and `minimum_rate` count.
  Body(std::unique_ptr<Connection> connection, const AnswerHead& head,
       const Settings::Timeouts& timeouts, Keep keep);

  /// The next bytes, at least one, straight into the buffer; 0 at the proper end: all of
  /// Content-Length, the last chunk and its trailers (dropped), or the end of the connection where
  /// neither was given (with TLS only after its close_notify). `size` is not 0.
  ///
  /// Errors: Errc::upstream_failed (cut short, a chunk that is none), Errc::upstream_unreachable
  /// (silence, or too few bytes for all the waiting); retryable. After one every call fails.
  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size);

  bool finished() const { return state_ == State::finished; }
  std::uint64_t received() const { return received_; }

  /// All of it. Errors: as read(); Errc::upstream_unreachable, retryable, when it does not keep the
  /// pace; Errc::upstream_failed, not retryable, for more than `bytes_max`.
  boost::asio::awaitable<Result<std::string>> read_all(std::size_t bytes_max, Pace pace = Pace());
  /// Reads what is left when that is little and comes soon, so that the connection can serve again.
  boost::asio::awaitable<void> discard(std::chrono::milliseconds time_max = discarded_time_max);

 private:
  enum class State : std::uint8_t {
    data,        // `remaining_` bytes, of the body or of this chunk, or until the end
    chunk_size,  // a line with a size
    chunk_end,   // the CRLF behind a chunk
    trailers,    // lines up to an empty one
    finished,
    failed,
  };

  using Clock = std::chrono::steady_clock;

  /// Measures one wait for the upstream, from its beginning to its end.
  class Waiting;

  void keep_pace(Pace pace);
  bool is_trickle();
  bool may_wait();
  Error too_slow();
  boost::asio::awaitable<Result<std::size_t>> wait_for_bytes(char* buffer, std::size_t size);
  boost::asio::awaitable<Result<std::size_t>> read_data(char* buffer, std::size_t size);
  boost::asio::awaitable<Result<void>> read_chunk_line();
  boost::asio::awaitable<Result<std::string>> read_line(std::size_t bytes_max);
  Result<void> begin_chunk(const std::string& line);
  void finish();
  Error failed(Error error);
  Error cut_short();
  Error broken(const Error& error);

  std::unique_ptr<Connection> connection_;
  std::chrono::milliseconds stall_;
  std::uint64_t minimum_rate_;
  std::chrono::milliseconds minimum_rate_over_;
  Keep keep_;
  Framing framing_;
  bool keep_alive_;
  State state_ = State::data;
  std::uint64_t remaining_ = 0;
  std::uint64_t received_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::optional<Pace> pace_ = {};  // none: only silence is bounded
  Clock::time_point paced_from_ = {};
  std::uint64_t received_before_ = 0;
  Clock::duration waited_ = {};      // since the rate was last looked at
  std::uint64_t received_then_ = 0;  // when that was
};

}  // namespace archway::proxy
