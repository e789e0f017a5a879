#include "tests/bench/load_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace archway::bench {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;

std::vector<char>& piece() {
  static std::vector<char> bytes(piece_bytes);
  return bytes;
}

double seconds_since(LoadConnection::Clock::time_point begun) {
  return std::chrono::duration<double>(LoadConnection::Clock::now() - begun).count();
}

/// The value of Content-Length; 0 without.
std::uint64_t length_of(std::string_view head) {
  constexpr std::string_view name = "\r\ncontent-length:";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  const auto found = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
  std::uint64_t length = 0;
  if (found == head.end()) return length;
  const char* at = &*found + name.size();
  while (*at == ' ') ++at;
  std::from_chars(at, head.data() + head.size(), length);
  return length;
}

}  // namespace

LoadConnection::LoadConnection(const Plan* plan, ssl_ctx_st* tls, int epoll, Tally* tally,
                               std::size_t number)
    : plan_(plan),
      context_(tls),
      epoll_(epoll),
      tally_(tally),
      next_target_(number % plan->targets.size()) {}

LoadConnection::~LoadConnection() {
  hang_up();
  SSL_SESSION_free(session_);
}

void LoadConnection::advance() {
  Step step = Step::on;
  while (step == Step::on) {
    switch (state_) {
      case State::idle: step = begin(); break;
      case State::connecting: step = connect(); break;
      case State::shaking: step = shake(); break;
      case State::asking: step = ask(); break;
      case State::head: step = hear_head(); break;
      case State::body: step = hear_body(); break;
      case State::held:
      case State::over: step = Step::wait; break;
    }
  }
}

void LoadConnection::stop() {
  hang_up();
  state_ = State::over;
}

LoadConnection::Step LoadConnection::begin() {
  const bool enough = plan_->requests != 0 && tally_->begun == plan_->requests;
  if (enough || !may_begin()) {
    stop();
    return Step::wait;
  }
  ++tally_->begun;
  out_ = plan_->method + " " + plan_->targets[next_target_] + " HTTP/1.1\r\nHost: " + plan_->host +
         "\r\n" + plan_->lines + (plan_->new_connections ? "Connection: close\r\n\r\n" : "\r\n");
  next_target_ = (next_target_ + 1) % plan_->targets.size();
  sent_ = taken_ = 0;
  in_.clear();
  begun_ = Clock::now();
  if (fd_ >= 0) {
    state_ = State::asking;
    return Step::on;
  }
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = this}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
  state_ = State::connecting;
  return Step::on;
}

LoadConnection::Step LoadConnection::connect() {
  const auto* address = reinterpret_cast<const sockaddr*>(&plan_->server);
  const int result = ::connect(fd_, address, sizeof plan_->server);
  if (result != 0 && (errno == EINPROGRESS || errno == EALREADY)) return Step::wait;
  if (result != 0 && errno != EISCONN) {
    failed(std::string("connect: ") + std::strerror(errno));
    return Step::on;
  }
  state_ = plan_->tls ? State::shaking : State::asking;
  if (plan_->tls) {
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    if (plan_->resume && session_ != nullptr) SSL_set_session(ssl_, session_);
  }
  return Step::on;
}

