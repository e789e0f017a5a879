#include "proxy/http/tls.hpp"

#include <array>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <utility>

namespace archway::proxy {
namespace {

constexpr unsigned char http_1_1[] = "\x08http/1.1";

Error unusable(const std::filesystem::path& file, std::string_view what) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = file.string() + ": " + std::string(what) + " (" + tls_errors() + ")"};
}

/// Of what the client offers, HTTP/1.1 or nothing: no client needs more (none of those that pull
/// images offers HTTP/2 alone).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* length,
                    const unsigned char* offered, unsigned int offered_length, void*) {
  auto* chosen = const_cast<unsigned char*>(*out);
  const int found = SSL_select_next_proto(&chosen, length, http_1_1, sizeof http_1_1 - 1, offered,
                                          offered_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/// Without this OpenSSL would ask on the terminal, and a server would wait for an answer.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

void harden(SSL_CTX* context) {
  SSL_CTX_set_default_passwd_cb(context, &no_passphrase);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

/// Certificates of these authorities alone, and their names told to clients, which choose by them.
bool ask_clients(SSL_CTX* context, const ClientCertificates& clients) {
  const char* file = clients.ca_file.c_str();
  if (SSL_CTX_load_verify_file(context, file) != 1) return false;
  auto* names = SSL_load_client_CA_file(file);
  if (!names) return false;
  SSL_CTX_set_client_CA_list(context, names);  // Takes them over.
  const int required = clients.required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  // Without a name for its sessions OpenSSL fails where a client that was verified resumes one.
  constexpr unsigned char sessions[] = "archway";
  return SSL_CTX_set_session_id_context(context, sessions, sizeof sessions - 1) == 1;
}

/// The certificate that this side shows, and the key that it is proved with.
Result<void> show(SSL_CTX* context, const std::filesystem::path& certificate,
                  const std::filesystem::path& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return unusable(certificate, "no certificate can be read from it");
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable(key, "no private key that fits the certificate can be read from it");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return unusable(key, "the key does not belong to the certificate");
  }
  return {};
}

}  // namespace

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(
    const std::filesystem::path& certificate, const std::filesystem::path& key,
    const ClientCertificates& clients) {
  ERR_clear_error();
  std::shared_ptr<const TlsContext> made(new TlsContext(SSL_CTX_new(TLS_server_method())));
  auto* context = made->native();
  if (!context) return unusable(certificate, "OpenSSL gives no context");
  harden(context);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  if (const auto shown = show(context, certificate, key); !shown) return shown.error();
  if (!clients.ca_file.empty() && !ask_clients(context, clients)) {
    return unusable(clients.ca_file, "no CA certificates can be read from it");
  }
  return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const std::filesystem::path& ca_file) {
  return client_with({.ca_file = ca_file});
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client_with(const ClientTls& options) {
  ERR_clear_error();
  const auto& ca_file = options.ca_file;
  std::shared_ptr<const TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method())));
  auto* context = made->native();
  if (!context) return unusable(ca_file, "OpenSSL gives no context");
  harden(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, http_1_1, sizeof http_1_1 - 1);
  const bool system = ca_file.empty() || options.and_system;
  bool loaded = !system || SSL_CTX_set_default_verify_paths(context) == 1;
  if (!ca_file.empty()) {
    loaded = loaded && SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  }
  if (!loaded) return unusable(ca_file, "no CA certificates can be read from it");
  if (!options.certificate.empty()) {
    if (const auto shown = show(context, options.certificate, options.key); !shown) {
      return shown.error();
    }
  }
  return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client_unverified() {
  auto made = client({});
  if (made) SSL_CTX_set_verify((*made)->native(), SSL_VERIFY_NONE, nullptr);
  return made;
}

std::shared_ptr<const TlsContext> TlsHolder::get() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

void TlsHolder::set(std::shared_ptr<const TlsContext> context) {
  const std::lock_guard lock(mutex_);
  context_ = std::move(context);
}

std::string tls_errors() {
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);  // Or reasons are numbers.
  std::string text;
  while (const auto code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    // "error:0A000086:SSL routines::certificate verify failed": people want the last part.
    const char* reason = ERR_reason_error_string(code);
    if (!text.empty()) text += "; ";
    text += reason ? reason : line.data();
  }
  return text.empty() ? "no further reason given" : text;
}

}  // namespace archway::proxy
