#include "proxy/http/stream.hpp"

#include "proxy/http/stream_tls.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::milliseconds linger_max{2000};

}  // namespace

Stream::Stream(Socket socket)
    : socket_(std::move(socket)),
      deadlines_(net::use_service<Deadlines>(
          net::query(socket_.get_executor(), net::execution::context))) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  const int on = 1;  // Fails on unix sockets, where there is nothing to delay.
  setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  deadlines_.watch(*this, socket_.get_executor());
}

Stream::~Stream() {
  deadlines_.forget(*this);
}

void Stream::deadline_in(std::chrono::milliseconds time) {
  deadline = Clock::now() + time;
}

void Stream::expire() {
  expired_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

Error Stream::broken(std::string what) const {
  if (expired_) what += ": no progress in time";
  return {.code = Errc::upstream_unreachable,
          .origin = Origin::upstream,
          .message = "the connection ended before the transfer was complete",
          .context = std::move(what),
          .retryable = true};
}

net::awaitable<bool> Stream::ready(Socket::wait_type what) {
  if (expired_ || !socket_.is_open()) co_return false;
  boost::system::error_code error;
  co_await socket_.async_wait(what, net::redirect_error(net::use_awaitable, error));
  co_return !error && !expired_;
}

net::awaitable<bool> Stream::ready_for(Step step) {
  const auto what = step == Step::wait_write ? Socket::wait_write : Socket::wait_read;
  co_return co_await ready(what);
}

// OpenSSL keeps the descriptor's number: once the socket is closed it may be somebody else's.
Stream::Step Stream::receive(char* buffer, std::size_t size, std::size_t& got) {
  if (!socket_.is_open()) return Step::failed;
  if (tls_) {
    ERR_clear_error();
    const int result = SSL_read_ex(tls_->ssl, buffer, size, &got);
    if (result == 1) return Step::done;
    switch (SSL_get_error(tls_->ssl, result)) {
      case SSL_ERROR_WANT_READ: return Step::wait_read;
      case SSL_ERROR_WANT_WRITE: return Step::wait_write;
      case SSL_ERROR_ZERO_RETURN: return Step::ended;
      default: return Step::failed;
    }
  }
  const auto result = ::recv(socket_.native_handle(), buffer, size, 0);
  if (result > 0) {
    got = static_cast<std::size_t>(result);
    return Step::done;
  }
  if (result == 0) return Step::ended;
  if (errno == EINTR) return Step::again;
  return errno == EAGAIN || errno == EWOULDBLOCK ? Step::wait_read : Step::failed;
}

Stream::Step Stream::send(const char* data, std::size_t size, bool more, std::size_t& sent) {
  if (!socket_.is_open()) return Step::failed;
  if (tls_) return tls_->write(data, size, more, sent);
  const auto result =
      ::send(socket_.native_handle(), data, size, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
  if (result >= 0) {
    sent = static_cast<std::size_t>(result);
    return Step::done;
  }
  if (errno == EINTR) return Step::again;
  return errno == EAGAIN || errno == EWOULDBLOCK ? Step::wait_write : Step::failed;
}

net::awaitable<Result<std::size_t>> Stream::read_some(char* buffer, std::size_t size) {
  for (;;) {
    std::size_t got = 0;
    const auto step = expired_ ? Step::failed : receive(buffer, size, got);
    if (step == Step::done) co_return got;
    if (step == Step::ended) co_return std::size_t{0};
    if (step == Step::again) continue;
    if (step == Step::failed) {
      co_return broken(tls_ ? "TLS read: " + tls_errors()
                            : std::string("read: ") + std::strerror(errno));
    }
    const bool awake = co_await ready_for(step);
    if (!awake) co_return broken("read");
  }
}

std::size_t Stream::read_now(char* buffer, std::size_t size) {
  std::size_t got = 0;
  return !expired_ && receive(buffer, size, got) == Step::done ? got : 0;
}

std::size_t Stream::write_now(const char* data, std::size_t size) {
  if (tls_) return 0;  // Its records may be taken and still not leave: write() waits for them.
  std::size_t done = 0;
  while (done < size && !expired_) {
    std::size_t sent = 0;
    if (send(data + done, size - done, false, sent) != Step::done) break;
    done += sent;
  }
  return done;
}

net::awaitable<Result<void>> Stream::write(const char* data, std::size_t size, bool more) {
  std::size_t done = 0;
  while (done < size || (tls_ && !more && !tls_->unsent.empty())) {
    std::size_t sent = 0;
    const auto step = expired_ ? Step::failed : send(data + done, size - done, more, sent);
    done += sent;
    if (step == Step::done || step == Step::again) continue;
    if (step == Step::failed) {
      co_return broken(tls_ ? "TLS write: " + tls_errors()
                            : std::string("write: ") + std::strerror(errno));
    }
    const bool awake = co_await ready_for(step);
    if (!awake) co_return broken("write");
  }
  co_return Result<void>();
}

bool Stream::quiet() {
  if (expired_ || !socket_.is_open()) return false;
  char byte = 0;
  if (tls_) {  // Reading lets OpenSSL digest session tickets, which are no answer.
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_peek_ex(tls_->ssl, &byte, 1, &got);
    return result != 1 && SSL_get_error(tls_->ssl, result) == SSL_ERROR_WANT_READ;
  }
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Stream::reset() {
  if (!socket_.is_open()) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Stream::say_goodbye() {
  if (!tls_ || !tls_->ssl || !SSL_is_init_finished(tls_->ssl)) return;
  ERR_clear_error();
  SSL_shutdown(tls_->ssl);  // One try: close_notify is a courtesy when the answer was framed.
}

void Stream::close() {
  if (!socket_.is_open()) return;
  say_goodbye();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
}

net::awaitable<void> Stream::close_gently() {
  constexpr std::size_t dropped_max = 256 * 1024;
  if (!socket_.is_open()) co_return;
  say_goodbye();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  deadline_in(linger_max);
  std::array<char, 4096> dropped{};
  std::size_t total = 0;
  // Below TLS: what is dropped need not be understood.
  while (total < dropped_max && open()) {
    const auto got = ::recv(socket_.native_handle(), dropped.data(), dropped.size(), 0);
    if (got > 0) {
      total += static_cast<std::size_t>(got);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) break;
    const bool awake = co_await ready(Socket::wait_read);
    if (!awake) break;
  }
  socket_.close(ignored);
}

bool Stream::open() const {
  return !expired_ && socket_.is_open();
}

}  // namespace archway::proxy
