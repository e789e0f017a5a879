#include "proxy/command/plain_socket.hpp"

#include "tests/support/scripted_wire.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace archway::proxy {
namespace {

using Clock = PlainSocket::Clock;

Clock::time_point later() {
  return Clock::now() + std::chrono::minutes(1);
}

/// A listener that the kernel accepts for; nobody answers unless a test does.
class Listener {
 public:
  explicit Listener(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    listen(&address, sizeof address);
  }
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen(&address, sizeof address);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(); }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
  }
  int accept() const { return ::accept(fd_, nullptr, nullptr); }

 private:
  void listen(const void* address, socklen_t size) const {
    REQUIRE(::bind(fd_, static_cast<const sockaddr*>(address), size) == 0);
    REQUIRE(::listen(fd_, 4) == 0);
  }
  int fd_;
};

/// Both sides say something; then the listener's ends.
void talk(const Listener& listener, const Settings::Endpoint& where) {
  auto socket = PlainSocket::connect(where, later());
  REQUIRE(socket);
  test::Wire wire(listener.accept(), nullptr);
  REQUIRE(socket->send("hello\r\n\r\n"));
  CHECK(wire.read_head() == "hello\r\n\r\n");
  REQUIRE(wire.send("you"));
  std::array<char, 16> buffer{};
  auto received = socket->receive(buffer.data(), buffer.size());
  REQUIRE(received);
  CHECK(std::string(buffer.data(), *received) == "you");
  std::thread end([&] { wire.finish(true); });
  received = socket->receive(buffer.data(), buffer.size());
  REQUIRE(received);
  CHECK(*received == 0);
  { const PlainSocket over = *std::move(socket); }
  end.join();
}

TEST_CASE("a socket speaks to an address, a name and a file") {
  const Listener tcp;
  talk(tcp, {.address = "127.0.0.1", .port = tcp.port()});
  talk(tcp, {.address = "localhost", .port = tcp.port()});
  const test::TempDir folder;
  const auto path = (folder.path() / "admin.sock").string();
  const Listener file(path);
  talk(file, {.address = {}, .port = 0, .unix_path = path});
}

TEST_CASE("where nobody listens the system's words say so") {
  Listener gone;
  const auto port = gone.port();
  gone.close();
  const auto refused = PlainSocket::connect({.address = "127.0.0.1", .port = port}, later());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::upstream_unreachable);
  CHECK(refused.error().message == "Connection refused");
  const auto missing =
      PlainSocket::connect({.address = {}, .port = 0, .unix_path = "/nowhere/a.sock"}, later());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "No such file or directory");
  const auto long_path = "/" + std::string(200, 'a');
  CHECK_FALSE(PlainSocket::connect({.address = {}, .port = 0, .unix_path = long_path}, later()));
}

TEST_CASE("silence ends with the deadline") {
  const Listener silent;
  auto socket = PlainSocket::connect({.address = "127.0.0.1", .port = silent.port()},
                                     Clock::now() + std::chrono::milliseconds(20));
  REQUIRE(socket);
  char byte = 0;
  const auto received = socket->receive(&byte, 1);
  REQUIRE_FALSE(received);
  CHECK(received.error().message == "Connection timed out");
  // Nobody reads: the kernel's buffers are full at some time.
  const auto sent = socket->send(std::string(64 * 1024 * 1024, 'a'));
  REQUIRE_FALSE(sent);
  CHECK(sent.error().message == "Connection timed out");
}

}  // namespace
}  // namespace archway::proxy
