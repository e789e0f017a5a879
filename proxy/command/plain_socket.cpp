#include "proxy/command/plain_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace archway::proxy {
namespace {

Error unreachable(const std::string& message) {
  return {.code = Errc::upstream_unreachable, .origin = Origin::upstream, .message = message};
}

Error unreachable(int error) {
  return unreachable(std::system_category().message(error));
}

struct AddressesEnd {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesEnd>;

Result<Addresses> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) return unreachable(gai_strerror(error));
  return Addresses(list);
}

}  // namespace

Result<PlainSocket> PlainSocket::connect(const Settings::Endpoint& where,
                                         Clock::time_point deadline) {
  if (!where.unix_path.empty()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (where.unix_path.size() >= sizeof address.sun_path) return unreachable(ENAMETOOLONG);
    where.unix_path.copy(address.sun_path, where.unix_path.size());
    return dial(AF_UNIX, &address, sizeof address, deadline);
  }
  const auto addresses = look_up(where.address, where.port);
  if (!addresses) return addresses.error();
  Error last = unreachable("the name has no address");
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    auto socket = dial(at->ai_family, at->ai_addr, at->ai_addrlen, deadline);
    if (socket) return socket;
    last = socket.error();
  }
  return last;
}

Result<PlainSocket> PlainSocket::dial(int family, const void* address, unsigned size,
                                      Clock::time_point deadline) {
  PlainSocket socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), deadline);
  if (socket.fd_ < 0) return unreachable(errno);
  if (::connect(socket.fd_, static_cast<const sockaddr*>(address), size) == 0) return socket;
  if (errno != EINPROGRESS) return unreachable(errno);
  const auto waited = socket.wait(POLLOUT);
  if (!waited) return waited.error();
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(socket.fd_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return unreachable(error);
  return socket;
}

PlainSocket::~PlainSocket() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> PlainSocket::wait(short events) const {
  pollfd entry{.fd = fd_, .events = events, .revents = 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    const auto bounded = std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 1 << 30);
    const int ready = ::poll(&entry, 1, static_cast<int>(bounded));
    if (ready > 0) return {};
    if (ready == 0) return unreachable(ETIMEDOUT);
    if (errno != EINTR) return unreachable(errno);
  }
}

Result<void> PlainSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return unreachable(errno);
    const auto waited = wait(POLLOUT);
    if (!waited) return waited.error();
  }
  return {};
}

Result<std::size_t> PlainSocket::receive(char* buffer, std::size_t size) {
  for (;;) {
    const auto received = ::recv(fd_, buffer, size, 0);
    if (received >= 0) return static_cast<std::size_t>(received);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return unreachable(errno);
    const auto waited = wait(POLLIN);
    if (!waited) return waited.error();
  }
}

}  // namespace archway::proxy
