// Any bytes as the body of an upstream's answer, in chunks or by length, some of them at hand and
// the rest from a socket: what ends well is what a second reader makes of it.

#include "proxy/upstream/body.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using archway::Result;
using archway::fuzz::must;
namespace net = boost::asio;
namespace proxy = archway::proxy;

namespace {

constexpr std::size_t bytes_max = 1 << 20;

/// A connection whose other side has said `later` and gone.
std::unique_ptr<proxy::Connection> connection(net::io_context& context, std::string_view now,
                                              std::string_view later) {
  int ends[2];
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "there is a socket");
  must(::send(ends[1], later.data(), later.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(later.size()),
       "the bytes fit into it");
  ::close(ends[1]);
  proxy::Stream::Socket socket(context, net::generic::stream_protocol(AF_UNIX, 0), ends[0]);
  auto made = std::make_unique<proxy::Connection>();
  made->stream = std::make_unique<proxy::Stream>(std::move(socket));
  made->received = std::string(now);
  return made;
}

net::awaitable<void> read_all(proxy::Body* body, std::optional<Result<std::string>>* read) {
  *read = co_await body->read_all(bytes_max);
}

/// The body as Beast reads it, where it comes to an end.
std::optional<std::string> second_reading(std::string_view chunks) {
  namespace http = boost::beast::http;
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(bytes_max);
  boost::system::error_code error;
  const std::string whole =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
  try {
    parser.put(net::buffer(whole), error);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  if (error || !parser.is_done()) return std::nullopt;
  return parser.get().body();
}

}  // namespace

/// The first two bytes say the framing and how much is at hand.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto text = archway::fuzz::text_of(data + 2, size - 2);
  const auto at_hand = data[1] % (text.size() + 1);
  const bool chunked = data[0] % 2 == 0;
  proxy::AnswerHead head{.status = 200, .keep_alive = true};
  head.framing = chunked ? proxy::Framing::chunked : proxy::Framing::length;
  if (!chunked) head.content_length = data[0];
  net::io_context context(1);
  std::unique_ptr<proxy::Connection> kept;
  {
    proxy::Body body(connection(context, text.substr(0, at_hand), text.substr(at_hand)), head,
                     proxy::Settings::Timeouts(),
                     [&](std::unique_ptr<proxy::Connection> with) { kept = std::move(with); });
    std::optional<Result<std::string>> read;
    net::co_spawn(context, read_all(&body, &read),
                  [](std::exception_ptr escaped) { must(!escaped, "no exception escapes"); });
    // Not to the end of all work: a connection that is kept has its deadlines watched.
    while (!read) must(context.run_one() > 0, "a body ends");
    must(read->has_value() == body.finished(), "what ends well is finished");
    if (read->has_value()) {
      must(body.received() == (*read)->size(), "every byte is counted");
      // Extensions and trailers, which nobody here reads, it may take for errors.
      const auto second = chunked ? second_reading(text) : std::nullopt;
      must(!second || *second == **read, "two readers agree on a body");
      if (!chunked) must(**read == text.substr(0, data[0]), "a body is as long as was said");
    }
    must(!kept || body.finished(), "only what ended well is used again");
    must(!kept || kept->received.empty(), "no leftover is somebody's answer");
  }
  return 0;
}
