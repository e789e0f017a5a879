#pragma once

#include "proxy/wakeup.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace archway::proxy {

/// So many at once; who comes later waits in line, first come, first served. Threads: any.
class Slots : public std::enable_shared_from_this<Slots> {
 public:
  static constexpr std::size_t waiting_max = 1024;

  /// `count`: at least 1. `what` is for the person who waited in vain.
  static std::shared_ptr<Slots> make(std::size_t count, std::string what);

  /// One of them, for as long as it lives.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(std::shared_ptr<Slots> slots) : slots_(std::move(slots)) {}
    Slot(Slot&&) noexcept = default;
    Slot& operator=(Slot&& other) noexcept {
      std::swap(slots_, other.slots_);
      return *this;
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() {
      if (slots_) slots_->give_back();
    }

   private:
    std::shared_ptr<Slots> slots_;
  };

  /// Errors: Errc::overloaded when the line is too long, or it takes longer than `patience`.
  boost::asio::awaitable<Result<Slot>> take(std::chrono::steady_clock::duration patience);
  /// True when take() would not wait.
  bool has_free() const;

 private:
  struct Waiter {
    std::shared_ptr<Wakeup> wakeup;
    bool served = false;  // It has a slot; under the lock.
  };
  class InLine;

  Slots(std::size_t count, std::string what) : free_(count), what_(std::move(what)) {}
  bool take_free();
  void give_back();
  Error in_vain() const;

  mutable std::mutex mutex_;
  std::size_t free_;
  std::string what_;
  std::deque<std::shared_ptr<Waiter>> line_;
};

}  // namespace archway::proxy
