#include "tests/support/raw_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdexcept>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace archway::test {
namespace {

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("test client: ") + what);
}

void be_patient(int fd) {
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void make_small(int fd) {
  const int bytes = 4096;  // The kernel makes the least that it can of it.
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

TcpPair tcp_pair(bool small) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(listener >= 0, "socket");
  if (small) make_small(listener);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  must(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  must(::listen(listener, 1) == 0, "listen");
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  TcpPair pair;
  pair.client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (small) make_small(pair.client);
  must(::connect(pair.client, reinterpret_cast<sockaddr*>(&address), size) == 0, "connect");
  pair.server = ::accept(listener, nullptr, nullptr);
  must(pair.server >= 0, "accept");
  ::close(listener);
  be_patient(pair.client);
  return pair;
}

RawClient RawClient::to_port(std::uint16_t port) {
  RawClient client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  be_patient(client.fd_);
  const auto address = loopback(port);
  must(::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
       "connect");
  return client;
}

RawClient RawClient::to_path(const std::string& path) {
  RawClient client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  be_patient(client.fd_);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  must(path.size() < sizeof address.sun_path, "path");
  std::copy(path.begin(), path.end(), address.sun_path);
  must(::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
       "connect");
  return client;
}

RawClient::~RawClient() {
  SSL_free(ssl_);
  if (fd_ >= 0) ::close(fd_);
}

bool RawClient::start_tls(ssl_ctx_st* context, const std::string& server_name) {
  ERR_clear_error();
  ssl_ = SSL_new(context);
  must(ssl_ != nullptr && SSL_set_fd(ssl_, fd_) == 1, "SSL_new");
  SSL_set_tlsext_host_name(ssl_, server_name.c_str());
  return SSL_connect(ssl_) == 1;
}

bool RawClient::say(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const auto sent =
        ssl_ ? static_cast<ssize_t>(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())))
             : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::fill(End& end) {
  std::array<char, 16384> buffer{};
  ERR_clear_error();
  errno = 0;
  const auto got =
      ssl_ ? static_cast<ssize_t>(SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size())))
           : ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got > 0) {
    waiting_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  const bool again = errno == EAGAIN || errno == EWOULDBLOCK;
  if (ssl_) {
    const int why = SSL_get_error(ssl_, static_cast<int>(got));
    end = why == SSL_ERROR_ZERO_RETURN          ? End::orderly
          : why == SSL_ERROR_WANT_READ || again ? End::silence
                                                : End::reset;
  } else {
    end = got == 0 ? End::orderly : again ? End::silence : End::reset;
  }
  return false;
}

std::string RawClient::hear(std::size_t count) {
  End end{};
  while (waiting_.size() < count && fill(end)) {
  }
  auto heard = waiting_.substr(0, count);
  waiting_.erase(0, heard.size());
  return heard;
}

std::string RawClient::hear_head() {
  End end{};
  auto at = waiting_.find("\r\n\r\n");
  while (at == std::string::npos) {
    if (!fill(end)) return {};
    at = waiting_.find("\r\n\r\n");
  }
  return hear(at + 4);
}

std::string RawClient::hear_line() {
  End end{};
  auto at = waiting_.find("\r\n");
  while (at == std::string::npos) {
    if (!fill(end)) return {};
    at = waiting_.find("\r\n");
  }
  auto line = hear(at + 2);
  line.resize(at);
  return line;
}

bool RawClient::hear_chunks(std::string& body) {
  for (;;) {
    const auto line = hear_line();
    std::size_t size = 0;
    const auto end = line.data() + line.size();
    if (line.empty() || std::from_chars(line.data(), end, size, 16).ptr != end) return false;
    const auto chunk = hear(size);
    body += chunk;
    if (chunk.size() != size || hear(2) != "\r\n") return false;
    if (size == 0) return true;
  }
}

RawClient::Answer RawClient::hear_answer(bool head_only) {
  Answer answer{.head = hear_head()};
  if (answer.head.empty()) return answer;
  answer.whole = true;
  if (head_only) return answer;
  if (answer.field("Transfer-Encoding") == "chunked") {
    answer.whole = hear_chunks(answer.body);
    return answer;
  }
  const auto length = answer.field("Content-Length");
  const std::size_t wanted = length.empty() ? 0 : std::stoull(length);
  answer.body = hear(wanted);
  answer.whole = answer.body.size() == wanted;
  return answer;
}

int RawClient::Answer::status() const {
  return head.size() < 12 ? 0 : std::stoi(head.substr(9, 3));
}

std::string RawClient::Answer::field(std::string_view name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 4 < head.size()) {
    at += 2;
    const auto end = head.find("\r\n", at);
    const auto line = head.substr(at, end - at);
    if (line.size() > name.size() + 1 && line[name.size()] == ':' &&
        strncasecmp(line.c_str(), name.data(), name.size()) == 0) {
      return line.substr(line.find_first_not_of(' ', name.size() + 1));
    }
    at = end;
  }
  return {};
}

RawClient::Rest RawClient::hear_rest() {
  Rest rest;
  while (fill(rest.end)) {
  }
  rest.bytes = std::move(waiting_);
  waiting_.clear();
  return rest;
}

int RawClient::error() const {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

void RawClient::finish_sending() {
  ::shutdown(fd_, SHUT_WR);
}

void RawClient::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(fd_, -1));
}

}  // namespace archway::test
