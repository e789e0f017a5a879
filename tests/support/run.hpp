#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace archway::test {

/// Nothing in a test takes this long unless it hangs.
inline constexpr std::chrono::seconds patience{20};

namespace detail {

template <class T>
boost::asio::awaitable<void> keep(boost::asio::awaitable<T> work, std::optional<T>* result) {
  auto value = co_await std::move(work);
  result->emplace(std::move(value));
}

}  // namespace detail

/// Runs the context on this thread until the coroutine has ended. Throws what it throws, and when
/// it takes longer than anything should.
inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> work) {
  bool done = false;
  std::exception_ptr escaped;
  boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr error) {
    done = true;
    escaped = error;
  });
  const auto end = std::chrono::steady_clock::now() + patience;
  context.restart();
  while (!done && context.run_one_until(end) > 0) {
  }
  if (escaped) std::rethrow_exception(escaped);
  if (!done) throw std::runtime_error("a coroutine did not end in time");
}

template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> work) {
  std::optional<T> result;
  run(context, detail::keep(std::move(work), &result));
  return *std::move(result);
}

/// An io_context with a thread of its own, for tests whose other side blocks.
class LoopThread {
 public:
  LoopThread() : guard_(context_.get_executor()) {
    std::signal(SIGPIPE, SIG_IGN);  // As the server does: sendfile and OpenSSL cannot say so.
    thread_ = std::thread([this] { context_.run(); });
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() { stop(); }

  boost::asio::io_context& context() { return context_; }

  /// Runs `what` on the loop and waits for it.
  template <class F>
  void on_loop(F what) {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  /// The coroutine's end, as a future.
  template <class T>
  std::future<T> spawn(boost::asio::awaitable<T> work);

  /// Ends the thread; coroutines that wait keep waiting until the context goes.
  void stop() {
    if (!thread_.joinable()) return;
    context_.stop();
    thread_.join();
  }

 private:
  // Coroutines may use what the test destroys before this object: they go first, with the context.
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

template <class T>
std::future<T> LoopThread::spawn(boost::asio::awaitable<T> work) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(context_, std::move(work), [promise](std::exception_ptr error) {
      error ? promise->set_exception(error) : promise->set_value();
    });
  } else {
    auto result = std::make_shared<std::optional<T>>();
    boost::asio::co_spawn(context_, detail::keep(std::move(work), result.get()),
                          [promise, result](std::exception_ptr error) {
                            error ? promise->set_exception(error)
                                  : promise->set_value(*std::move(*result));
                          });
  }
  return future;
}

/// The value of a future; throws when it does not come.
template <class T>
T take(std::future<T> future) {
  if (future.wait_for(patience) != std::future_status::ready) {
    throw std::runtime_error("a future was not kept in time");
  }
  return future.get();
}

}  // namespace archway::test
