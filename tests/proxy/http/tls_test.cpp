#include "proxy/http/tls.hpp"

#include "tests/support/scripted_wire.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdio>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

/// A key that nobody can use without its passphrase.
fs::path locked_key(const test::TempDir& dir) {
  const auto path = dir.write("locked.key", "");
  EVP_PKEY* key = EVP_EC_gen("P-256");
  std::FILE* file = std::fopen(path.c_str(), "w");
  const unsigned char word[] = "open sesame";
  REQUIRE(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), word, 11, nullptr, nullptr) == 1);
  std::fclose(file);
  EVP_PKEY_free(key);
  return path;
}

TEST_CASE("a certificate and its key make a server's context") {
  const test::TestCertificate certificate({});
  const auto context = TlsContext::server(certificate.certificate_file(), certificate.key_file());
  REQUIRE(context);
  CHECK(SSL_CTX_get_min_proto_version((*context)->native()) == TLS1_2_VERSION);
}

TEST_CASE("files that cannot be used are named, with what is wrong with them") {
  const test::TempDir dir;
  const test::TestCertificate one({});
  const test::TestCertificate two({});
  const auto garbage = dir.write("garbage.pem", "this is no PEM\n");
  const auto empty = dir.write("empty.pem", "");
  const auto missing = dir.path() / "missing.pem";
  struct Row {
    const char* why;
    fs::path certificate;
    fs::path key;
    fs::path named;
    const char* what;
  };
  const std::vector<Row> rows{
      {"no certificate file", missing, one.key_file(), missing, "no certificate"},
      {"an empty certificate file", empty, one.key_file(), empty, "no certificate"},
      {"no certificate in it", garbage, one.key_file(), garbage, "no certificate"},
      {"a key where the certificate should be", one.key_file(), one.key_file(), one.key_file(),
       "no certificate"},
      {"no key file", one.certificate_file(), missing, missing, "no private key"},
      {"no key in it", one.certificate_file(), garbage, garbage, "no private key"},
      {"another certificate's key", one.certificate_file(), two.key_file(), two.key_file(), "key"},
      {"a key with a passphrase, which nobody can be asked for", one.certificate_file(),
       locked_key(dir), dir.path() / "locked.key", "no private key"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto context = TlsContext::server(row.certificate, row.key);
    REQUIRE(!context);
    CHECK(context.error().code == Errc::configuration_invalid);
    CHECK(context.error().origin == Origin::configuration);
    CHECK(context.error().message.starts_with(row.named.string() + ": "));
    CHECK(context.error().message.find(row.what) != std::string::npos);
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("a file of authorities that cannot be used is named") {
  const test::TempDir dir;
  const test::TestCertificate own({});
  for (const auto& file : {dir.path() / "missing.pem", dir.write("garbage.pem", "no PEM\n"),
                           dir.write("empty.pem", ""), own.key_file()}) {
    CAPTURE(file);
    const auto none = TlsContext::server(own.certificate_file(), own.key_file(), {.ca_file = file});
    REQUIRE(!none);
    CHECK(none.error().code == Errc::configuration_invalid);
    CHECK(none.error().message.starts_with(file.string() + ": no CA certificates"));
  }
}

TEST_CASE("a server asks its clients for nothing, for a certificate, or does without them") {
  const test::TestCertificate own({});
  struct Row {
    const char* why;
    ClientCertificates clients;
    int mode;
  };
  for (const auto& row : std::vector<Row>{
           {"nothing is configured", {}, SSL_VERIFY_NONE},
           {"ask", {.ca_file = own.certificate_file()}, SSL_VERIFY_PEER},
           {"require",
            {.ca_file = own.certificate_file(), .required = true},
            SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT},
       }) {
    CAPTURE(row.why);
    const auto made = TlsContext::server(own.certificate_file(), own.key_file(), row.clients);
    REQUIRE(made);
    CHECK(SSL_CTX_get_verify_mode((*made)->native()) == row.mode);
  }
}

TEST_CASE("a client's context has the system's authorities or one file's alone") {
  const test::TempDir dir;
  const test::TestCertificate certificate({});
  CHECK(TlsContext::client({}));
  const auto one = TlsContext::client(certificate.certificate_file());
  REQUIRE(one);
  CHECK((SSL_CTX_get_verify_mode((*one)->native()) & SSL_VERIFY_PEER) != 0);
  for (const auto& file : {dir.path() / "missing.pem", dir.write("garbage.pem", "no PEM\n")}) {
    CAPTURE(file);
    const auto none = TlsContext::client(file);
    REQUIRE(!none);
    CHECK(none.error().message.starts_with(file.string() + ": no CA certificates"));
  }
}

TEST_CASE("OpenSSL's errors are told in one line, and then they are gone") {
  ERR_clear_error();
  CHECK(tls_errors() == "no further reason given");
  ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
  ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING);
  CHECK(tls_errors() == "http request; unexpected eof while reading");
  CHECK(tls_errors() == "no further reason given");
}

}  // namespace
}  // namespace archway::proxy
