#include "proxy/pull/retry_pause.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause_max{5000};
constexpr int doublings_max = 5;

}  // namespace

net::awaitable<void> pause_before_retry(int tries, std::chrono::milliseconds first) {
  const auto executor = co_await net::this_coro::executor;
  net::steady_timer timer(executor);
  timer.expires_after(std::min(first * (1 << std::min(tries, doublings_max)), pause_max));
  boost::system::error_code ignored;
  co_await timer.async_wait(net::redirect_error(net::use_awaitable, ignored));
}

void Retries::ended(bool moved, Clock::time_point now) {
  if (moved) fruitless_ = 0;
  if (!moved && fruitless_++ == 0) fruitless_since_ = now;
}

bool Retries::hopeless(Clock::time_point now) const {
  return fruitless_ >= fruitless_tries_min && now - fruitless_since_ >= patience_;
}

net::awaitable<void> Retries::pause() const {
  return pause_before_retry(fruitless_, first_pause_);
}

}  // namespace archway::proxy
