#pragma once

#include "resolver/model/result.hpp"
#include "resolver/network.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace archway::proxy {

/// Host names to addresses, on a few threads of its own: getaddrinfo blocks for as long as it
/// likes, and a timer beside it on an io_context bounds nothing. Here the waiter has its own
/// deadline and leaves; a late answer goes to the cache, and the process can end while a look-up
/// still hangs.
///
/// A good answer serves for a minute. When a look-up fails or is slow, the last good addresses
/// serve for a day: an upstream seldom moves, a resolver often fails. Look-ups of one name are
/// shared.
///
/// Threads: any.
class Names {
 public:
  using Addresses = std::vector<resolver::Address>;
  using Clock = std::chrono::steady_clock;
  /// Blocks. In the order to try them in.
  using Lookup = std::function<Result<Addresses>(const std::string& host)>;

  static constexpr std::size_t queue_max = 256;    ///< names that wait for a thread
  static constexpr std::size_t cached_max = 1024;  ///< names remembered

  struct Options {
    Lookup lookup;                           ///< empty: the system's (getaddrinfo)
    std::function<Clock::time_point()> now;  ///< empty: Clock::now
    unsigned threads = 4;
    std::chrono::seconds fresh_for{60};
    std::chrono::seconds stale_for{24 * 3600};
    std::chrono::seconds retry_after{5};  ///< a failed look-up is not repeated while stale serves
  };

  explicit Names(Options options);
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;
  ~Names();

  /// Never empty. An IP literal is its own answer and never asked. Ends within `time`.
  ///
  /// Errors: Errc::upstream_unreachable (no such name, no answer in time); Errc::overloaded.
  boost::asio::awaitable<Result<Addresses>> find(std::string host, std::chrono::milliseconds time);

 private:
  struct State;
  class Waiter;
  static void serve(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // shared with the threads, which may outlive this
};

}  // namespace archway::proxy
