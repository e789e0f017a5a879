#pragma once

#include "resolver/model/result.hpp"

#include <filesystem>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace archway::proxy {

/// An OpenSSL context: TLS 1.2 and up, HTTP/1.1 only. Immutable once made; connections keep the one
/// they began with, so that a new certificate is simply a new context.
///
/// Threads: any.
class TlsContext {
 public:
  /// A server's. Errors: Errc::configuration_invalid when a file cannot be read, does not parse, or
  /// key and certificate do not match; the message names the file.
  static Result<std::shared_ptr<const TlsContext>> server(const std::filesystem::path& certificate,
                                                          const std::filesystem::path& key);

  /// A client's: always verifies the chain and the name, with the system's CAs or those of
  /// `ca_file` alone. Errors: Errc::configuration_invalid.
  static Result<std::shared_ptr<const TlsContext>> client(const std::filesystem::path& ca_file);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* native() const noexcept { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) noexcept : context_(context) {}
  ssl_ctx_st* context_;
};

/// What OpenSSL's error queue of this thread says, one line, and empties it.
std::string tls_errors();

}  // namespace archway::proxy
