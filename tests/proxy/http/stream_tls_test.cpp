#include "proxy/http/stream_tls.hpp"

#include "tests/support/fakes.hpp"
#include "tests/support/scripted_wire.hpp"
#include "tests/support/served.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

std::shared_ptr<const TlsContext> server_with(const test::TestCertificate& certificate) {
  auto context = TlsContext::server(certificate.certificate_file(), certificate.key_file());
  if (!context) FAIL(context.error().message);
  return *std::move(context);
}

std::shared_ptr<const TlsContext> client_trusting(const test::TestCertificate& certificate) {
  auto context = TlsContext::client(certificate.certificate_file());
  if (!context) FAIL(context.error().message);
  return *std::move(context);
}

/// The two ends of one TLS connection; each on a loop of its own, because tests block on one side.
struct Ends {
  explicit Ends(bool small = false) : pair(test::tcp_pair(small)) {
    server_loop.on_loop([&] {
      server = std::make_unique<Stream>(test::adopt(server_loop.context(), pair.server));
      server->deadline_in(test::patience);
    });
    client_loop.on_loop([&] {
      client = std::make_unique<Stream>(test::adopt(client_loop.context(), pair.client));
      client->deadline_in(test::patience);
    });
  }
  ~Ends() {
    server_loop.on_loop([&] { server.reset(); });
    client_loop.on_loop([&] { client.reset(); });
  }

  /// Both handshakes; how the client's went.
  Result<void> shake(std::shared_ptr<const TlsContext> accepting,
                     std::shared_ptr<const TlsContext> connecting, std::string name) {
    auto accepted = server_loop.spawn(server->accept_tls(std::move(accepting)));
    auto connected = client_loop.spawn(client->connect_tls(std::move(connecting), std::move(name)));
    auto result = test::take(std::move(connected));
    if (!result) client_loop.on_loop([&] { client->close(); });
    static_cast<void>(test::take(std::move(accepted)).has_value());
    return result;
  }

  test::LoopThread server_loop;
  test::LoopThread client_loop;
  test::TcpPair pair;
  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
};

net::awaitable<std::string> read_all(Stream* stream, std::size_t count) {
  std::string all;
  while (all.size() < count) {
    std::string piece(16 * 1024, '\0');
    const auto got = co_await stream->read_some(piece.data(), piece.size());
    if (!got || *got == 0) break;
    all.append(piece, 0, *got);
  }
  co_return all;
}

net::awaitable<bool> write_all(Stream* stream, std::shared_ptr<const std::string> text) {
  const auto written = co_await stream->write(text->data(), text->size(), false);
  co_return written.has_value();
}

TEST_CASE("TLS carries bytes both ways, however small the sockets are") {
  const test::TestCertificate certificate({});
  Ends ends(true);
  const auto shaken =
      ends.shake(server_with(certificate), client_trusting(certificate), "localhost");
  REQUIRE(shaken);
  CHECK(ends.server->is_tls());
  CHECK(ends.server->server_name() == "localhost");
  CHECK(ends.server->peer_certificate_name() == "");
  CHECK(ends.client->peer_certificate_name() == "archway test");
  const auto bytes = std::make_shared<const std::string>(test::noise(1024 * 1024 + 1));
  // Both directions at once: neither may wait for the other's turn.
  auto down = ends.client_loop.spawn(read_all(ends.client.get(), bytes->size()));
  auto wrote = ends.server_loop.spawn(write_all(ends.server.get(), bytes));
  CHECK(test::take(std::move(wrote)));
  CHECK((test::take(std::move(down)) == *bytes));
  auto up = ends.server_loop.spawn(read_all(ends.server.get(), bytes->size()));
  auto said = ends.client_loop.spawn(write_all(ends.client.get(), bytes));
  CHECK(test::take(std::move(said)));
  CHECK((test::take(std::move(up)) == *bytes));
}

TEST_CASE("a file of many turns goes over TLS unharmed") {
  const test::TestCertificate certificate({});
  const test::TempDir dir;
  const auto bytes = test::noise(20 * 1024 * 1024);
  const auto file = test::file_of(dir, bytes);
  Ends ends;
  REQUIRE(ends.shake(server_with(certificate), client_trusting(certificate), "localhost"));
  auto heard = ends.client_loop.spawn(read_all(ends.client.get(), bytes.size() - 7));
  auto sent = ends.server_loop.spawn(
      ends.server->write_file({file, 7, bytes.size() - 7}, nullptr, test::patience));
  const auto result = test::take(std::move(sent));
  REQUIRE(result);
  CHECK(*result == bytes.size() - 7);
  CHECK((test::take(std::move(heard)) == bytes.substr(7)));
}

