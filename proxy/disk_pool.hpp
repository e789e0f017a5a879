#pragma once

#include "proxy/wakeup.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace archway::proxy {

/// The threads on which work that blocks is done: writing and hashing fills, fsync, renames. A loop
/// never waits for a disk. Threads: any.
class DiskPool {
 public:
  explicit DiskPool(std::size_t threads) : pool_(threads) {}

  /// Lets what was begun end, and takes no more.
  void stop() {
    pool_.stop();
    pool_.join();
  }

  /// Work on its way; wait() for it once.
  template <class T>
  struct Pending {
    std::shared_ptr<Wakeup> wakeup;
    std::optional<T> result = {};  ///< stays empty when `work` threw
  };

  /// Begins `work` for a coroutine of `executor`, which goes on meanwhile. What `work` uses must be
  /// owned by it: it runs to its end even when the coroutine does not.
  template <class T>
  std::shared_ptr<Pending<T>> start(boost::asio::any_io_executor executor,
                                    std::function<T()> work) {
    const auto pending = std::make_shared<Pending<T>>();
    pending->wakeup = Wakeup::make(std::move(executor));
    boost::asio::post(pool_, [work = std::move(work), pending] {
      try {
        pending->result.emplace(work());
      } catch (...) {  // No memory. A pool thread that throws would end the process.
      }
      pending->wakeup->fire();
    });
    return pending;
  }

  /// Bounded by the disk alone: there is nothing better to do than to wait for it. Throws
  /// std::runtime_error when `work` threw.
  template <class T>
  static boost::asio::awaitable<T> wait(std::shared_ptr<Pending<T>> pending) {
    while (!pending->wakeup->fired()) co_await pending->wakeup->wait(std::chrono::hours(1));
    if (!pending->result) throw std::runtime_error("work on the disk pool threw");
    co_return std::move(*pending->result);
  }

  /// Work that nobody waits for.
  void leave(std::function<void()> work) {
    boost::asio::post(pool_, [work = std::move(work)] {
      try {
        work();
      } catch (...) {  // No memory, as above.
      }
    });
  }

  template <class T>
  boost::asio::awaitable<T> run(std::function<T()> work) {
    const auto executor = co_await boost::asio::this_coro::executor;
    co_return co_await wait(start(executor, std::move(work)));
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace archway::proxy
