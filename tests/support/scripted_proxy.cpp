#include "tests/support/scripted_proxy.hpp"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace archway::test {
namespace {

constexpr int look_every_ms = 20;  // for the end of the test

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// The port in `CONNECT name:port` or `GET http://name:port/…`.
std::uint16_t port_in(const std::string& head) {
  const auto target = head.substr(head.find(' ') + 1, head.find(" HTTP/") - head.find(' ') - 1);
  const auto scheme = target.find("://");
  const auto from = scheme == std::string::npos ? 0 : scheme + 3;
  const auto authority = target.substr(from, target.find('/', from) - from);
  return static_cast<std::uint16_t>(std::stoul(authority.substr(authority.rfind(':') + 1)));
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

ScriptedProxy::ScriptedProxy(Options options) : options_(std::move(options)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("scripted proxy: no port");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedProxy::~ScriptedProxy() {
  stopping_ = true;
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

std::vector<std::string> ScriptedProxy::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

void ScriptedProxy::accept_all() {
  while (!stopping_) {
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, look_every_ms) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) threads_.emplace_back([this, client] { serve(client); });
  }
}

void ScriptedProxy::serve(int client) {
  std::string received;
  std::array<char, 4096> buffer{};
  while (!stopping_ && received.find("\r\n\r\n") == std::string::npos) {
    pollfd waiting{.fd = client, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, look_every_ms) <= 0) continue;
    const auto got = ::recv(client, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    received.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const bool whole = received.find("\r\n\r\n") != std::string::npos;
  if (whole) {
    const std::lock_guard lock(mutex_);
    heads_.push_back(received);
  }
  const bool known = options_.authorization.empty() ||
                     received.find("\r\nProxy-Authorization: " + options_.authorization + "\r\n") !=
                         std::string::npos;
  if (whole && options_.silent) {
    pump(client, -1);
  } else if (whole && !options_.answer.empty()) {
    send_all(client, options_.answer);
  } else if (whole && !known) {
    send_all(client,
             "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n"
             "Proxy-Authenticate: Basic realm=\"p\"\r\n\r\n");
  } else if (whole) {
    const bool tunnel = received.starts_with("CONNECT ");
    const int target = connect_to(port_in(received));
    if (target < 0) {
      send_all(client, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    } else {
      if (tunnel) send_all(client, "HTTP/1.1 200 Connection established\r\n\r\n");
      if (!tunnel) send_all(target, received);
      pump(client, target);
      ::close(target);
    }
  }
  ::close(client);
}

/// Until one side has ended. Without a target: until the client has.
void ScriptedProxy::pump(int client, int target) const {
  std::array<char, 16384> buffer{};
  while (!stopping_) {
    std::array<pollfd, 2> sides{pollfd{.fd = client, .events = POLLIN, .revents = 0},
                                pollfd{.fd = target, .events = POLLIN, .revents = 0}};
    if (::poll(sides.data(), sides.size(), look_every_ms) <= 0) continue;
    for (std::size_t side = 0; side < sides.size(); ++side) {
      if (sides[side].revents == 0) continue;
      const auto got = ::recv(sides[side].fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      const int other = sides[1 - side].fd;
      if (other >= 0 && !send_all(other, {buffer.data(), static_cast<std::size_t>(got)})) return;
    }
  }
}

}  // namespace archway::test
