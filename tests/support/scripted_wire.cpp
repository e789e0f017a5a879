#include "tests/support/scripted_wire.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace archway::test {
namespace {

constexpr long day_s = 24 * 3600;

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("test certificate: ") + what);
}

std::string alternative_names(const TestCertificate::Options& options) {
  std::string text;
  for (const auto& name : options.names) text += (text.empty() ? "DNS:" : ",DNS:") + name;
  for (const auto& address : options.addresses) text += (text.empty() ? "IP:" : ",IP:") + address;
  return text;
}

void extend(X509* certificate, int what, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
  must(extension != nullptr, "extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

struct Issuer {
  X509* certificate;  // nullptr: self-signed
  EVP_PKEY* key;
};

X509* make_certificate(EVP_PKEY* key, const TestCertificate::Options& options, Issuer issuer,
                       const char* called) {
  X509* certificate = X509_new();
  must(certificate != nullptr, "X509_new");
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  long from = options.expired ? -2 * day_s : -day_s;
  long until = options.expired ? -day_s : day_s;
  if (options.not_yet_valid) from = day_s;
  if (options.not_yet_valid) until = 2 * day_s;
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), until);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(called), -1, -1, 0);
  const bool self_signed = issuer.certificate == nullptr;
  X509_set_issuer_name(certificate, self_signed ? name : X509_get_subject_name(issuer.certificate));
  extend(certificate, NID_basic_constraints, self_signed ? "critical,CA:TRUE" : "CA:FALSE");
  extend(certificate, NID_subject_alt_name, alternative_names(options));
  const auto* const hash = options.weak_signature && !self_signed ? EVP_sha1() : EVP_sha256();
  must(X509_sign(certificate, issuer.key, hash) != 0, "X509_sign");
  return certificate;
}

void write_certificate(const std::filesystem::path& path, X509* certificate) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  must(file != nullptr && PEM_write_X509(file, certificate) == 1, "certificate.pem");
  std::fclose(file);
}

void configure(SSL_CTX* context, const TestCertificate::Options& options) {
  if (options.old_protocol) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_VERSION);
  }
  // A server that thinks its own certificate too weak would not even start.
  if (options.weak_signature) SSL_CTX_set_security_level(context, 0);
  if (options.client_ca.empty()) return;
  must(SSL_CTX_load_verify_file(context, options.client_ca.c_str()) == 1, "client_ca");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace

TestCertificate::TestCertificate(const Options& options) {
  std::string pattern = (std::filesystem::temp_directory_path() / "archway-tls-XXXXXX").string();
  must(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
  folder_ = pattern;
  certificate_ = folder_ / "certificate.pem";
  key_ = folder_ / "key.pem";

  EVP_PKEY* key = EVP_EC_gen("P-256");
  EVP_PKEY* issuer_key = options.has_issuer ? EVP_EC_gen("P-256") : nullptr;
  must(key != nullptr && (issuer_key != nullptr) == options.has_issuer, "EVP_EC_gen");
  X509* issuer = nullptr;
  if (options.has_issuer) {
    issuer = make_certificate(issuer_key, {}, {nullptr, issuer_key}, "archway test authority");
  }
  X509* certificate = make_certificate(
      key, options, issuer != nullptr ? Issuer{issuer, issuer_key} : Issuer{nullptr, key},
      "archway test");
  write_certificate(certificate_, issuer != nullptr ? issuer : certificate);
  std::FILE* file = std::fopen(key_.c_str(), "w");
  must(file != nullptr &&
           PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "key.pem");
  std::fclose(file);

  context_ = SSL_CTX_new(TLS_server_method());
  must(context_ != nullptr, "SSL_CTX_new");
  configure(context_, options);
  must(SSL_CTX_use_certificate(context_, certificate) == 1, "use_certificate");
  must(SSL_CTX_use_PrivateKey(context_, key) == 1, "use_PrivateKey");
  X509_free(certificate);
  X509_free(issuer);
  EVP_PKEY_free(key);
  EVP_PKEY_free(issuer_key);
}

TestCertificate::~TestCertificate() {
  SSL_CTX_free(context_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Wire::Wire(int fd, ssl_ctx_st* tls) : fd_(fd) {
  if (tls == nullptr) return;
  ERR_clear_error();
  ssl_ = SSL_new(tls);
  good_ = ssl_ != nullptr && SSL_set_fd(ssl_, fd_) == 1 && SSL_accept(ssl_) == 1;
}

Wire::~Wire() {
  SSL_free(ssl_);
  if (fd_ >= 0) ::close(fd_);
}

bool Wire::receive() {
  std::array<char, 4096> buffer{};
  while (good_ && fd_ >= 0) {
    ERR_clear_error();
    const auto size = static_cast<int>(buffer.size());
    const auto got = ssl_ != nullptr ? static_cast<ssize_t>(SSL_read(ssl_, buffer.data(), size))
                                     : ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got < 0 && ssl_ == nullptr && errno == EINTR) continue;
    if (got <= 0) return false;
    waiting_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  return false;
}

std::string Wire::read_head() {
  constexpr char tls_handshake = 0x16;
  for (;;) {
    const auto end = waiting_.find("\r\n\r\n");
    if (end != std::string::npos) return read(end + 4);
    if (waiting_.starts_with(tls_handshake) || !receive()) return {};
  }
}

std::string Wire::read(std::size_t size) {
  while (waiting_.size() < size && receive()) {
  }
  std::string bytes = waiting_.substr(0, size);
  waiting_.erase(0, bytes.size());
  return bytes;
}

bool Wire::send(std::string_view bytes) {
  while (good_ && fd_ >= 0 && !bytes.empty()) {
    ERR_clear_error();
    const auto size = std::min<std::size_t>(bytes.size(), 1024 * 1024);
    const auto sent =
        ssl_ != nullptr
            ? static_cast<ssize_t>(SSL_write(ssl_, bytes.data(), static_cast<int>(size)))
            : ::send(fd_, bytes.data(), size, MSG_NOSIGNAL);
    if (sent < 0 && ssl_ == nullptr && errno == EINTR) continue;
    if (sent <= 0) good_ = false;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return good_;
}

void Wire::finish(bool close_notify) {
  if (fd_ < 0) return;
  ERR_clear_error();
  if (ssl_ != nullptr && good_ && close_notify) SSL_shutdown(ssl_);
  ::shutdown(fd_, SHUT_WR);
  // Closing with unread bytes would send RST: the other side goes first.
  std::array<char, 4096> dropped{};
  while (::recv(fd_, dropped.data(), dropped.size(), 0) > 0) {
  }
  good_ = false;
}

void Wire::reset() {
  if (fd_ < 0) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  good_ = false;
}

}  // namespace archway::test