TEST_CASE("a client believes only a chain it knows and the name it asked for") {
  test::TestCertificate::Options late;
  late.expired = true;
  const test::TestCertificate good({});
  const test::TestCertificate other({});
  const test::TestCertificate expired(late);
  const test::TestCertificate named(
      {.names = {"*.mirror.example"}, .addresses = {"127.0.0.2", "::1"}});
  struct Row {
    const char* why;
    const test::TestCertificate* shown;
    const test::TestCertificate* trusted;
    const char* name;
    const char* refused;  ///< a word of the reason; nullptr: accepted
  };
  const std::vector<Row> rows{
      {"the name in the certificate", &good, &good, "localhost", nullptr},
      {"the name in capitals", &good, &good, "LOCALHOST", nullptr},
      {"the address in the certificate", &good, &good, "127.0.0.1", nullptr},
      {"an IPv6 address in the certificate", &named, &named, "::1", nullptr},
      {"a wildcard", &named, &named, "a.mirror.example", nullptr},
      {"a wildcard is one label", &named, &named, "a.b.mirror.example", "mismatch"},
      {"another name", &good, &good, "evil.example", "mismatch"},
      {"another address", &good, &good, "127.0.0.2", "mismatch"},
      {"the common name alone is no name", &good, &good, "archway test", "mismatch"},
      {"another authority", &good, &other, "localhost", "self-signed"},
      {"too old", &expired, &expired, "localhost", "expired"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Ends ends;
    const auto shaken =
        ends.shake(server_with(*row.shown), client_trusting(*row.trusted), row.name);
    if (!row.refused) {
      if (!shaken) FAIL_CHECK(shaken.error().context);
      continue;
    }
    REQUIRE(!shaken);
    CHECK(shaken.error().code == Errc::upstream_unreachable);
    CHECK(shaken.error().context.find(row.name) != std::string::npos);
    CHECK(shaken.error().context.find(row.refused) != std::string::npos);
  }
}

TEST_CASE("a handshake with someone who says nothing, or no TLS, ends") {
  const test::TestCertificate certificate({});
  for (const bool silent : {true, false}) {
    CAPTURE(silent);
    Ends ends;
    if (silent) {
      ends.client_loop.on_loop([&] { ends.client->deadline_in(1ms); });
    } else {
      const std::string plain = "HTTP/1.0 400 Bad Request\r\n\r\n";
      auto said = ends.server_loop.spawn(ends.server->write(plain.data(), plain.size(), false));
      CHECK(test::take(std::move(said)));
    }
    const auto shaken = test::take(ends.client_loop.spawn(
        ends.client->connect_tls(client_trusting(certificate), "localhost")));
    REQUIRE(!shaken);
    CHECK((shaken.error().context.find("no progress in time") != std::string::npos) == silent);
  }
}

TEST_CASE("the end of a TLS stream is orderly only with close_notify") {
  const test::TestCertificate certificate({});
  for (const bool orderly : {true, false}) {
    CAPTURE(orderly);
    Ends ends;
    REQUIRE(ends.shake(server_with(certificate), client_trusting(certificate), "localhost"));
    ends.server_loop.on_loop([&] {
      if (orderly) {
        ends.server->close();
      } else {
        ::shutdown(ends.server->socket().native_handle(), SHUT_WR);
      }
    });
    std::string buffer(64, '\0');
    const auto got =
        test::take(ends.client_loop.spawn(ends.client->read_some(buffer.data(), buffer.size())));
    CHECK(got.has_value() == orderly);
    if (got) CHECK(*got == 0);
  }
}

TEST_CASE("a TLS stream is quiet in spite of session tickets, until something is said") {
  const test::TestCertificate certificate({});
  Ends ends;
  REQUIRE(ends.shake(server_with(certificate), client_trusting(certificate), "localhost"));
  // The server has finished its handshake, so its tickets have been sent.
  bool quiet = false;
  ends.client_loop.on_loop([&] { quiet = ends.client->quiet(); });
  CHECK(quiet);
  const std::string text = "x";
  CHECK(test::take(ends.server_loop.spawn(ends.server->write(text.data(), 1, false))));
  ends.client_loop.on_loop([&] { quiet = ends.client->quiet(); });
  CHECK(!quiet);
  char byte = 0;
  std::size_t got = 0;
  ends.client_loop.on_loop([&] { got = ends.client->read_now(&byte, 1); });
  CHECK(got == 1);
  CHECK(byte == 'x');
  ends.client_loop.on_loop([&] { quiet = ends.client->quiet(); });
  CHECK(quiet);
  ends.server_loop.on_loop([&] { ends.server->close(); });
  ends.client_loop.on_loop([&] { quiet = ends.client->quiet(); });
  CHECK(!quiet);
}

TEST_CASE("a closed TLS stream does not touch whoever got its descriptor's number") {
  const test::TestCertificate certificate({});
  const test::TempDir dir;
  Ends ends;
  REQUIRE(ends.shake(server_with(certificate), client_trusting(certificate), "localhost"));
  const int number = ends.pair.server;
  ends.server_loop.on_loop([&] { ends.server->reset(); });
  const auto path = dir.write("innocent", "");
  const int opened = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::dup2(opened, number) == number);
  const std::string text = "secret";
  CHECK(!test::take(ends.server_loop.spawn(ends.server->write(text.data(), text.size(), false))));
  std::string buffer(64, '\0');
  CHECK(!test::take(ends.server_loop.spawn(ends.server->read_some(buffer.data(), 64))));
  ends.server_loop.on_loop([&] { ends.server->close(); });
  CHECK(std::filesystem::file_size(path) == 0);
  if (opened != number) ::close(opened);
  ::close(number);
}

TEST_CASE("a TLS client that does not read is given up after the stall bound") {
  const test::TestCertificate certificate({});
  const test::TempDir dir;
  const auto bytes = test::noise(8 * 1024 * 1024);
  const auto file = test::file_of(dir, bytes);
  Ends ends(true);
  REQUIRE(ends.shake(server_with(certificate), client_trusting(certificate), "localhost"));
  const auto sent = test::take(
      ends.server_loop.spawn(ends.server->write_file({file, 0, bytes.size()}, nullptr, 1ms)));
  CHECK(!sent);
}

}  // namespace
}  // namespace archway::proxy
