// More clients than there is room for, and a system that has nothing left to give them.

#include "proxy/http/listener.hpp"
#include "tests/proxy/http/listening.hpp"
#include "tests/support/scripted_wire.hpp"

#include <atomic>
#include <cerrno>
#include <doctest/doctest.h>
#include <malloc.h>
#include <string>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

std::atomic<int> refused_with = 0;  // an errno
std::atomic<int> refusals_left = 0;

}  // namespace

// Takes the place of the C library's for the whole test program.
extern "C" int accept(int fd, sockaddr* address, socklen_t* size) {
  if (refusals_left > 0) {
    --refusals_left;
    errno = refused_with;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, fd, address, size, 0));
}

namespace archway::proxy {
namespace {

using test::bound;
using test::Listening;
using test::RawClient;
using namespace std::chrono_literals;

const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_CASE("above the bound clients wait while all are busy, and are served when there is room") {
  Listening listening;
  listening.count_max = 1;
  listening.handler.hold();
  const auto socket = bound(test::any_port);
  listening.add(socket);
  auto first = RawClient::to_port(socket.endpoint.port);
  first.say(request);
  listening.handler.wait_held();
  auto second = RawClient::to_port(socket.endpoint.port);  // In the kernel's backlog.
  while (listening.log.count("new clients have to wait") == 0) std::this_thread::yield();
  CHECK(listening.handler.requests().size() == 1);
  CHECK(listening.count == 1);
  listening.handler.release();
  CHECK(first.hear_answer().status() == 200);
  // Now it is idle, and somebody waits.
  CHECK(first.hear_rest().end == RawClient::End::orderly);
  while (listening.metrics.opened < 2) std::this_thread::yield();
  CHECK(listening.metrics.opened == 2);
}

TEST_CASE("at the bound the connection that was idle longest makes room for a new client") {
  Listening listening;
  listening.count_max = 3;
  const auto socket = bound(test::any_port);
  listening.add(socket);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(RawClient::to_port(socket.endpoint.port));
    clients.back().say(request);
    CHECK(clients.back().hear_answer().status() == 200);
  }
  clients[0].say(request);  // It came first, but it is the second that was idle longest.
  CHECK(clients[0].hear_answer().status() == 200);
  auto newcomer = RawClient::to_port(socket.endpoint.port);
  newcomer.say(request);
  CHECK(newcomer.hear_answer().status() == 200);
  CHECK(clients[1].hear_rest().end == RawClient::End::orderly);
  for (const auto still : {0U, 2U}) {
    clients[still].say(request);
    CHECK(clients[still].hear_answer().status() == 200);
  }
  CHECK(listening.count == 3);
}

TEST_CASE("nobody is sent away while nobody waits") {
  Listening listening;
  listening.count_max = 1;
  const auto socket = bound(test::any_port);
  listening.add(socket);
  auto client = RawClient::to_port(socket.endpoint.port);
  for (int i = 0; i < 20; ++i) {
    client.say(request);
    REQUIRE(client.hear_answer().status() == 200);
  }
  CHECK(listening.metrics.opened == 1);
}

TEST_CASE("a system that has nothing for a new client is asked again, and nobody is lost") {
  struct Row {
    const char* why;
    int error;
    bool makes_room;
  };
  for (const auto& row : std::vector<Row>{
           {"a client that left before", ECONNABORTED, false},
           {"a signal", EINTR, false},
           {"no descriptors for this process", EMFILE, true},
           {"no descriptors for anybody", ENFILE, true},
           {"no memory", ENOMEM, true},
           {"no buffers", ENOBUFS, true},
           {"a firewall", EPERM, false},
           {"a network that went away", ENETDOWN, false},
       }) {
    CAPTURE(row.why);
    Listening listening;
    const auto socket = bound(test::any_port);
    listening.add(socket);
    auto idle = RawClient::to_port(socket.endpoint.port);
    idle.say(request);
    CHECK(idle.hear_answer().status() == 200);
    refused_with = row.error;
    refusals_left = 3;
    auto client = RawClient::to_port(socket.endpoint.port);
    client.say(request);
    CHECK(client.hear_answer().status() == 200);
    CHECK(refusals_left == 0);
    // Only where it helps is an idle client sent away.
    idle.say(request);
    CHECK((idle.hear_answer().status() == 200) != row.makes_room);
  }
}

TEST_CASE("a TLS handshake that comes byte by byte ends when its time is over") {
  const test::TestCertificate certificate({});
  Listening listening;
  listening.bounds.request = 300ms;
  listening.tls = std::make_shared<TlsHolder>(
      *TlsContext::server(certificate.certificate_file(), certificate.key_file()));
  const auto socket = bound(test::any_port);
  listening.add(socket);
  auto client = RawClient::to_port(socket.endpoint.port);
  // The longest hello there is, which nobody could refuse yet.
  client.say(std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11));
  std::size_t said = 0;
  while (listening.metrics.closed == 0 && said < 10'000) {
    client.say("x");
    ++said;
    std::this_thread::sleep_for(1ms);  // As slowly as such clients are.
  }
  CHECK(listening.metrics.closed == 1);
  CHECK(listening.log.count("a client's TLS handshake failed") == 1);
  CHECK(listening.handler.requests().empty());
}

TEST_CASE("an idle connection costs a few KiB, also after it has been served") {
  constexpr std::size_t clients_max = 400;
  Listening listening;
  listening.count_max = 1000;
  const auto socket = bound(test::any_port);
  listening.add(socket);
  std::vector<RawClient> clients;
  clients.reserve(clients_max + 1);
  const auto one_more = [&] {
    clients.push_back(RawClient::to_port(socket.endpoint.port));
    clients.back().say(request);
    REQUIRE(clients.back().hear_answer().status() == 200);
  };
  one_more();
  const auto before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < clients_max; ++i) one_more();
  // What the handler remembers of the requests and the clients of this test are part of it.
  const auto each = (mallinfo2().uordblks - before) / clients_max;
  MESSAGE("bytes a connection: " << each);
  CHECK(each < 6 * 1024);
}

}  // namespace
}  // namespace archway::proxy
