#pragma once

#include "proxy/http/connection.hpp"
#include "proxy/http/tls.hpp"
#include "proxy/wakeup.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/run.hpp"

#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace archway::test {

inline proxy::Stream::Socket adopt(boost::asio::io_context& context, int fd) {
  return {context, boost::asio::generic::stream_protocol(AF_INET, IPPROTO_TCP), fd};
}

inline proxy::Response text_answer(std::uint16_t status, std::string text) {
  proxy::Response response{.status = status};
  response.fields.add("Content-Type", "text/plain");
  response.body = proxy::bytes_body(std::move(text));
  return response;
}

/// Answers as it is told and remembers what it was asked. Threads: any.
class ScriptedHandler : public proxy::Handler {
 public:
  /// Unset: 200 with the target as the body.
  std::function<proxy::Response(const proxy::Request&)> script;

  boost::asio::awaitable<proxy::Response> handle(
      std::shared_ptr<const proxy::Request> request) override {
    std::shared_ptr<proxy::Wakeup> gate;
    const auto executor = co_await boost::asio::this_coro::executor;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      if (holding_) gate = gate_ = proxy::Wakeup::make(executor);
    }
    if (gate) {
      held_.set_value();
      co_await gate->wait(patience);
    }
    if (script) co_return script(*request);
    co_return text_answer(200, request->target);
  }

  proxy::Response refuse(std::uint16_t status, std::string why) override {
    auto response = text_answer(status, std::move(why));
    response.close = true;
    return response;
  }

  std::vector<std::shared_ptr<const proxy::Request>> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  /// The next request is kept waiting for release().
  void hold() { holding_ = true; }
  void wait_held() { take(held_.get_future()); }
  void release() {
    const std::lock_guard lock(mutex_);
    gate_->fire();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const proxy::Request>> requests_;
  std::atomic<bool> holding_ = false;
  std::promise<void> held_;
  std::shared_ptr<proxy::Wakeup> gate_;
};

/// False when an exception ended it. (It stays on this thread: the thread sanitizer cannot see how
/// the library counts those who share an exception.)
inline boost::asio::awaitable<bool> serve_socket(proxy::Stream::Socket socket,
                                                 std::shared_ptr<const proxy::TlsContext> tls,
                                                 proxy::Handler* handler, proxy::ConnectionSet* set,
                                                 proxy::ConnectionBounds bounds) {
  proxy::Stream stream(std::move(socket));
  stream.deadline_in(bounds.request);
  try {
    if (tls) {
      const auto shaken = co_await stream.accept_tls(tls);
      if (!shaken) co_return true;
    }
    auto peer = std::make_shared<proxy::Peer>();
    peer->tls = tls != nullptr;
    peer->server_name = stream.server_name();
    co_await proxy::serve_connection(&stream, peer, handler, set, bounds);
  } catch (const std::exception&) {
    co_return false;
  }
  co_return true;
}

/// Connections served on a thread of their own, without a listener.
class Served {
 public:
  explicit Served(proxy::Handler& handler) : handler_(handler) {}

  /// Longer than any client of a test waits: no deadline ends what something else should have.
  proxy::ConnectionBounds bounds{.idle = std::chrono::minutes(10),
                                 .request = std::chrono::minutes(10),
                                 .stall = std::chrono::minutes(10)};
  std::shared_ptr<const proxy::TlsContext> tls;

  /// A client that is connected; its TLS handshake is its own to begin. `ended` is kept when the
  /// server's side has ended.
  struct Client {
    RawClient wire;
    std::future<bool> ended;  ///< false: by an exception
  };
  Client connect(bool small = false) {
    const auto pair = tcp_pair(small);
    auto ended = loop_.spawn(
        serve_socket(adopt(loop_.context(), pair.server), tls, &handler_, &set_, bounds));
    return {RawClient(pair.client), std::move(ended)};
  }

  LoopThread& loop() { return loop_; }
  void drain() {
    loop_.on_loop([this] { set_.drain(); });
  }
  void abort() {
    loop_.on_loop([this] { set_.abort(); });
  }
  std::size_t size() {
    std::size_t size = 0;
    loop_.on_loop([&] { size = set_.size(); });
    return size;
  }

 private:
  proxy::Handler& handler_;
  proxy::ConnectionSet set_;
  LoopThread loop_;
};

}  // namespace archway::test
