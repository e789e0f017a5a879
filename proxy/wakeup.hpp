#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <mutex>

namespace archway::proxy {

/// A one-shot event that any thread fires and one coroutine awaits with a deadline. Whoever fires
/// may outlive the waiter and even the waiter's io_context: a late fire() touches neither.
///
/// Threads: fire() any; wait() the executor's, which must be one thread.
class Wakeup : public std::enable_shared_from_this<Wakeup> {
 public:
  static std::shared_ptr<Wakeup> make(boost::asio::any_io_executor executor);

  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() = default;

  /// Wakes the waiter, or makes the next wait() return at once. Further calls do nothing.
  void fire() noexcept;
  bool fired() const noexcept;

  /// True: fired. False: `time` passed, or the coroutine was cancelled. May be called again after a
  /// false; one waiter at a time. Keeps this object alive while it waits.
  boost::asio::awaitable<bool> wait(std::chrono::steady_clock::duration time);

 private:
  explicit Wakeup(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  class Waiting;  // announces the waiter's timer for as long as the waiter's frame lives

  boost::asio::any_io_executor executor_;
  mutable std::mutex mutex_;
  bool fired_ = false;
  boost::asio::steady_timer* timer_ = nullptr;  // in the waiter's frame; touched on its thread only
};

}  // namespace archway::proxy
