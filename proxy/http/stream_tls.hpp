#pragma once

#include "proxy/http/stream.hpp"
#include "proxy/http/tls.hpp"

#include <memory>
#include <openssl/ssl.h>

namespace archway::proxy {

/// One connection's OpenSSL state. It reads and writes the socket by itself: about 10 % cheaper
/// than Asio's stream, which copies through a memory buffer (measured).
struct Stream::Tls {
  std::shared_ptr<const TlsContext> context;
  SSL* ssl = nullptr;

  ~Tls() { SSL_free(ssl); }
};

}  // namespace archway::proxy
