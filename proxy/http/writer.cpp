#include "proxy/http/writer.hpp"

#include "proxy/http/byte_source.hpp"
#include "proxy/http/error_field.hpp"
#include "proxy/wakeup.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string_view>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

// Header and body of this size leave in one send: a copy of 64 KiB is cheaper than a second call.
constexpr std::size_t joined_bytes_max = 64 * 1024;
// Only a guard: a fill ends by the upstream's own bounds long before.
constexpr std::chrono::minutes fill_wait_max{30};

std::string_view reason(std::uint16_t status) {
  switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

/// The Date header, made once a second.
const std::string& date_line() {
  thread_local std::time_t made_at = 0;
  thread_local std::string line;
  const auto now = std::time(nullptr);
  if (now != made_at) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 64> text{};
    const auto length =
        std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    line.assign(text.data(), length);
    made_at = now;
  }
  return line;
}

void append_safe(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  }
}

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

bool chunked(const Response& response, const Framing& framing) {
  return !response.length() && !framing.http_1_0;
}

/// Resets the stream unless the answer was finished: also when an exception or the end of the loop
/// takes the writer away. A mere close could look like the end of a body of unknown length.
class Unfinished {
 public:
  explicit Unfinished(Stream* stream) : stream_(stream) {}
  ~Unfinished() {
    if (stream_) stream_->reset();
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  void finished() { stream_ = nullptr; }

 private:
  Stream* stream_;
};

net::awaitable<bool> write_bytes(Stream* stream, std::string bytes, bool more) {
  const auto written = co_await stream->write(bytes.data(), bytes.size(), more);
  co_return written.has_value();
}

net::awaitable<Sent> write_whole(Stream* stream, std::string head, BytesBody body,
                                 std::chrono::milliseconds stall) {
  if (body && head.size() + body->size() <= joined_bytes_max) {
    head += *body;
    const bool sent = co_await write_bytes(stream, std::move(head), false);
    co_return Sent{sent ? body->size() : 0, sent};
  }
  const bool more = body && !body->empty();
  const bool headed = co_await write_bytes(stream, std::move(head), more);
  if (!headed || !more) co_return Sent{0, headed};
  // In pieces, each with its own deadline: a slow client is not one that takes nothing.
  std::size_t done = 0;
  while (done < body->size()) {
    const auto piece = std::min(body->size() - done, joined_bytes_max);
    stream->deadline_in(stall);
    const auto sent = co_await stream->write(body->data() + done, piece, false);
    if (!sent) co_return Sent{done, false};
    done += piece;
  }
  co_return Sent{done, true};
}

net::awaitable<Sent> write_blob(Stream* stream, std::string head, FileBody body,
                                std::chrono::milliseconds stall) {
  const bool headed = co_await write_bytes(stream, std::move(head), body.length > 0);
  if (!headed || body.length == 0) co_return Sent{0, headed};
  FilePart part{.file = body.blob.file, .offset = body.offset, .length = body.length};
  const auto sent = co_await stream->write_file(std::move(part), body.pages, stall);
  const bool by_the_file = !sent && sent.error().origin == Origin::storage;
  if (by_the_file && body.damaged) body.damaged(sent.error().context);
  co_return Sent{sent ? *sent : 0, sent.has_value()};
}

/// The line before a chunk of so many bytes.
net::awaitable<bool> begin_chunk(Stream* stream, std::uint64_t length) {
  std::string size;
  append_number(size, length, 16);
  size += "\r\n";
  co_return co_await write_bytes(stream, std::move(size), true);
}

net::awaitable<bool> end_chunks(Stream* stream, std::chrono::milliseconds stall) {
  stream->deadline_in(stall);
  co_return co_await write_bytes(stream, "0\r\n\r\n", false);
}

/// One piece of what is relayed, with its chunk frame where there is one.
net::awaitable<bool> write_piece(Stream* stream, const char* bytes, std::size_t size,
                                 bool in_chunks, std::chrono::milliseconds stall) {
  stream->deadline_in(stall);
  if (in_chunks) {
    const bool sized = co_await begin_chunk(stream, size);
    if (!sized) co_return false;
  }
  const auto sent = co_await stream->write(bytes, size, in_chunks);
  if (!sent || !in_chunks) co_return sent.has_value();
  co_return co_await write_bytes(stream, "\r\n", false);
}

/// Only as fast as the client takes it: the next piece is asked for when the last one has left.
net::awaitable<Sent> write_relay(Stream* stream, RelayBody body, bool in_chunks,
                                 std::chrono::milliseconds stall) {
  const auto buffer = std::make_unique<char[]>(joined_bytes_max);
  std::uint64_t sent = 0;
  for (;;) {
    if (body.length && sent == *body.length) co_return Sent{sent, true};
    stream->no_deadline();
    const auto got = co_await body.source->read(buffer.get(), joined_bytes_max);
    if (!got) break;
    if (*got == 0) {
      if (body.length) break;  // Shorter than was promised.
      if (!in_chunks) co_return Sent{sent, true};
      const bool ended = co_await end_chunks(stream, stall);
      co_return Sent{sent, ended};
    }
    if (body.length && *got > *body.length - sent) break;  // Longer: it is something else.
    const bool written = co_await write_piece(stream, buffer.get(), *got, in_chunks, stall);
    if (!written) break;
    sent += *got;
  }
  co_return Sent{sent, false};
}

/// One released stretch of a fill, with its chunk frame where there is one.
net::awaitable<bool> write_stretch(Stream* stream, FilePart part, PageReader* pages, bool in_chunks,
                                   std::chrono::milliseconds stall) {
  if (in_chunks) {
    stream->deadline_in(stall);
    const bool sized = co_await begin_chunk(stream, part.length);
    if (!sized) co_return false;
  }
  const auto sent = co_await stream->write_file(std::move(part), pages, stall);
  if (!sent || !in_chunks) co_return sent.has_value();
  co_return co_await write_bytes(stream, "\r\n", false);
}

/// True when nothing more is to be sent. What reaches the blob's end counts only once the digest is
/// known to be right.
bool whole(const GrowingBody& body, const cache::Fill::State& state, std::uint64_t sent) {
  if (!body.length) return state.verified;
  const bool to_the_end = state.size && body.offset + *body.length >= *state.size;
  return sent == *body.length && (state.verified || !to_the_end);
}

/// The rest of a body whose fill was ended by the disk, from where this client is.
net::awaitable<Sent> go_on_without(Stream* stream, GrowingBody body, std::uint64_t sent, Error why,
                                   bool in_chunks, std::chrono::milliseconds stall) {
  RelayBody rest{.source = body.otherwise(body.offset + sent, why)};
  if (!rest.source) co_return Sent{sent, false};
  if (body.length) rest.length = *body.length - sent;
  const auto more = co_await write_relay(stream, std::move(rest), in_chunks, stall);
  co_return Sent{sent + more.body_bytes, more.complete};
}

net::awaitable<Sent> follow_fill(Stream* stream, GrowingBody body, bool in_chunks,
                                 std::chrono::milliseconds stall) {
  const auto executor = stream->executor();
  std::uint64_t sent = 0;
  for (;;) {
    const auto state = body.fill->state();
    auto end = state.released;
    if (body.length) end = std::min(end, body.offset + *body.length);
    const bool by_the_disk =
        state.failed && state.failed->origin == Origin::storage && body.otherwise;
    if (state.failed && !by_the_disk) break;
    // What a full disk took in time is right; what was found damaged is not sent any more.
    const bool usable = !state.failed || !state.failed->retryable;
    if (usable && end > body.offset + sent) {
      const auto length = end - body.offset - sent;
      FilePart part{.file = body.fill->file(), .offset = body.offset + sent, .length = length};
      const bool written =
          co_await write_stretch(stream, std::move(part), body.pages, in_chunks, stall);
      if (!written) break;
      sent += length;
      continue;
    }
    if (whole(body, state, sent)) {
      if (!in_chunks) co_return Sent{sent, true};
      const bool ended = co_await end_chunks(stream, stall);
      co_return Sent{sent, ended};
    }
    if (state.failed) {
      co_return co_await go_on_without(stream, std::move(body), sent, *state.failed, in_chunks,
                                       stall);
    }
    if (state.verified) break;  // Shorter than was promised: nothing more will come.
    stream->no_deadline();
    const auto wakeup = Wakeup::make(executor);
    body.fill->when_past(state.version, [wakeup] { wakeup->fire(); });
    const bool moved = co_await wakeup->wait(fill_wait_max);
    if (!moved) break;
  }
  co_return Sent{sent, false};
}

net::awaitable<Sent> write_parts(Stream* stream, Response response, Framing framing,
                                 std::chrono::milliseconds stall) {
  std::string head = head_text(response, framing);
  if (framing.head_only) co_return co_await write_whole(stream, std::move(head), nullptr, stall);
  if (auto* bytes = std::get_if<BytesBody>(&response.body)) {
    co_return co_await write_whole(stream, std::move(head), std::move(*bytes), stall);
  }
  if (auto* file = std::get_if<FileBody>(&response.body)) {
    co_return co_await write_blob(stream, std::move(head), std::move(*file), stall);
  }
  // Headers go out at once: no client waits for the first byte of a slow upstream.
  const bool in_chunks = chunked(response, framing);
  const bool headed = co_await write_bytes(stream, std::move(head), false);
  if (!headed) co_return Sent{0, false};
  if (auto* relay = std::get_if<RelayBody>(&response.body)) {
    co_return co_await write_relay(stream, std::move(*relay), in_chunks, stall);
  }
  auto growing = std::get<GrowingBody>(std::move(response.body));
  co_return co_await follow_fill(stream, std::move(growing), in_chunks, stall);
}

}  // namespace

