#include "proxy/http/connection.hpp"

#include "proxy/http/writer.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t read_bytes = 4096;
constexpr char tls_handshake_record = 0x16;

/// What reading a header block can end with, beside the block itself.
enum class Heard : std::uint8_t { block, nothing, half, too_long, tls_hello };

/// It was a deadline that ended it: such a stream is of no use any more, and still not closed.
bool timed_out(Stream& stream) {
  return !stream.open() && stream.socket().is_open();
}

/// What is there without waiting, by way of the stack: a client that says nothing costs no buffer.
bool take_now(Stream& stream, std::string& input) {
  std::array<char, read_bytes> piece;  // Not zeroed: what is read is what is used.
  const auto got = stream.read_now(piece.data(), piece.size());
  input.append(piece.data(), got);
  return got > 0;
}

/// True when more has come.
net::awaitable<bool> hear_more(Stream* stream, std::string* input) {
  if (input->empty()) {
    // What OpenSSL has read already makes no socket readable.
    if (stream->is_tls() && take_now(*stream, *input)) co_return true;
    std::string().swap(*input);
    boost::system::error_code error;
    co_await stream->socket().async_wait(Stream::Socket::wait_read,
                                         net::redirect_error(net::use_awaitable, error));
    if (error || !stream->open()) co_return false;
    if (take_now(*stream, *input)) co_return true;
  }
  const auto had = input->size();
  input->resize(had + read_bytes);
  const auto got = co_await stream->read_some(input->data() + had, read_bytes);
  input->resize(had + (got ? *got : 0));
  co_return got&&* got > 0;
}

/// Reads until `input` holds a whole header block; `end` is where it ends. Bytes behind it stay for
/// the next request.
net::awaitable<Heard> read_block(Stream* stream, std::string* input, std::size_t* end,
                                 ConnectionSet::Entry* entry, ConnectionBounds bounds) {
  if (input->empty()) entry->now_idle();
  stream->deadline_in(input->empty() ? bounds.idle : bounds.request);
  for (;;) {
    if (!input->empty() && input->front() == tls_handshake_record) co_return Heard::tls_hello;
    *end = header_block_end(*input);
    if (*end != std::string::npos) break;
    if (input->size() >= header_block_bytes_max) co_return Heard::too_long;
    const bool first = input->empty();
    const bool more = co_await hear_more(stream, input);
    if (!more) co_return input->empty() ? Heard::nothing : Heard::half;
    // One deadline for the whole block, from its first byte: a byte a second buys no time.
    if (first) stream->deadline_in(bounds.request);
    entry->now_busy();
  }
  co_return *end > header_block_bytes_max ? Heard::too_long : Heard::block;
}

net::awaitable<void> answer_and_close(Stream* stream, Response response, ConnectionBounds bounds) {
  const Framing framing{.keep_alive = false};
  co_await write_response(stream, std::move(response), framing, bounds.stall);
  co_await stream->close_gently();
}

/// True when the conversation goes on.
net::awaitable<bool> answer(Stream* stream, std::shared_ptr<const Request> request,
                            Handler* handler, ConnectionSet::Entry* entry, ConnectionBounds bounds,
                            std::string block) {
  stream->no_deadline();
  Response response = co_await handler->handle(request);
  if (auto* const answers = handler->ready_answers(); answers && response.reuse) {
    answers->keep(block, *request, response);
  }
  const Framing framing{
      .head_only = request->method == Method::head,
      .keep_alive = request->keep_alive && !response.close && !entry->draining() &&
                    (response.length().has_value() || !request->http_1_0),
      .http_1_0 = request->http_1_0,
  };
  const auto on_sent = std::move(response.on_sent);
  const auto sent = co_await write_response(stream, std::move(response), framing, bounds.stall);
  if (on_sent) on_sent(sent);
  if (!sent.complete && timed_out(*stream)) handler->lost("slow_reader");
  if (!sent.complete) co_return false;
  if (!framing.keep_alive) co_await stream->close_gently();
  co_return framing.keep_alive;
}

/// A request that is answered by what was made before, when not all of it left at once.
struct Again {
  std::shared_ptr<const ReadyAnswer> answer;
  Reuse::Use use;
  std::string rest;
};

void tell(const Again& again, bool sent) {
  const auto bytes = sent ? again.answer->body_bytes() : 0;
  again.answer->reuse->used(again.use, {.body_bytes = bytes, .complete = sent});
}

/// What became of a request before it was read.
enum class Given : std::uint8_t { nothing, all, last, part };

