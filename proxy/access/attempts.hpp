#pragma once

#include "resolver/network.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>

namespace archway::proxy {

/// Wrong credentials, counted by where they come from, so that nobody can try many. An IPv6 client
/// is its /64: it has all the addresses in there. Threads: any.
class Attempts {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned failures_max = 10;  ///< in one period
  static constexpr std::chrono::seconds period{60};
  static constexpr std::size_t addresses_max = 4096;

  /// `now` empty: Clock::now.
  explicit Attempts(std::function<Clock::time_point()> now = {});

  /// True when credentials from there are not looked at for a while.
  bool exhausted(const resolver::Address& address) const;
  void failed(const resolver::Address& address);

 private:
  struct Count {
    unsigned failures = 0;
    Clock::time_point until = {};
  };

  std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;
  std::map<resolver::Address, Count> counts_;
};

}  // namespace archway::proxy
