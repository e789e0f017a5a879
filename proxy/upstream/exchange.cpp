#include "proxy/upstream/exchange.hpp"

#include "proxy/base64.hpp"
#include "proxy/upstream/tunnel.hpp"
#include "proxy/version.hpp"
#include "proxy/wipe.hpp"
#include "resolver/redirect.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

std::string_view word(Verb verb) {
  switch (verb) {
    case Verb::head: return "HEAD";
    case Verb::post: return "POST";
    case Verb::put: return "PUT";
    case Verb::get: break;
  }
  return "GET";
}

std::string request_head(const Ask& ask, const std::optional<resolver::Proxy>& forwarder) {
  const auto& url = ask.destination.url;
  std::string text(word(ask.verb));
  text += ' ';
  if (forwarder) text += url.origin();
  text += url.target;
  text += " HTTP/1.1\r\nHost: ";
  text += url.authority();
  text += "\r\nUser-Agent: archway/";
  text += version;
  // A coded body would not be the bytes that the digest is of.
  text += "\r\nAccept-Encoding: identity\r\nConnection: keep-alive\r\n";
  for (const auto& [name, value] : ask.fields) {
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  }
  if (forwarder && !forwarder->user_info.empty()) {
    text += "Proxy-Authorization: Basic " + to_base64(forwarder->user_info) + "\r\n";
  }
  if (!reads(ask.verb)) text += "Content-Length: " + std::to_string(ask.body.length()) + "\r\n";
  text += "\r\n";
  return text;
}

Error no_answer(const Stream& stream, const std::string& context) {
  return {.code = Errc::upstream_unreachable,
          .origin = Origin::upstream,
          .message = stream.open() ? "the upstream closed the connection without an answer"
                                   : "the upstream did not answer in time",
          .context = context,
          .retryable = true};
}

std::string shown(const resolver::Address& address) {
  return address == resolver::beyond_a_proxy() ? "beyond a proxy" : address.str();
}

/// What comes back from something that does not speak HTTP/1 need not be waited for to its end.
bool may_be_http(std::string_view received) {
  constexpr std::string_view start = "HTTP/1.";
  const auto common = std::min(received.size(), start.size());
  return received.substr(0, common) == start.substr(0, common);
}

}  // namespace

std::string without_query(const resolver::Url& url) {
  return url.origin() + url.target.substr(0, url.target.find('?'));
}

net::awaitable<Result<AnswerHead>> Exchange::read_head(Connection* connection, bool to_head) {
  auto& received = connection->received;
  std::size_t searched = 0;
  for (int interim = 0; interim <= interim_answers_max;) {
    const auto from = std::min(searched, received.size());
    const auto end = answer_head_end(std::string_view(received).substr(from));
    if (end == std::string_view::npos) {
      if (!may_be_http(received)) co_return nonsense("the answer is not HTTP/1");
      if (received.size() > answer_head_bytes_max)
        co_return nonsense("the head is longer than 64 KiB");
      searched = received.size() < 3 ? 0 : received.size() - 3;
      const auto got = co_await connection->receive_more();
      if (!got) co_return no_answer(*connection->stream, got.error().context);
      if (*got == 0) {
        if (!received.empty()) co_return nonsense("the connection ended within the head");
        co_return no_answer(*connection->stream, "the connection was closed");
      }
      connection->answered = true;
      continue;
    }
    auto head = read_answer_head(std::string_view(received).substr(0, from + end), to_head);
    if (!head) co_return head.error();
    received.erase(0, from + end);
    searched = 0;
    if (!head->interim()) co_return head;
    if (head->status == 101) co_return nonsense("another protocol is offered unasked (101)");
    ++interim;
  }
  co_return nonsense("there are too many interim answers");
}

