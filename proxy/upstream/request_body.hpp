#pragma once

#include "proxy/upstream/connection.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace archway::proxy {

/// Where a request's body comes from when it is too large to be held. Threads: its connection's.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// The next bytes, at least one; only asked for until all of the promised size were given. The
  /// buffer must outlive the call. Errors: any; the request ends with it, its connection unusable.
  virtual boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) = 0;
};

/// What a request carries: nothing, bytes, or as much as a source gives.
struct RequestBody {
  std::shared_ptr<const std::string> bytes = {};
  std::shared_ptr<BodySource> source = {};       ///< instead of bytes: it can be sent only once
  std::uint64_t size = 0;                        ///< of what the source gives
  std::function<void(std::uint64_t)> sent = {};  ///< told how much of it has left, piece by piece

  static RequestBody of(std::string text);

  bool streamed() const { return source != nullptr; }
  std::uint64_t length() const { return source ? size : bytes ? bytes->size() : 0; }
};

/// Sends a request's body with an ear on its connection: a registry that refuses says so while the
/// body is still on its way, and takes no more of it. Threads: the connection's.
class BodySender {
 public:
  static constexpr std::size_t piece_bytes = 64 * 1024;

  /// `stall`: how long the other side may take for one piece.
  BodySender(Connection* connection, std::chrono::milliseconds stall);
  BodySender(const BodySender&) = delete;
  BodySender& operator=(const BodySender&) = delete;
  ~BodySender();

  /// True when all of it has left. False when the other side has answered before (what came is in
  /// the connection's `received`) or takes no more: it may have something to say. Either way its
  /// answer is what counts now; after false it is the connection's last.
  ///
  /// Errors: the source's.
  boost::asio::awaitable<Result<bool>> run(RequestBody body);

 private:
  struct Ear;
  static void listen(std::shared_ptr<Ear> ear);
  boost::asio::awaitable<Result<bool>> send_bytes(RequestBody body);
  boost::asio::awaitable<Result<bool>> send_stream(RequestBody body);
  boost::asio::awaitable<bool> send_piece(const char* data, std::size_t size);

  std::shared_ptr<Ear> ear_;  // the wait's handler holds it, too, and may outlive this
  std::chrono::milliseconds stall_;
};

}  // namespace archway::proxy
