#include "proxy/http/listener.hpp"

#include "tests/proxy/http/client_authority.hpp"
#include "tests/proxy/http/listening.hpp"
#include "tests/support/scripted_wire.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

using test::any_port;
using test::bound;
using test::Listening;
using test::RawClient;

const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Settings::Endpoint unix_at(const std::filesystem::path& path) {
  return {.address = "", .port = 0, .unix_path = path.string()};
}

TEST_CASE("the kernel chooses the port when 0 is asked, and clients are served there") {
  Listening listening;
  listening.platform = Platform{.os = "linux", .architecture = "arm", .variant = "v7"};
  const auto socket = bound(any_port);
  CHECK(socket.endpoint.port != 0);
  listening.add(socket);
  auto client = RawClient::to_port(socket.endpoint.port);
  client.say(request);
  CHECK(client.hear_answer().status() == 200);
  const auto peer = listening.handler.requests().front()->peer;
  CHECK(peer->address.str() == "127.0.0.1");
  CHECK(peer->listener_platform == listening.platform);
  CHECK(!peer->tls);
  CHECK(listening.count == 1);
  CHECK(listening.metrics.opened == 1);
}

TEST_CASE("two loops share a port, and nobody else gets in between") {
  Listening one;
  Listening two;
  const auto first = bound(any_port);
  const auto second = bound(first.endpoint);
  CHECK(second.endpoint.port == first.endpoint.port);
  one.add(first);
  two.add(second);
  // The kernel spreads by a hash of the addresses: among so many clients each loop gets some.
  std::vector<RawClient> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(RawClient::to_port(first.endpoint.port));
    clients.back().say(request);
    CHECK(clients.back().hear_answer().status() == 200);
  }
  CHECK(one.handler.requests().size() > 0);
  CHECK(two.handler.requests().size() > 0);
  CHECK(one.handler.requests().size() + two.handler.requests().size() == 64);
}

TEST_CASE("a port that somebody listens on is not free, although it could be shared") {
  CHECK(check_free(any_port));
  const auto socket = bound(any_port);
  const auto taken = check_free(socket.endpoint);
  REQUIRE(!taken);
  CHECK(taken.error().code == Errc::configuration_invalid);
  CHECK(taken.error().retryable);
  CHECK(taken.error().message.find(socket.endpoint.str()) != std::string::npos);
  const Settings::Endpoint everywhere{.address = "0.0.0.0", .port = socket.endpoint.port};
  CHECK(!check_free(everywhere));
  ::close(socket.fd);
  CHECK(check_free(socket.endpoint));
}

TEST_CASE("an address that cannot be bound is named with what the system said") {
  struct Row {
    const char* why;
    Settings::Endpoint endpoint;
    bool retryable;
  };
  for (const auto& row : std::vector<Row>{
           {"no address at all", {.address = "localhost", .port = 1}, false},
           {"not this machine's", {.address = "192.0.2.1", .port = 0}, true},
           {"a path longer than the kernel has room for", unix_at(std::string(200, 'x')), false},
           {"a folder that is not there", unix_at("/nonexistent/archway.sock"), false},
       }) {
    CAPTURE(row.why);
    const auto socket = bind_listener(row.endpoint);
    REQUIRE(!socket);
    CHECK(socket.error().code == Errc::configuration_invalid);
    CHECK(socket.error().retryable == row.retryable);
    CHECK(socket.error().message.starts_with("cannot listen on " + row.endpoint.str()));
  }
}