LoadConnection::Step LoadConnection::shake() {
  ERR_clear_error();
  const int result = SSL_connect(ssl_);
  if (result == 1) {
    if (SSL_session_reused(ssl_) != 0) ++tally_->resumed;
    state_ = State::asking;
    return Step::on;
  }
  const int why = SSL_get_error(ssl_, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return Step::wait;
  failed("the TLS handshake failed");
  return Step::on;
}

LoadConnection::Step LoadConnection::ask() {
  const auto size = out_.size() - sent_;
  if (ssl_ != nullptr) {
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_, out_.data() + sent_, size, &written);
    if (result != 1 && SSL_get_error(ssl_, result) != SSL_ERROR_WANT_WRITE) failed("TLS write");
    sent_ += written;
  } else {
    const auto written = ::send(fd_, out_.data() + sent_, size, MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) failed(std::string("write: ") + std::strerror(errno));
    sent_ += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  if (state_ != State::asking) return Step::on;
  if (sent_ < out_.size()) return Step::wait;
  state_ = State::head;
  return Step::on;
}

/// `got` 0 with Step::on: it ended, and was noted as a failure.
LoadConnection::Step LoadConnection::read(std::size_t room, std::size_t& got) {
  room = std::min(room, piece_bytes);
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, piece().data(), room, &got);
    if (result == 1) return Step::on;
    if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) return Step::wait;
    failed("TLS read");
    return Step::on;
  }
  const bool drops = plan_->body == Plan::Body::drop && state_ == State::body;
  const auto result = ::recv(fd_, piece().data(), room, drops ? MSG_TRUNC : 0);
  if (result > 0) {
    got = static_cast<std::size_t>(result);
    return Step::on;
  }
  if (result < 0 && errno == EAGAIN) return Step::wait;
  failed(result == 0 ? "the connection ended" : std::string("read: ") + std::strerror(errno));
  return Step::on;
}

LoadConnection::Step LoadConnection::hear_head() {
  std::size_t got = 0;
  if (read(16 * 1024, got) == Step::wait) return Step::wait;
  if (got == 0) return Step::on;
  if (in_.empty()) tally_->first_byte.push_back(seconds_since(begun_));
  in_.append(piece().data(), got);
  const auto end = in_.find("\r\n\r\n");
  if (end == std::string::npos) return Step::on;
  const auto head = std::string_view(in_).substr(0, end + 2);
  if (!head.starts_with("HTTP/1.1 200 ")) {
    failed("answered: " + std::string(head.substr(0, head.find('\r'))));
    return Step::on;
  }
  left_ = plan_->method == "HEAD" ? 0 : length_of(head);
  const auto come = in_.size() - end - 4;
  if (come > left_) {
    failed("more came than was said");
    return Step::on;
  }
  taken_ = come;
  left_ -= come;
  tally_->bytes += come;
  state_ = State::body;
  return Step::on;
}

LoadConnection::Step LoadConnection::hear_body() {
  if (left_ == 0) {
    answered();
    return Step::on;
  }
  const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(left_, allowance()));
  std::size_t got = 0;
  if (room == 0 || read(room, got) == Step::wait) return Step::wait;
  taken_ += got;
  left_ -= got;
  tally_->bytes += got;
  return Step::on;
}

/// How much of the body it may take now.
std::size_t LoadConnection::allowance() {
  if (plan_->rate == 0) return piece_bytes;
  const double due = seconds_since(begun_) * static_cast<double>(plan_->rate);
  const auto may = static_cast<std::uint64_t>(due);
  return may > taken_ ? static_cast<std::size_t>(may - taken_) : 0;
}

bool LoadConnection::may_begin() const {
  static const Clock::time_point start = Clock::now();
  return plan_->time.count() == 0 || Clock::now() - start < plan_->time;
}

void LoadConnection::answered() {
  ++tally_->requests;
  tally_->whole.push_back(seconds_since(begun_));
  state_ = plan_->hold ? State::held : State::idle;
  if (plan_->new_connections) hang_up();
}

void LoadConnection::failed(const std::string& why) {
  ++tally_->errors;
  if (tally_->first_error.empty()) tally_->first_error = why;
  hang_up();
  state_ = State::idle;
  constexpr std::uint64_t errors_max = 1000;  // Nothing is measured any more.
  if (tally_->errors > errors_max) state_ = State::over;
}

void LoadConnection::hang_up() {
  if (ssl_ != nullptr) {
    if (plan_->resume) {
      SSL_SESSION_free(session_);
      session_ = SSL_get1_session(ssl_);
      SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // Or it would not count.
    }
    SSL_free(ssl_);
    ssl_ = nullptr;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace archway::bench
