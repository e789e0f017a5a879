#pragma once

#include "proxy/http/writer.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/served.hpp"

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace archway::test {

inline boost::asio::awaitable<proxy::Sent> write_one(proxy::Stream::Socket socket,
                                                     std::shared_ptr<const proxy::TlsContext> tls,
                                                     proxy::Response response,
                                                     proxy::Framing framing,
                                                     std::chrono::milliseconds stall) {
  proxy::Stream stream(std::move(socket));
  stream.deadline_in(patience);
  if (tls) {
    const auto shaken = co_await stream.accept_tls(tls);
    if (!shaken) throw std::runtime_error(shaken.error().context);
  }
  const auto sent = co_await proxy::write_response(&stream, std::move(response), framing, stall);
  stream.close();
  co_return sent;
}

/// One answer being written to a client with small buffers.
struct Writing {
  explicit Writing(proxy::Response response, proxy::Framing framing = {},
                   std::chrono::milliseconds stall = patience,
                   std::shared_ptr<const proxy::TlsContext> tls = nullptr)
      : pair(tcp_pair(true)),
        client(pair.client),
        sent(loop.spawn(write_one(adopt(loop.context(), pair.server), std::move(tls),
                                  std::move(response), framing, stall))) {}

  LoopThread loop;
  TcpPair pair;
  RawClient client;
  std::future<proxy::Sent> sent;
};

inline proxy::Response growing(const std::shared_ptr<DrivenFill>& fill, std::uint64_t offset = 0,
                               std::optional<std::uint64_t> length = {}) {
  return {.body = proxy::GrowingBody{.fill = fill, .offset = offset, .length = length}};
}

}  // namespace archway::test