TEST_CASE("a unix socket is its owner's alone and replaces what a predecessor left") {
  const test::TempDir dir;
  const auto endpoint = unix_at(dir.path() / "admin.sock");
  CHECK(check_free(endpoint));
  ::close(bound(endpoint).fd);  // Its file stays, as after a crash.
  CHECK(check_free(endpoint));
  Listening listening;
  listening.add(bound(endpoint));
  struct stat found {};
  REQUIRE(::stat(endpoint.unix_path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  auto client = RawClient::to_path(endpoint.unix_path);
  client.say(request);
  CHECK(client.hear_answer().status() == 200);
  const auto taken = check_free(endpoint);
  REQUIRE(!taken);
  CHECK(taken.error().retryable);
}

TEST_CASE("a file that is no socket is not deleted to make room for one") {
  const test::TempDir dir;
  const auto path = dir.write("precious", "text");
  CHECK(!bind_listener(unix_at(path)));
  CHECK(std::filesystem::file_size(path) == 4);
}

TEST_CASE("after stop() nobody is accepted, and those who are in stay") {
  Listening listening;
  const auto socket = bound(any_port);
  listening.add(socket);
  auto client = RawClient::to_port(socket.endpoint.port);
  client.say(request);
  CHECK(client.hear_answer().status() == 200);
  listening.stop();
  CHECK_THROWS(RawClient::to_port(socket.endpoint.port));
  client.say(request);
  CHECK(client.hear_answer().status() == 200);
}

TEST_CASE("a new certificate is for new connections; old ones keep theirs") {
  const test::TestCertificate before({.names = {"before"}, .addresses = {}});
  const test::TestCertificate after({.names = {"after"}, .addresses = {}});
  const auto trusting_before = TlsContext::client(before.certificate_file());
  const auto trusting_after = TlsContext::client(after.certificate_file());
  REQUIRE(trusting_before);
  REQUIRE(trusting_after);
  Listening listening;
  listening.tls = std::make_shared<TlsHolder>(
      *TlsContext::server(before.certificate_file(), before.key_file()));
  const auto socket = bound(any_port);
  listening.add(socket);
  auto old = RawClient::to_port(socket.endpoint.port);
  REQUIRE(old.start_tls((*trusting_before)->native(), "before"));
  old.say(request);
  CHECK(old.hear_answer().status() == 200);
  listening.tls->set(*TlsContext::server(after.certificate_file(), after.key_file()));
  auto fresh = RawClient::to_port(socket.endpoint.port);
  REQUIRE(fresh.start_tls((*trusting_after)->native(), "after"));
  fresh.say(request);
  CHECK(fresh.hear_answer().status() == 200);
  CHECK(listening.handler.requests().back()->peer->server_name == "after");
  old.say(request);
  CHECK(old.hear_answer().status() == 200);
  auto wrong = RawClient::to_port(socket.endpoint.port);
  CHECK(!wrong.start_tls((*trusting_before)->native(), "before"));
}

TEST_CASE("whose certificate a client shows goes with its requests") {
  const test::TestCertificate certificate({});
  const test::ClientAuthority authority("nodes");
  Listening listening;
  listening.tls = std::make_shared<TlsHolder>(*TlsContext::server(
      certificate.certificate_file(), certificate.key_file(), {.ca_file = authority.ca_file()}));
  const auto socket = bound(any_port);
  listening.add(socket);
  const auto node = authority.client({.common_names = {"pi-07"}});
  const auto nobody = test::ClientAuthority::anonymous();
  struct Row {
    SSL_CTX* context;
    std::string name;
  };
  for (const auto& row : {Row{node.get(), "pi-07"}, Row{nobody.get(), ""}}) {
    CAPTURE(row.name);
    auto client = RawClient::to_port(socket.endpoint.port);
    REQUIRE(client.start_tls(row.context, "localhost"));
    client.say(request);
    CHECK(client.hear_answer().status() == 200);
    CHECK(listening.handler.requests().back()->peer->certificate == row.name);
  }
}

TEST_CASE("a client that speaks no TLS on a TLS port is logged and gone") {
  const test::TestCertificate certificate({});
  Listening listening;
  listening.tls = std::make_shared<TlsHolder>(
      *TlsContext::server(certificate.certificate_file(), certificate.key_file()));
  const auto socket = bound(any_port);
  listening.add(socket);
  auto client = RawClient::to_port(socket.endpoint.port);
  client.say(request);
  client.hear_rest();
  CHECK(listening.log.count("a client's TLS handshake failed") == 1);
  CHECK(listening.handler.requests().empty());
}

TEST_CASE("a connection that ends by an exception is logged, and the next is served") {
  Listening listening;
  listening.handler.script = [](const Request& asked) {
    if (asked.target == "/bad") throw std::bad_alloc();
    return test::text_answer(200, "good");
  };
  const auto socket = bound(any_port);
  listening.add(socket);
  auto bad = RawClient::to_port(socket.endpoint.port);
  bad.say("GET /bad HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(bad.hear_rest().bytes == "");
  auto good = RawClient::to_port(socket.endpoint.port);
  good.say(request);
  CHECK(good.hear_answer().body == "good");
  CHECK(listening.log.count("a connection ended by an exception") == 1);
}

}  // namespace
}  // namespace archway::proxy
