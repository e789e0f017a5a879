#pragma once

#include "metrics/log.hpp"
#include "proxy/wakeup.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace archway::proxy {

/// One piece of work a key, and any number of coroutines that wait for what it gives. The work runs
/// by itself on the thread of whoever asked first: a waiter that leaves or is cancelled does not
/// end it. Nothing is kept once it is done: the next one to ask starts it again.
///
/// T is copied to every waiter: big things go in a shared_ptr. Threads: any.
template <class T>
class SingleFlight {
 public:
  /// Calls a named coroutine with values of its own; bounded in time by itself.
  using Work = std::function<boost::asio::awaitable<Result<T>>()>;

  /// An exception that escapes the work is logged; `log` may be nullptr and must outlive the work.
  explicit SingleFlight(metrics::Log* log) : state_(std::make_shared<State>()) {
    state_->log = log;
  }

  /// Errors: the work's own; Errc::overloaded, retryable, when it is not done within `patience`
  /// (it goes on, for others) or ended without a result (an exception, its thread's end).
  boost::asio::awaitable<Result<T>> run(std::string key, Work work,
                                        std::chrono::steady_clock::duration patience) {
    const std::shared_ptr<State> state = state_;
    const auto executor = co_await boost::asio::this_coro::executor;
    const std::shared_ptr<Wakeup> wakeup = Wakeup::make(executor);
    bool first = false;
    const std::shared_ptr<Flight> flight = board(*state, key, wakeup, first);
    if (first) {
      boost::asio::co_spawn(executor, fly(Landing(state, flight, key), std::move(work)),
                            [state](std::exception_ptr escaped) { state->report(escaped); });
    }
    co_await wakeup->wait(patience);
    co_return state->result(*flight);
  }

 private:
  struct Flight {
    std::optional<Result<T>> result = {};  // set once, under the lock
    std::vector<std::shared_ptr<Wakeup>> waiters = {};
  };

  struct State {
    std::mutex mutex = {};
    std::unordered_map<std::string, std::shared_ptr<Flight>> flights = {};
    metrics::Log* log = nullptr;

    Result<T> result(const Flight& flight) {
      const std::lock_guard lock(mutex);
      if (flight.result) return *flight.result;
      return unfinished();
    }
    void report(std::exception_ptr escaped) const {
      if (!escaped || log == nullptr) return;
      try {
        std::rethrow_exception(escaped);
      } catch (const std::exception& error) {
        log->error("shared work ended by an exception", {{"what", std::string(error.what())}});
      } catch (...) {
        log->error("shared work ended by an exception");
      }
    }
  };

  static Error unfinished() {
    return Error{Errc::overloaded, Origin::upstream,
                 "archway did not get an answer in time; try again", "shared work did not finish",
                 true};
  }

  static std::shared_ptr<Flight> board(State& state, const std::string& key,
                                       std::shared_ptr<Wakeup> wakeup, bool& first) {
    const std::lock_guard lock(state.mutex);
    std::shared_ptr<Flight>& slot = state.flights[key];
    first = slot == nullptr;
    if (first) slot = std::make_shared<Flight>();
    slot->waiters.push_back(std::move(wakeup));
    return slot;
  }

  // Lives in the work's frame, so that the flight ends and its waiters are woken however the work
  // ends: a result, an exception, or a frame destroyed with its io_context.
  class Landing {
   public:
    Landing(std::shared_ptr<State> state, std::shared_ptr<Flight> flight, std::string key)
        : state_(std::move(state)), flight_(std::move(flight)), key_(std::move(key)) {}
    Landing(Landing&&) noexcept = default;
    Landing& operator=(Landing&&) = delete;
    ~Landing() { land(std::nullopt); }

    void land(std::optional<Result<T>> result) {
      if (flight_ == nullptr) return;
      std::vector<std::shared_ptr<Wakeup>> waiters;
      {
        const std::lock_guard lock(state_->mutex);
        flight_->result = std::move(result);
        state_->flights.erase(key_);
        waiters.swap(flight_->waiters);
      }
      flight_ = nullptr;
      for (const auto& waiter : waiters) waiter->fire();
    }

   private:
    std::shared_ptr<State> state_;
    std::shared_ptr<Flight> flight_;
    std::string key_;
  };

  static boost::asio::awaitable<void> fly(Landing landing, Work work) {
    Result<T> result = co_await work();
    landing.land(std::move(result));
  }

  std::shared_ptr<State> state_;
};

}  // namespace archway::proxy
