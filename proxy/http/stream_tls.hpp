#pragma once

#include "proxy/http/stream.hpp"
#include "proxy/http/tls.hpp"

#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <string>

namespace archway::proxy {

/// One connection's OpenSSL state. It reads the socket by itself: about 10 % cheaper than Asio's
/// stream, which copies through a memory buffer (measured). What it writes is collected, and leaves
/// by one send(2) for several records of 16 KiB.
struct Stream::Tls {
  /// Of a file at once. Twice as much is dearer by as much as the calls cost: it leaves the caches
  /// that are nearest (measured).
  static constexpr std::size_t piece_bytes = 64 * 1024;

  std::shared_ptr<const TlsContext> context;
  SSL* ssl = nullptr;
  int fd = -1;
  /// Records that have not left yet; they leave before all others.
  std::string unsent;
  /// Where records go while this is set; the socket where there is none.
  std::string* collected = nullptr;

  ~Tls() { SSL_free(ssl); }

  /// To be called once, when the handshake is over. False: no memory.
  bool collect_writes();

  /// Takes all of it (`taken`) and sends what leaves at once; the rest is kept. With `more` all is.
  /// `done`: nothing is kept but for what comes; `wait_write`: something is.
  Step write(const char* data, std::size_t size, bool more, std::size_t& taken);

  /// The same for a part of a file: at most piece_bytes of it.
  struct Copied {
    std::int64_t got = 0;  ///< as pread(2) says it
    int error = 0;         ///< errno of reading
    Step step;
  };
  Copied copy(int file, std::uint64_t offset, std::uint64_t length);

  /// Sends what is kept.
  Step push() { return send_out(unsent); }

 private:
  Step send_out(std::string& records);
};

}  // namespace archway::proxy
