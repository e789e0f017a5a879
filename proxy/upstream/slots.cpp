#include "proxy/upstream/slots.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

/// A place in the line. Given up when its frame goes, and with it the slot if it was served.
class Slots::InLine {
 public:
  InLine(std::shared_ptr<Slots> slots, std::shared_ptr<Waiter> waiter)
      : slots_(std::move(slots)), waiter_(std::move(waiter)) {}
  InLine(const InLine&) = delete;
  InLine& operator=(const InLine&) = delete;
  ~InLine() {
    if (leave()) slots_->give_back();
  }

  /// True when it was served; then the slot is the caller's.
  bool leave() {
    if (!waiter_) return false;
    const auto waiter = std::exchange(waiter_, nullptr);
    const std::lock_guard lock(slots_->mutex_);
    auto& line = slots_->line_;
    line.erase(std::remove(line.begin(), line.end(), waiter), line.end());
    return waiter->served;
  }

 private:
  std::shared_ptr<Slots> slots_;
  std::shared_ptr<Waiter> waiter_;
};

std::shared_ptr<Slots> Slots::make(std::size_t count, std::string what) {
  return std::shared_ptr<Slots>(new Slots(count, std::move(what)));
}

Error Slots::in_vain() const {
  return {.code = Errc::overloaded,
          .origin = Origin::configuration,
          .message = "too many requests wait for " + what_ + "; try again in a moment",
          .context = "upstreams[].requests",
          .retryable = true};
}

bool Slots::has_free() const {
  const std::lock_guard lock(mutex_);
  return free_ > 0 && line_.empty();
}

bool Slots::take_free() {
  if (free_ == 0 || !line_.empty()) return false;
  --free_;
  return true;
}

void Slots::give_back() {
  std::shared_ptr<Wakeup> next;
  {
    const std::lock_guard lock(mutex_);
    if (line_.empty()) {
      ++free_;
      return;
    }
    line_.front()->served = true;
    next = line_.front()->wakeup;
    line_.pop_front();
  }
  next->fire();
}

net::awaitable<Result<Slots::Slot>> Slots::take(std::chrono::steady_clock::duration patience) {
  const auto self = shared_from_this();
  const auto executor = co_await net::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>();
  waiter->wakeup = Wakeup::make(executor);
  {
    const std::lock_guard lock(mutex_);
    if (take_free()) co_return Slot(self);
    if (line_.size() >= waiting_max) co_return in_vain();
    line_.push_back(waiter);
  }
  InLine place(self, waiter);
  co_await waiter->wakeup->wait(patience);
  if (!place.leave()) co_return in_vain();
  co_return Slot(self);
}

}  // namespace archway::proxy
