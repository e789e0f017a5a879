#include "proxy/upstream/connection.hpp"

#include "tests/proxy/upstream/fixture.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace archway::proxy {
namespace {

using Answered = Result<std::unique_ptr<Connection>>;

resolver::Address address(std::string_view text) {
  return *resolver::Address::parse(text);
}

struct Bench {
  boost::asio::io_context loop{1};
  Settings::Timeouts timeouts;
  std::filesystem::path ca_file;
  Names::Options names = test_names();

  Answered connect(const std::string& url, std::optional<resolver::Address> named_by = {}) {
    const auto tls = std::make_shared<TlsHolder>(*TlsContext::client(ca_file));
    Connector connector(std::make_shared<Names>(names), {.home = tls, .elsewhere = tls}, timeouts);
    Destination destination;
    destination.url = url_of(url);
    destination.named_by = named_by;
    return test::run(loop, connector.connect(std::move(destination)));
  }
  void resolves_to(Names::Addresses addresses) {
    names.lookup = [addresses = std::move(addresses)](
                       const std::string&) -> Result<Names::Addresses> { return addresses; };
  }
};

TEST_CASE("a connection leads to the first address that answers") {
  test::ScriptedUpstream upstream;
  Bench bench;
  bench.resolves_to({address("127.0.0.2"), address("::1"), address("127.0.0.1")});
  const auto connection = bench.connect("http://some.test:" + std::to_string(upstream.port()));
  REQUIRE(connection);
  CHECK((*connection)->address == address("127.0.0.1"));
  CHECK_FALSE((*connection)->reused);
  CHECK((*connection)->stream->quiet());
}

TEST_CASE("only a few addresses of a name are tried") {
  test::ScriptedUpstream upstream;
  Bench bench;
  Names::Addresses many(Connector::addresses_max, address("127.0.0.2"));
  many.push_back(address("127.0.0.1"));
  bench.resolves_to(many);
  const auto connection = bench.connect("http://some.test:" + std::to_string(upstream.port()));
  REQUIRE_FALSE(connection);
  CHECK(connection.error().code == Errc::upstream_unreachable);
  CHECK(connection.error().message == "some.test cannot be reached");
  CHECK(connection.error().context.find("127.0.0.2 port") != std::string::npos);
  CHECK(connection.error().retryable);
}

TEST_CASE("address families take turns, beginning with the first address's") {
  struct Row {
    const char* why;
    std::vector<const char*> found;
    std::vector<const char*> tried;
  };
  const Row rows[] = {
      {"nothing", {}, {}},
      {"one family", {"10.0.0.1", "10.0.0.2"}, {"10.0.0.1", "10.0.0.2"}},
      {"IPv6 first",
       {"fd00::1", "fd00::2", "fd00::3", "10.0.0.1", "10.0.0.2"},
       {"fd00::1", "10.0.0.1", "fd00::2", "10.0.0.2", "fd00::3"}},
      {"IPv4 first",
       {"10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1"},
       {"10.0.0.1", "fd00::1", "10.0.0.2", "10.0.0.3"}},
      {"turns taken already",
       {"fd00::1", "10.0.0.1", "fd00::2"},
       {"fd00::1", "10.0.0.1", "fd00::2"}},
  };
  const auto addresses = [](const std::vector<const char*>& texts) {
    Names::Addresses made;
    for (const auto* const text : texts) made.push_back(address(text));
    return made;
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto found = addresses(row.found);
    take_turns(found);
    CHECK((found == addresses(row.tried)));
  }
}

TEST_CASE("a family that leads nowhere does not hide the other") {
  test::ScriptedUpstream upstream;
  Bench bench;
  Names::Addresses many(Connector::addresses_max, address("::1"));  // where nothing listens
  many.push_back(address("127.0.0.1"));
  bench.resolves_to(many);
  const auto connection = bench.connect("http://some.test:" + std::to_string(upstream.port()));
  REQUIRE(connection);
  CHECK((*connection)->address == address("127.0.0.1"));
}

TEST_CASE("a connection is possible over IPv6") {
  test::ScriptedUpstream upstream({.loopback_v6 = true});
  Bench bench;
  const auto connection = bench.connect(upstream.url());
  REQUIRE(connection);
  CHECK((*connection)->address == address("::1"));
}

TEST_CASE("a name that does not resolve is unreachable") {
  Bench bench;
  bench.names = test_names({{"gone.test", ""}});
  const auto connection = bench.connect("http://gone.test");
  REQUIRE_FALSE(connection);
  CHECK(connection.error().code == Errc::upstream_unreachable);
}

TEST_CASE("what an upstream names is dialled at addresses of its own kind only") {
  struct Row {
    const char* why;
    const char* to;
    const char* named_by;  // "" : the operator named it
    bool dialled;
  };
  const Row rows[] = {
      {"the operator may name anything", "127.0.0.1", "", true},
      {"from loopback to loopback", "127.0.0.1", "127.0.0.5", true},
      {"from the world to loopback", "127.0.0.1", "93.184.216.34", false},
      {"from a private network to loopback", "127.0.0.1", "10.0.0.5", false},
      {"from the world to loopback in IPv6", "::1", "93.184.216.34", false},
      {"from the world to loopback by mapping", "::ffff:127.0.0.1", "2606:2800:220:1::1", false},
      {"from the world to the metadata service", "169.254.169.254", "93.184.216.34", false},
      {"from loopback to the metadata service", "169.254.169.254", "127.0.0.1", false},
      {"from the world to a private network", "10.0.0.1", "93.184.216.34", false},
      {"from the world to loopback by NAT64", "64:ff9b::7f00:1", "93.184.216.34", false},
      {"from the world to loopback by 6to4", "2002:7f00:1::1", "93.184.216.34", false},
      {"from loopback to everybody", "224.0.0.1", "127.0.0.1", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    Bench bench;
    bench.resolves_to({address(row.to)});
    std::optional<resolver::Address> named_by;
    if (*row.named_by != '\0') named_by = address(row.named_by);
    const auto connection =
        bench.connect("http://some.test:" + std::to_string(upstream.port()), named_by);
    REQUIRE(connection.has_value() == row.dialled);
    if (!row.dialled) {
      CHECK(connection.error().code == Errc::denied);
      CHECK(upstream.connections() == 0);
    }
  }
}

TEST_CASE("of several addresses only the permitted ones are dialled") {
  test::ScriptedUpstream upstream;
  Bench bench;
  bench.timeouts = short_timeouts();
  bench.resolves_to({address("127.0.0.1"), address("192.0.2.1")});
  CHECK_FALSE(bench.connect("http://some.test:" + std::to_string(upstream.port()),
                            address("93.184.216.34")));
  CHECK(upstream.connections() == 0);
}

TEST_CASE("a certificate is verified, and its name") {
  test::ScriptedUpstream good({.tls = true, .certificate = {.names = {"registry.test"}}});
  test::ScriptedUpstream other({.tls = true});
  test::ScriptedUpstream expired({.tls = true, .certificate = {.expired = true}});
  const auto port = [](const test::ScriptedUpstream& upstream) {
    return ":" + std::to_string(upstream.port());
  };
  struct Row {
    const char* why;
    std::string url;
    std::filesystem::path ca_file;
    bool good;
  };
  const Row rows[] = {
      {"name", "https://registry.test" + port(good), good.ca_file(), true},
      {"address", "https://127.0.0.1" + port(good), good.ca_file(), true},
      {"another name", "https://evil.test" + port(good), good.ca_file(), false},
      {"a name below", "https://a.registry.test" + port(good), good.ca_file(), false},
      {"another authority", "https://registry.test" + port(good), other.ca_file(), false},
      {"the system's authorities", "https://registry.test" + port(good), "", false},
      {"expired", "https://localhost" + port(expired), expired.ca_file(), false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Bench bench;
    bench.ca_file = row.ca_file;
    const auto connection = bench.connect(row.url);
    CHECK(connection.has_value() == row.good);
    if (!connection) CHECK(connection.error().code == Errc::upstream_unreachable);
    if (connection) CHECK((*connection)->stream->is_tls());
  }
}

TEST_CASE("an address that never answers a connection is given up in time") {
  // A full backlog: further connections are neither accepted nor refused.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(listener, 0) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  std::vector<int> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(waiting.back(), reinterpret_cast<sockaddr*>(&at), size);
  }
  Bench bench;
  bench.timeouts = short_timeouts();
  const auto connection = bench.connect("http://127.0.0.1:" + std::to_string(ntohs(at.sin_port)));
  for (const int fd : waiting) ::close(fd);
  ::close(listener);
  REQUIRE_FALSE(connection);
  CHECK(connection.error().code == Errc::upstream_unreachable);
  CHECK(connection.error().context.find("no answer in time") != std::string::npos);
}

TEST_CASE("a handshake that is never answered ends") {
  test::ScriptedUpstream plain;  // waits for the rest of a request
  Bench bench;
  bench.timeouts = short_timeouts();
  const auto connection = bench.connect("https://127.0.0.1:" + std::to_string(plain.port()));
  REQUIRE_FALSE(connection);
  CHECK(connection.error().code == Errc::upstream_unreachable);
}

}  // namespace
}  // namespace archway::proxy
