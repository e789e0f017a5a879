#include "proxy/http/stream_tls.hpp"

#include <arpa/inet.h>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <cerrno>
#include <ctime>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string>
#include <sys/socket.h>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// The subject's one common name as UTF-8. "" when there is none, more than one, or one with a NUL,
/// which others would read as shorter than it is.
std::string common_name(const X509_NAME* subject) {
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return "";
  const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  unsigned char* text = nullptr;
  const int length = ASN1_STRING_to_UTF8(&text, value);
  if (length < 0) {
    ERR_clear_error();
    return "";
  }
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
  OPENSSL_free(text);
  return name.find('\0') == std::string::npos ? name : "";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

}  // namespace

net::awaitable<Result<void>> Stream::handshake(std::string what) {
  for (;;) {
    ERR_clear_error();
    const bool possible = open();
    const int result = possible ? SSL_do_handshake(tls_->ssl) : -1;
    if (result == 1 && tls_->collect_writes()) co_return Result<void>();
    if (result == 1) co_return broken(what + ": no memory");
    const int why = possible ? SSL_get_error(tls_->ssl, result) : SSL_ERROR_SSL;
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      co_return handshake_failed(std::move(what));
    }
    const auto step = why == SSL_ERROR_WANT_WRITE ? Step::wait_write : Step::wait_read;
    const bool awake = co_await ready_for(step);
    if (!awake) co_return handshake_failed(std::move(what));
  }
}

/// With a message that says why, in OpenSSL's words.
Error Stream::handshake_failed(std::string what) const {
  const auto verdict = SSL_get_verify_result(tls_->ssl);
  if (verdict == X509_V_OK) {
    const auto reason = expired_ ? std::string("no answer in time") : tls_errors();
    Error error = broken(what + ": " + reason);
    error.message = "the TLS handshake failed (" + reason + ")";
    return error;
  }
  std::string reason = X509_verify_cert_error_string(verdict);
  Error error = broken(what + ": " + reason);
  // A clock that was never set is the usual cause on small machines.
  if (verdict == X509_V_ERR_CERT_NOT_YET_VALID) reason += "; this machine says it is " + today();
  error.message = "its TLS certificate is refused (" + reason + ")";
  return error;
}

net::awaitable<Result<void>> Stream::accept_tls(std::shared_ptr<const TlsContext> context) {
  tls_ = std::make_unique<Tls>();
  tls_->context = std::move(context);
  tls_->ssl = SSL_new(tls_->context->native());
  tls_->fd = socket_.native_handle();
  if (!tls_->ssl || SSL_set_fd(tls_->ssl, tls_->fd) != 1) {
    co_return broken("TLS: " + tls_errors());
  }
  SSL_set_accept_state(tls_->ssl);
  co_return co_await handshake("TLS handshake with a client");
}

net::awaitable<Result<void>> Stream::connect_tls(std::shared_ptr<const TlsContext> context,
                                                 std::string server_name) {
  tls_ = std::make_unique<Tls>();
  tls_->context = std::move(context);
  tls_->ssl = SSL_new(tls_->context->native());
  tls_->fd = socket_.native_handle();
  if (!tls_->ssl || SSL_set_fd(tls_->ssl, tls_->fd) != 1) {
    co_return broken("TLS: " + tls_errors());
  }
  SSL_set_connect_state(tls_->ssl);
  // A name is checked as a name and an address as an address; SNI carries names only (RFC 6066).
  std::array<unsigned char, sizeof(in6_addr)> address{};
  auto* wanted = SSL_get0_param(tls_->ssl);
  const bool literal = ::inet_pton(AF_INET, server_name.c_str(), address.data()) == 1 ||
                       ::inet_pton(AF_INET6, server_name.c_str(), address.data()) == 1;
  const int named = literal ? X509_VERIFY_PARAM_set1_ip_asc(wanted, server_name.c_str())
                            : SSL_set1_host(tls_->ssl, server_name.c_str());
  if (named != 1 || (!literal && SSL_set_tlsext_host_name(tls_->ssl, server_name.c_str()) != 1)) {
    co_return broken("TLS: " + tls_errors());
  }
  co_return co_await handshake("TLS handshake with " + server_name);
}

std::string Stream::server_name() const {
  const char* name = tls_ ? SSL_get_servername(tls_->ssl, TLSEXT_NAMETYPE_host_name) : nullptr;
  return name ? name : "";
}

std::string Stream::peer_certificate_name() const {
  if (!tls_ || SSL_get_verify_result(tls_->ssl) != X509_V_OK) return "";
  X509* certificate = SSL_get0_peer_certificate(tls_->ssl);
  return certificate ? common_name(X509_get_subject_name(certificate)) : "";
}

}  // namespace archway::proxy