net::awaitable<Result<AnswerHead>> Exchange::send(Connection* connection, Ask ask) {
  connection->answered = false;
  std::string request = request_head(ask, connection->forwarder);
  const auto url = ask.destination.url;
  connection->stream->deadline_in(parts_.timeouts.first_byte);
  const auto written = co_await connection->stream->write(request.data(), request.size(), false);
  wipe(request);  // It may have borne a password.
  if (!written) co_return no_answer(*connection->stream, written.error().context);
  auto patience = parts_.timeouts.first_byte;
  if (ask.body.streamed()) patience *= settling_factor;
  bool whole = true;
  if (ask.body.length() > 0) {
    BodySender sender(connection, parts_.timeouts.stall);
    const auto sent = co_await sender.run(std::move(ask.body));
    if (!sent) co_return sent.error();
    whole = *sent;
  }
  connection->stream->deadline_in(patience);
  auto head = co_await read_head(connection, ask.verb == Verb::head);
  if (head && connection->forwarder && head->status == 407) {
    co_return refused_by_proxy(*connection->forwarder, url, head->status);
  }
  if (head && !whole) head->keep_alive = false;  // The rest of the body would come first.
  co_return head;
}

Answer Exchange::answer(std::unique_ptr<Connection> connection, AnswerHead head,
                        const std::string& origin) {
  const auto address = connection->address;
  auto keep = [pool = std::weak_ptr(parts_.pool), origin](std::unique_ptr<Connection> used) {
    if (const auto alive = pool.lock()) alive->give(origin, std::move(used));
  };
  auto body = std::make_unique<Body>(std::move(connection), head, parts_.timeouts, std::move(keep));
  return {.head = std::move(head), .body = std::move(body), .address = address};
}

net::awaitable<Result<Answer>> Exchange::run_unseen(Ask ask, bool* reused) {
  const auto origin = ask.destination.url.origin();
  auto idle = parts_.pool->take(origin);
  const auto& named_by = ask.destination.named_by;
  if (idle && (!named_by || resolver::address_permitted(idle->address, *named_by))) {
    *reused = true;
    auto head = co_await send(idle.get(), ask);
    if (head) co_return answer(std::move(idle), *std::move(head), origin);
    // Silence is not tried again: that would double every bound.
    if (idle->answered || !idle->stream->open() || ask.body.streamed()) co_return head.error();
  }
  idle.reset();
  *reused = false;
  auto fresh = co_await parts_.connector.connect(ask.destination);
  if (!fresh) co_return fresh.error();
  auto connection = *std::move(fresh);
  auto head = co_await send(connection.get(), ask);
  if (!head) co_return head.error();
  co_return answer(std::move(connection), *std::move(head), origin);
}

net::awaitable<Result<Answer>> Exchange::run(Ask ask) {
  const auto start = Clock::now();
  const auto what = without_query(ask.destination.url);
  const auto method = word(ask.verb);
  bool reused = false;
  auto result = co_await run_unseen(std::move(ask), &reused);
  const std::chrono::duration<double> time = Clock::now() - start;
  if (!result) {
    Error error = result.error();
    error.context = std::string(method) + " " + what + ": " + error.context;
    if (parts_.metrics) parts_.metrics->upstream_error(parts_.upstream, name(error.code));
    if (parts_.log && parts_.log->enabled(metrics::Level::debug)) {
      parts_.log->debug("upstream exchange failed", {{"upstream", parts_.upstream},
                                                     {"error", std::string(name(error.code))},
                                                     {"context", error.context},
                                                     {"seconds", time.count()}});
    }
    co_return error;
  }
  const auto status = result->head.status;
  if (parts_.metrics) {
    parts_.metrics->upstream_answer(parts_.upstream, static_cast<int>(status), time.count());
  }
  if (parts_.log && parts_.log->enabled(metrics::Level::debug)) {
    parts_.log->debug("upstream exchange", {{"upstream", parts_.upstream},
                                            {"method", std::string(method)},
                                            {"url", what},
                                            {"status", static_cast<std::uint64_t>(status)},
                                            {"reused", reused},
                                            {"address", shown(result->address)},
                                            {"seconds", time.count()}});
  }
  co_return result;
}

}  // namespace archway::proxy
