#pragma once

#include "proxy/config/settings.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace archway::proxy {

/// Waits before a transfer that was cut goes on: `first`, and twice as long for each of the `tries`
/// in a row that brought nothing, five seconds at most.
boost::asio::awaitable<void> pause_before_retry(int tries, std::chrono::milliseconds first);

/// For how long a transfer that is cut again and again is worth a further try: without getting
/// anywhere for `retry_for`, and five times at least. Threads: one.
class Retries {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int fruitless_tries_min = 5;

  explicit Retries(const Settings::Timeouts& timeouts)
      : first_pause_(timeouts.retry_pause), patience_(timeouts.retry_for) {}

  /// A try ended; `moved`: it brought something.
  void ended(bool moved, Clock::time_point now);
  /// True when no further one should be made.
  bool hopeless(Clock::time_point now) const;
  boost::asio::awaitable<void> pause() const;

 private:
  std::chrono::milliseconds first_pause_;
  std::chrono::milliseconds patience_;
  int fruitless_ = 0;
  Clock::time_point fruitless_since_ = {};
};

}  // namespace archway::proxy
