#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

struct ssl_ctx_st;
struct ssl_st;

namespace archway::test {

/// Two ends of one TCP connection over loopback. `small`: buffers so small that a writer soon has
/// to wait for its reader.
struct TcpPair {
  int server = -1;
  int client = -1;
};
TcpPair tcp_pair(bool small = false);

/// A client that says and hears bytes, with blocking calls that give up after a while. Owns the
/// descriptor.
class RawClient {
 public:
  /// How a connection ended, as its client sees it.
  enum class End : std::uint8_t { orderly, reset, silence };

  explicit RawClient(int fd) : fd_(fd) {}
  static RawClient to_port(std::uint16_t port);
  static RawClient to_path(const std::string& path);
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        ssl_(std::exchange(other.ssl_, nullptr)),
        waiting_(std::move(other.waiting_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  /// TLS from here on; false when the handshake fails.
  bool start_tls(ssl_ctx_st* context, const std::string& server_name);

  bool say(std::string_view bytes);
  /// The next `count` bytes, or fewer where the connection ends.
  std::string hear(std::size_t count);
  /// A head up to and with its empty line; "" when the connection ends before.
  std::string hear_head();
  /// Head and body by Content-Length or chunks (decoded). The body is shorter, and `whole` false,
  /// when the connection ends before.
  struct Answer {
    std::string head;
    std::string body;
    bool whole = false;

    int status() const;
    std::string field(std::string_view name) const;
  };
  Answer hear_answer(bool head_only = false);

  /// Everything until the end.
  struct Rest {
    std::string bytes;
    End end = End::orderly;
  };
  Rest hear_rest();

  void finish_sending();  ///< FIN
  void reset();           ///< RST
  int error() const;      ///< what the kernel has against the socket (SO_ERROR); 0: nothing

 private:
  bool fill(End& end);
  bool hear_chunks(std::string& body);
  std::string hear_line();

  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
  std::string waiting_;
};

}  // namespace archway::test
