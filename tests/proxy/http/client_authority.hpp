#pragma once

#include "tests/support/temp_dir.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace archway::test {

/// An authority made on the spot, and clients with certificates of it.
class ClientAuthority {
 public:
  struct Subject {
    std::vector<std::string> common_names = {};  ///< raw bytes of UTF8Strings
    bool expired = false;
    const char* usage = "clientAuth";
  };
  using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

  explicit ClientAuthority(const char* name) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(own_.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    finish(own_.get(), key_.get(), false);
    extend(own_.get(), NID_basic_constraints, "critical,CA:TRUE");
    sign(own_.get());
    write(dir_.path() / "ca.pem");
  }

  std::filesystem::path ca_file() const { return dir_.path() / "ca.pem"; }
  /// Puts this authority in another's place.
  void write(const std::filesystem::path& file) const {
    std::FILE* out = std::fopen(file.c_str(), "w");
    must(out != nullptr && PEM_write_X509(out, own_.get()) == 1, "write");
    std::fclose(out);
  }

  /// A client that believes any server and shows a certificate of this authority.
  Context client(const Subject& subject) const {
    auto context = anonymous();
    const Key key = make_key();
    const Certificate shown(X509_new(), &X509_free);
    for (const auto& name : subject.common_names) {
      X509_NAME_add_entry_by_NID(X509_get_subject_name(shown.get()), NID_commonName,
                                 V_ASN1_UTF8STRING,
                                 reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<int>(name.size()), -1, 0);
    }
    finish(shown.get(), key.get(), subject.expired);
    extend(shown.get(), NID_ext_key_usage, subject.usage);
    sign(shown.get());
    must(SSL_CTX_use_certificate(context.get(), shown.get()) == 1, "use_certificate");
    must(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1, "use_PrivateKey");
    return context;
  }
  /// One that shows none.
  static Context anonymous() {
    Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    must(context != nullptr, "SSL_CTX_new");
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT);
    return context;
  }

 private:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

  static void must(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("client authority: ") + what);
  }
  static Key make_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }
  static void extend(X509* certificate, int what, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    must(extension != nullptr, "extension");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  void finish(X509* certificate, EVP_PKEY* key, bool expired) const {
    constexpr long day_s = 24 * 3600;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * day_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -day_s : day_s);
    X509_set_pubkey(certificate, key);
    X509_set_issuer_name(certificate, X509_get_subject_name(own_.get()));
  }
  void sign(X509* certificate) const {
    must(X509_sign(certificate, key_.get(), EVP_sha256()) != 0, "X509_sign");
  }

  TempDir dir_;
  Key key_ = make_key();
  Certificate own_{X509_new(), &X509_free};
};

}  // namespace archway::test
