#include "proxy/upstream/request_body.hpp"

#include "proxy/upstream/answer_head.hpp"

#include <algorithm>
#include <array>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// True when an answer stands there that is not an interim one. More than any head has is taken for
/// one, too: whoever reads it finds out what it is.
bool has_answered(std::string_view received) {
  constexpr std::size_t status_at = std::string_view("HTTP/1.1 ").size();
  for (;;) {
    const auto end = answer_head_end(received);
    if (end == std::string_view::npos) return received.size() > answer_head_bytes_max;
    if (end <= status_at || received[status_at] != '1') return true;
    received.remove_prefix(end);
  }
}

/// The other side will say nothing more. Waiting for it to be readable would never wait again.
bool has_ended(Stream& stream) {
  if (!stream.open()) return true;
  char byte = 0;
  const auto got =
      ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

RequestBody RequestBody::of(std::string text) {
  return {.bytes = std::make_shared<const std::string>(std::move(text))};
}

/// What is heard while a body is being sent.
struct BodySender::Ear {
  Connection* connection;  // nullptr once nobody listens any more
  bool answered = false;

  void hear() {
    std::array<char, 4096> piece{};
    while (!answered) {
      const auto got = connection->stream->read_now(piece.data(), piece.size());
      if (got == 0) return;
      connection->received.append(piece.data(), got);
      connection->answered = true;
      answered = has_answered(connection->received);
    }
  }
};

BodySender::BodySender(Connection* connection, std::chrono::milliseconds stall)
    : ear_(std::make_shared<Ear>(Ear{.connection = connection})), stall_(stall) {}

BodySender::~BodySender() {
  ear_->connection = nullptr;
}

void BodySender::listen(std::shared_ptr<Ear> ear) {
  auto& socket = ear->connection->stream->socket();
  socket.async_wait(Stream::Socket::wait_read, [ear](const boost::system::error_code& error) {
    if (error || ear->connection == nullptr) return;
    ear->hear();
    auto& stream = *ear->connection->stream;
    if (ear->answered) {  // A write that waits for room has nothing to wait for any more.
      boost::system::error_code ignored;
      stream.socket().cancel(ignored);
    } else if (!has_ended(stream)) {
      listen(ear);
    }
  });
}

net::awaitable<bool> BodySender::send_piece(const char* data, std::size_t size) {
  auto& connection = *ear_->connection;
  ear_->hear();  // A body that never has to wait would hear nothing else.
  if (ear_->answered) co_return false;
  connection.stream->deadline_in(stall_);
  const auto written = co_await connection.stream->write(data, size, false);
  co_return written.has_value();
}

net::awaitable<Result<bool>> BodySender::send_bytes(RequestBody body) {
  const auto& bytes = *body.bytes;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto size = std::min(piece_bytes, bytes.size() - at);
    const bool good = co_await send_piece(bytes.data() + at, size);
    if (!good) co_return false;
    at += size;
    if (body.sent) body.sent(at);
  }
  co_return true;
}

net::awaitable<Result<bool>> BodySender::send_stream(RequestBody body) {
  const auto buffer = std::make_unique<char[]>(piece_bytes);
  for (std::uint64_t at = 0; at < body.size;) {
    const auto want =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, body.size - at));
    ear_->connection->stream->no_deadline();  // The source has bounds of its own.
    const auto got = co_await body.source->read(buffer.get(), want);
    if (!got) co_return got.error();
    if (*got == 0 || *got > want) co_return nonsense("a source gave less or more than it promised");
    const bool good = co_await send_piece(buffer.get(), *got);
    if (!good) co_return false;
    at += *got;
    if (body.sent) body.sent(at);
  }
  co_return true;
}

net::awaitable<Result<bool>> BodySender::run(RequestBody body) {
  listen(ear_);
  Result<bool> whole = true;
  if (body.streamed()) {
    whole = co_await send_stream(std::move(body));
  } else if (body.bytes) {
    whole = co_await send_bytes(std::move(body));
  }
  auto& connection = *std::exchange(ear_->connection, nullptr);
  boost::system::error_code ignored;
  connection.stream->socket().cancel(ignored);  // the wait; nothing else is under way
  co_return whole;
}

}  // namespace archway::proxy
