#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace archway::test {

/// A server certificate made on the spot, self-signed or of an authority of its own, and the file
/// that clients trust it by.
class TestCertificate {
 public:
  struct Options {
    std::vector<std::string> names = {"localhost"};  ///< DNS names
    std::vector<std::string> addresses = {"127.0.0.1"};
    bool expired = false;
    bool not_yet_valid = false;
    bool has_issuer = false;               ///< signed by an authority made for it
    bool weak_signature = false;           ///< of SHA-1; with `has_issuer`
    bool old_protocol = false;             ///< the server speaks TLS 1.0 alone
    std::filesystem::path client_ca = {};  ///< clients have to show a certificate of this one
  };
  explicit TestCertificate(const Options& options);
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;
  ~TestCertificate();

  const std::filesystem::path& certificate_file() const { return certificate_; }
  const std::filesystem::path& key_file() const { return key_; }
  ssl_ctx_st* context() const { return context_; }

 private:
  std::filesystem::path folder_;
  std::filesystem::path certificate_;
  std::filesystem::path key_;
  ssl_ctx_st* context_ = nullptr;
};

/// One accepted connection with blocking calls, plain or TLS. Owns the descriptor.
class Wire {
 public:
  Wire(int fd, ssl_ctx_st* tls);  ///< `tls` nullptr: plain; else shakes hands
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  bool good() const { return good_; }
  /// Up to and with an empty line; "" at the end of the connection, and, as servers of plain HTTP
  /// do it, for the beginning of TLS.
  std::string read_head();
  /// So many bytes, or fewer at the end of the connection.
  std::string read(std::size_t size);
  bool send(std::string_view bytes);
  /// FIN, with TLS behind a close_notify unless that is to be left out; waits for the other side.
  void finish(bool close_notify);
  /// RST.
  void reset();

 private:
  bool receive();  // Appends to `waiting_`; false at the end.

  int fd_;
  ssl_st* ssl_ = nullptr;
  bool good_ = true;
  std::string waiting_;
};

}  // namespace archway::test