std::string head_start(const Response& response, const Framing& framing) {
  std::string text;
  text.reserve(512);
  text += framing.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ";
  append_number(text, response.status);
  text += ' ';
  text += reason(response.status);
  if (const auto why = response.fields.find(error_field); !why.empty()) {
    text += ": ";
    append_safe(text, why.substr(0, repeated_bytes_max));
  }
  text += "\r\n";
  for (const auto& [name, value] : response.fields) {
    text += name;
    text += ": ";
    append_safe(text, value);
    text += "\r\n";
  }
  if (const auto length = response.length(); length && response.status != 304) {
    // (A 304 could only repeat the length of what it does not send. RFC 9110 section 8.6.)
    text += "Content-Length: ";
    append_number(text, *length);
    text += "\r\n";
  } else if (!length && chunked(response, framing)) {
    text += "Transfer-Encoding: chunked\r\n";
  }
  return text;
}

void append_head_end(std::string& head, const Framing& framing) {
  head += date_line();
  if (!framing.keep_alive) head += "Connection: close\r\n";
  if (framing.keep_alive && framing.http_1_0) head += "Connection: keep-alive\r\n";
  head += "\r\n";
}

std::string head_text(const Response& response, const Framing& framing) {
  std::string text = head_start(response, framing);
  append_head_end(text, framing);
  return text;
}

net::awaitable<Sent> write_response(Stream* stream, Response response, Framing framing,
                                    std::chrono::milliseconds stall) {
  Unfinished guard(stream);
  stream->deadline_in(stall);
  const auto sent = co_await write_parts(stream, std::move(response), framing, stall);
  if (sent.complete) guard.finished();
  co_return sent;
}

}  // namespace archway::proxy
