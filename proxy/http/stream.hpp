#pragma once

#include "proxy/http/deadlines.hpp"
#include "proxy/http/page_reader.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace archway::proxy {

/// What a TLS handshake needs; wraps OpenSSL's context, shared by the connections made with it.
class TlsContext;

/// A connected TCP or unix socket, plain or TLS, used by the server and by the upstream client
/// alike.
///
/// Every call is tried at once on the non-blocking socket and waits for readiness only when it must
/// (measured: 0.6 of the CPU of composed operations with a timer each). Every wait ends by a
/// deadline that the caller sets; a deadline that passes closes the stream for good.
///
/// Threads: one, the executor's. Not movable: hold it by unique_ptr.
class Stream final : private Expiring {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  explicit Stream(Socket socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  /// Every wait from now on must end within `time` of this call. A coarse clock: up to 0.25 s late.
  void deadline_in(std::chrono::milliseconds time);
  /// No bound until the next deadline_in(): while somebody else is at work.
  void no_deadline() { deadline = Clock::time_point::max(); }

  /// Handshakes. Errors: Errc::upstream_unreachable; context says why (certificate, name, silence).
  boost::asio::awaitable<Result<void>> accept_tls(std::shared_ptr<const TlsContext> context);
  boost::asio::awaitable<Result<void>> connect_tls(std::shared_ptr<const TlsContext> context,
                                                   std::string server_name);

  /// At least one byte, or 0 at the orderly end of the stream. The buffer must outlive the call.
  boost::asio::awaitable<Result<std::size_t>> read_some(char* buffer, std::size_t size);
  /// What is there without waiting: bytes, 0 for nothing yet (and at the end).
  std::size_t read_now(char* buffer, std::size_t size);

  /// All of it. `more`: a file follows, so that both leave in one segment.
  boost::asio::awaitable<Result<void>> write(const char* data, std::size_t size, bool more);
  /// What leaves without waiting: so many of its bytes. 0 may also be an error, which write()
  /// tells.
  std::size_t write_now(const char* data, std::size_t size);
  /// A part of a file: sendfile(2) on a plain stream. A client that takes less than 64 KiB within
  /// `stall` ends it. `reader` waits for the disk in the loop's place; nullptr: the loop itself
  /// does. Gives back the bytes sent when all went well.
  /// Errors: also Errc::storage_failed: the file cannot be read, or is shorter than that.
  boost::asio::awaitable<Result<std::uint64_t>> write_file(FilePart part, PageReader* reader,
                                                           std::chrono::milliseconds stall);

  /// True while no byte waits to be read and the other side has not closed: an idle pooled
  /// connection that may be used again.
  bool quiet();

  /// Ends with RST instead of FIN: what was promised will not come.
  void reset();
  void close();
  /// Says that nothing more will be written, and keeps reading and dropping for a moment: closing
  /// with unread bytes would make the kernel send RST, which can destroy the answer on its way.
  boost::asio::awaitable<void> close_gently();
  bool open() const;

  Socket& socket() { return socket_; }
  bool is_tls() const { return tls_ != nullptr; }
  std::string server_name() const;  ///< SNI that the client sent
  /// The verified subject's common name; "" without a certificate, and where it has not exactly
  /// one.
  std::string peer_certificate_name() const;

  boost::asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  struct Tls;
  enum class Step : std::uint8_t { done, again, wait_read, wait_write, ended, failed };

  void expire() override;
  boost::asio::awaitable<bool> ready(Socket::wait_type what);
  boost::asio::awaitable<bool> ready_for(Step step);
  boost::asio::awaitable<Result<void>> handshake(std::string what);
  Step receive(char* buffer, std::size_t size, std::size_t& got);
  Step send(const char* data, std::size_t size, bool more, std::size_t& sent);
  boost::asio::awaitable<Result<std::uint64_t>> send_file(FilePart part, PageReader* reader,
                                                          std::chrono::milliseconds stall);
  boost::asio::awaitable<Result<std::uint64_t>> copy_file(FilePart part, PageReader* reader,
                                                          std::chrono::milliseconds stall);
  boost::asio::awaitable<bool> push_out(std::chrono::milliseconds stall);
  Error handshake_failed(std::string what) const;
  void say_goodbye();
  Error broken(std::string what) const;

  Socket socket_;
  std::unique_ptr<Tls> tls_;
  Deadlines& deadlines_;
  bool expired_ = false;
};

}  // namespace archway::proxy
