#pragma once

#include "proxy/http/listener.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/served.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <optional>
#include <vector>

namespace archway::test {

inline const proxy::Settings::Endpoint any_port{.address = "127.0.0.1", .port = 0};

inline proxy::BoundSocket bound(const proxy::Settings::Endpoint& endpoint) {
  auto socket = proxy::bind_listener(endpoint);
  if (!socket) FAIL(socket.error().message);
  return *socket;
}

/// Listeners on a loop of their own; the loop goes first, the rest outlives it.
class Listening {
 public:
  ScriptedHandler handler;
  QuietLog log;
  QuietMetrics metrics;
  proxy::ConnectionCount count = 0;
  std::uint32_t count_max = 100;
  proxy::ConnectionBounds bounds{patience, patience, patience};
  std::optional<Platform> platform;
  std::shared_ptr<proxy::TlsHolder> tls;

  void add(proxy::BoundSocket socket) {
    loop_.on_loop([&] {
      listeners_.push_back(
          std::make_unique<proxy::Listener>(loop_.context().get_executor(), socket,
                                            proxy::ListenerParts{.platform = platform,
                                                                 .tls = tls,
                                                                 .handler = &handler,
                                                                 .connections = &connections_,
                                                                 .bounds = bounds,
                                                                 .count = &count,
                                                                 .count_max = count_max,
                                                                 .log = &log,
                                                                 .metrics = &metrics}));
      listeners_.back()->start();
    });
  }
  void stop() {
    loop_.on_loop([&] {
      for (const auto& listener : listeners_) listener->stop();
    });
  }
  ~Listening() {
    stop();
    loop_.on_loop([&] { listeners_.clear(); });  // Before the context that they use.
  }

 private:
  proxy::ConnectionSet connections_;
  std::vector<std::unique_ptr<proxy::Listener>> listeners_;
  LoopThread loop_;
};

}  // namespace archway::test