/// Gives an answer that was made before, if there is one: as much as leaves at once. Where that is
/// not all of it, nearly never, `again` is what is left to do.
Given give_again(Stream& stream, ReadyAnswers& answers, std::string_view block,
                 const std::shared_ptr<const Peer>& peer, std::unique_ptr<Again>& again) {
  thread_local std::string text;
  auto ready = answers.find(block, *peer);
  if (!ready) return Given::nothing;
  Again one{.answer = std::move(ready), .use = {.id = "", .peer = peer}, .rest = ""};
  one.use.id = one.answer->reuse->next_id();
  text.clear();
  one.answer->append_to(text, one.use.id);
  const auto sent = stream.write_now(text.data(), text.size());
  if (sent == text.size()) {
    tell(one, true);
    return one.answer->last ? Given::last : Given::all;
  }
  one.rest = text.substr(sent);
  again = std::make_unique<Again>(std::move(one));
  return Given::part;
}

/// True when the conversation goes on.
net::awaitable<bool> give_rest(Stream* stream, std::unique_ptr<Again> again, Handler* handler,
                               ConnectionBounds bounds) {
  stream->deadline_in(bounds.stall);
  const auto written = co_await stream->write(again->rest.data(), again->rest.size(), false);
  tell(*again, written.has_value());
  if (!written && timed_out(*stream)) handler->lost("slow_reader");
  if (!written) stream->reset();  // A mere close could look like the end of the answer.
  co_return written && !again->answer->last;
}

/// Reads a request and answers it. True when the conversation goes on.
net::awaitable<bool> answer_block(Stream* stream, std::shared_ptr<const Peer> peer,
                                  Handler* handler, ConnectionSet::Entry* entry,
                                  ConnectionBounds bounds, std::string block) {
  auto read = read_envelope(block, handler->target_max());
  if (auto* bad = std::get_if<BadRequest>(&read)) {
    Response refusal = handler->refuse(bad->status, std::move(bad->why));
    co_await answer_and_close(stream, std::move(refusal), bounds);
    co_return false;
  }
  auto request = std::make_shared<Request>(std::get<Request>(std::move(read)));
  request->peer = peer;
  co_return co_await answer(stream, std::move(request), handler, entry, bounds, std::move(block));
}

/// Says why what came is no request.
net::awaitable<void> turn_away(Stream* stream, Heard heard, Handler* handler,
                               ConnectionBounds bounds) {
  if (heard == Heard::too_long) {
    Response refusal = handler->refuse(431, "The request's headers are longer than 32 KiB.");
    co_await answer_and_close(stream, std::move(refusal), bounds);
    co_return;
  }
  static constexpr std::string_view plain =
      "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n"
      "This port speaks plain HTTP, not TLS.\n";
  const auto told = co_await stream->write(plain.data(), plain.size(), false);
  if (told) co_await stream->close_gently();
}

}  // namespace

void ConnectionSet::drain() {
  draining_ = true;
  for (auto& entry : entries_) {
    if (entry.idle()) entry.stream_.close();
  }
}

bool ConnectionSet::close_oldest_idle() {
  for (auto& entry : entries_) {
    if (!entry.idle() || !entry.stream_.open()) continue;
    entry.stream_.close();
    return true;
  }
  return false;
}

void ConnectionSet::abort() {
  draining_ = true;
  for (auto& entry : entries_) entry.stream_.reset();
}

net::awaitable<void> serve_connection(Stream* stream, std::shared_ptr<const Peer> peer,
                                      Handler* handler, ConnectionSet* set,
                                      ConnectionBounds bounds) {
  ConnectionSet::Entry entry(*set, *stream);
  std::string input;
  // A drain ends the idle connections itself; this ends those that were busy or still unborn.
  while (!entry.draining()) {
    std::size_t end = 0;
    const auto heard = co_await read_block(stream, &input, &end, &entry, bounds);
    if (heard == Heard::half && timed_out(*stream)) handler->lost("slow_request");
    if (heard == Heard::nothing || heard == Heard::half) break;
    if (heard != Heard::block) {
      co_await turn_away(stream, heard, handler, bounds);
      break;
    }
    std::unique_ptr<Again> again;
    auto* const answers = entry.draining() ? nullptr : handler->ready_answers();
    const auto block = std::string_view(input).substr(0, end);
    const auto given = answers ? give_again(*stream, *answers, block, peer, again) : Given::nothing;
    bool goes_on = given == Given::all;
    if (given == Given::nothing) {
      std::string asked(block);
      input.erase(0, end);
      goes_on = co_await answer_block(stream, peer, handler, &entry, bounds, std::move(asked));
    } else {
      input.erase(0, end);
    }
    if (given == Given::part) {
      goes_on = co_await give_rest(stream, std::move(again), handler, bounds);
    }
    if (!goes_on) {
      // With something unread a mere close would be an RST, which can destroy what is on its way.
      if (given == Given::last && !(input.empty() && stream->quiet())) {
        co_await stream->close_gently();
      }
      break;
    }
  }
  if (entry.draining()) co_await stream->close_gently();
  stream->close();
}

}  // namespace archway::proxy
