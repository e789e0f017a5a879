#pragma once

#include "proxy/upstream/connection.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>

namespace archway::proxy {

/// Idle connections of one upstream on one thread, kept for the next request by origin. Bounded in
/// number and in time; what lies too long is closed by the pool's own timer. Threads: one.
class Pool {
 public:
  struct Limits {
    std::size_t idle_max = 16;  ///< an origin
    std::size_t origins_max = 64;
    std::chrono::milliseconds idle_for = std::chrono::seconds(30);
  };

  explicit Pool(boost::asio::any_io_executor executor) : Pool(std::move(executor), Limits()) {}
  Pool(boost::asio::any_io_executor executor, Limits limits);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  /// The connection used last of those that are still quiet, or nullptr. The others that have
  /// something to say, which can only be an end or nonsense, are closed on the way.
  std::unique_ptr<Connection> take(const std::string& origin);
  /// Keeps a connection whose last answer was read to its end; closes it when it is not quiet, has
  /// bytes left over, or there is no room.
  void give(const std::string& origin, std::unique_ptr<Connection> connection);

  std::size_t idle() const;
  /// Closes all, and every one that is given from now on.
  void close();

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;  // the timer's handler holds it weakly
};

}  // namespace archway::proxy
