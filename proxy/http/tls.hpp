#pragma once

#include "resolver/model/result.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

struct ssl_ctx_st;

namespace archway::proxy {

/// Whose certificates a server asks its clients for.
struct ClientCertificates {
  std::filesystem::path ca_file = {};  ///< the authorities that count; "" : nobody is asked
  bool required = false;               ///< who shows none is turned away
};

/// Whom a client trusts, and what it shows when it is asked for a certificate.
struct ClientTls {
  std::filesystem::path ca_file = {};      ///< "" : the system's CAs
  bool and_system = false;                 ///< the system's CAs beside those of `ca_file`
  std::filesystem::path certificate = {};  ///< PEM, with what is between it and its CA; "" : none
  std::filesystem::path key = {};          ///< PEM
};

/// An OpenSSL context: TLS 1.2 and up, HTTP/1.1 only. Immutable once made; connections keep the one
/// they began with, so that a new certificate is simply a new context.
///
/// Threads: any.
class TlsContext {
 public:
  /// A server's. A client that shows a certificate which `clients.ca_file` does not vouch for is
  /// turned away in any case; what was verified once stays known when a session is resumed.
  ///
  /// Errors: Errc::configuration_invalid when a file cannot be read, does not parse, or key and
  /// certificate do not match; the message names the file.
  static Result<std::shared_ptr<const TlsContext>> server(const std::filesystem::path& certificate,
                                                          const std::filesystem::path& key,
                                                          const ClientCertificates& clients = {});

  /// A client's: always verifies the chain and the name, with the system's CAs or those of
  /// `ca_file` alone. Errors: Errc::configuration_invalid.
  static Result<std::shared_ptr<const TlsContext>> client(const std::filesystem::path& ca_file);
  static Result<std::shared_ptr<const TlsContext>> client_with(const ClientTls& options);
  /// A client's that takes any certificate, for a person who says so on the command line. Errors:
  /// as client().
  static Result<std::shared_ptr<const TlsContext>> client_unverified();

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* native() const noexcept { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) noexcept : context_(context) {}
  ssl_ctx_st* context_;
};

/// The TLS context that a listener or an upstream has in use, replaced as a whole when its files
/// change: connections that began with the old one keep it. Threads: any.
class TlsHolder {
 public:
  explicit TlsHolder(std::shared_ptr<const TlsContext> context) : context_(std::move(context)) {}

  std::shared_ptr<const TlsContext> get() const;
  void set(std::shared_ptr<const TlsContext> context);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> context_;
};

/// What OpenSSL's error queue of this thread says, one line, and empties it.
std::string tls_errors();

}  // namespace archway::proxy
