// Certificates that clients show: which count, what is known by them, also on a resumed session.

#include "proxy/http/stream_tls.hpp"
#include "tests/proxy/http/client_authority.hpp"
#include "tests/support/scripted_wire.hpp"
#include "tests/support/served.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace archway::proxy {
namespace {

namespace net = boost::asio;

using test::ClientAuthority;
using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

/// How the server saw a handshake.
struct Accepted {
  bool good = false;
  std::string name = {};
  std::string why = {};
};

net::awaitable<Accepted> accept_one(int fd, net::io_context* context,
                                    std::shared_ptr<const TlsContext> tls) {
  Stream stream(test::adopt(*context, fd));
  stream.deadline_in(test::patience);
  Accepted accepted;
  const auto shaken = co_await stream.accept_tls(tls);
  if (shaken) {
    accepted.good = true;
    accepted.name = stream.peer_certificate_name();
    // Behind the handshake come the tickets of TLS 1.3; whoever has read this has them, too.
    const std::string greeting = "x";
    const auto greeted = co_await stream.write(greeting.data(), 1, false);
    static_cast<void>(greeted.has_value());
    stream.close();
  } else {
    accepted.why = shaken.error().context;
    co_await stream.close_gently();
  }
  co_return accepted;
}

/// Both sides of one handshake. A session that is handed in is offered; the one that comes out may
/// be offered next time.
struct Handshake {
  Accepted server;
  bool client_good = false;  ///< it read the server's greeting
  bool resumed = false;
  Session session{nullptr, &SSL_SESSION_free};
};

Handshake shake(test::LoopThread& loop, std::shared_ptr<const TlsContext> server, SSL_CTX* client,
                SSL_SESSION* offered = nullptr) {
  const auto pair = test::tcp_pair();
  auto accepted = loop.spawn(accept_one(pair.server, &loop.context(), std::move(server)));
  SSL* ssl = SSL_new(client);
  SSL_set_fd(ssl, pair.client);
  if (offered) SSL_set_session(ssl, offered);
  Handshake result;
  char byte = 0;
  result.client_good = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1;
  result.resumed = SSL_session_reused(ssl) == 1;
  if (result.client_good) result.session.reset(SSL_get1_session(ssl));
  SSL_shutdown(ssl);
  SSL_free(ssl);
  ::close(pair.client);
  result.server = test::take(std::move(accepted));
  return result;
}

/// A server that asks for certificates of an authority.
std::shared_ptr<const TlsContext> asking(const ClientAuthority& authority, bool required) {
  static const test::TestCertificate own({});
  auto context = TlsContext::server(own.certificate_file(), own.key_file(),
                                    {.ca_file = authority.ca_file(), .required = required});
  if (!context) FAIL(context.error().message);
  return *std::move(context);
}

TEST_CASE("a certificate of the authority is known by its one common name, any other ends it") {
  const ClientAuthority ours("ours");
  const ClientAuthority theirs("theirs");
  struct Row {
    const char* why;
    const ClientAuthority* by;  ///< nullptr: no certificate
    ClientAuthority::Subject subject;
    bool let_in_if_asked;
    bool let_in_if_required;
    const char* name = "";
  };
  const std::vector<Row> rows{
      {"none", nullptr, {}, true, false},
      {"a node's", &ours, {.common_names = {"pi-07"}}, true, true, "pi-07"},
      {"one that is not in ASCII",
       &ours,
       {.common_names = {"k\xc3\xbc"
                         "che"}},
       true,
       true,
       "k\xc3\xbc"
       "che"},
      {"without a common name", &ours, {}, true, true},
      {"with two", &ours, {.common_names = {"pi-07", "admin"}}, true, true},
      {"with a NUL, which C would stop at",
       &ours,
       {.common_names = {std::string("pi-07\0x", 7)}},
       true,
       true},
      {"of another authority", &theirs, {.common_names = {"pi-07"}}, false, false},
      {"too old", &ours, {.common_names = {"pi-07"}, .expired = true}, false, false},
      {"a server's", &ours, {.common_names = {"pi-07"}, .usage = "serverAuth"}, false, false},
  };
  test::LoopThread loop;
  for (const auto& row : rows) {
    for (const bool required : {false, true}) {
      CAPTURE(row.why);
      CAPTURE(required);
      const auto client = row.by ? row.by->client(row.subject) : ClientAuthority::anonymous();
      const auto shaken = shake(loop, asking(ours, required), client.get());
      CAPTURE(shaken.server.why);
      const bool let_in = required ? row.let_in_if_required : row.let_in_if_asked;
      CHECK(shaken.server.good == let_in);
      CHECK(shaken.client_good == let_in);
      CHECK(shaken.server.name == row.name);
    }
  }
}

TEST_CASE("a server that does not ask learns no name") {
  const ClientAuthority ours("ours");
  const test::TestCertificate own({});
  const auto context = TlsContext::server(own.certificate_file(), own.key_file());
  REQUIRE(context);
  test::LoopThread loop;
  const auto client = ours.client({.common_names = {"pi-07"}});
  const auto shaken = shake(loop, *context, client.get());
  CHECK(shaken.server.good);
  CHECK(shaken.server.name == "");
}

TEST_CASE("clients are told which authorities count") {
  const ClientAuthority ours("ours");
  const auto server = asking(ours, false);
  const auto* names = SSL_CTX_get_client_CA_list(server->native());
  REQUIRE(sk_X509_NAME_num(names) == 1);
  char text[64] = {};
  X509_NAME_oneline(sk_X509_NAME_value(names, 0), text, sizeof text);
  CHECK(std::string(text) == "/CN=ours");
}

TEST_CASE("a resumed session knows its client as well as the first did") {
  const ClientAuthority ours("ours");
  test::LoopThread loop;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool required : {false, true}) {
      CAPTURE(version);
      CAPTURE(required);
      const auto server = asking(ours, required);
      const auto client = ours.client({.common_names = {"pi-07"}});
      SSL_CTX_set_min_proto_version(client.get(), version);
      SSL_CTX_set_max_proto_version(client.get(), version);
      const auto first = shake(loop, server, client.get());
      REQUIRE(first.client_good);
      CHECK(!first.resumed);
      CHECK(first.server.name == "pi-07");
      const auto second = shake(loop, server, client.get(), first.session.get());
      REQUIRE(second.client_good);
      CHECK(second.resumed);
      CHECK(second.server.name == "pi-07");
    }
  }
}

TEST_CASE("a session begun under one authority is worth nothing under the next") {
  const ClientAuthority before("before");
  const ClientAuthority after("after");
  test::LoopThread loop;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const auto client = before.client({.common_names = {"pi-07"}});
    SSL_CTX_set_min_proto_version(client.get(), version);
    SSL_CTX_set_max_proto_version(client.get(), version);
    const auto first = shake(loop, asking(before, true), client.get());
    REQUIRE(first.client_good);
    const auto second = shake(loop, asking(after, true), client.get(), first.session.get());
    CHECK(!second.resumed);
    CHECK(!second.server.good);
  }
}

}  // namespace
}  // namespace archway::proxy
