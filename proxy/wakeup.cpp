#include "proxy/wakeup.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

class Wakeup::Waiting {
 public:
  Waiting(Wakeup& wakeup, net::steady_timer& timer) : wakeup_(wakeup) {
    const std::lock_guard lock(wakeup_.mutex_);
    wakeup_.timer_ = &timer;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  // Also runs when the frame is destroyed unresumed, with its io_context. Behind this lock fire()
  // no longer sees a waiter, so it leaves the executor alone.
  ~Waiting() {
    const std::lock_guard lock(wakeup_.mutex_);
    wakeup_.timer_ = nullptr;
  }

 private:
  Wakeup& wakeup_;
};

std::shared_ptr<Wakeup> Wakeup::make(net::any_io_executor executor) {
  return std::shared_ptr<Wakeup>(new Wakeup(std::move(executor)));
}

void Wakeup::fire() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (std::exchange(fired_, true) || timer_ == nullptr) return;
    // Posted under the lock: as long as we hold it the waiter's frame, and so its io_context,
    // lives.
    net::post(executor_, [self = shared_from_this()] {
      const std::lock_guard again(self->mutex_);
      if (self->timer_ != nullptr) self->timer_->cancel();
    });
  } catch (...) {  // No memory for the post: the waiter finds `fired_` when its own time is up.
  }
}

bool Wakeup::fired() const noexcept {
  const std::lock_guard lock(mutex_);
  return fired_;
}

net::awaitable<bool> Wakeup::wait(std::chrono::steady_clock::duration time) {
  const auto self = shared_from_this();
  net::steady_timer timer(executor_);
  // Before the look at `fired_`: what fires from here on posts a cancel, which runs after the wait
  // has begun, because this thread is the executor's.
  const Waiting waiting(*this, timer);
  if (fired()) co_return true;
  timer.expires_after(time);
  boost::system::error_code ignored;
  co_await timer.async_wait(net::redirect_error(net::use_awaitable, ignored));
  co_return fired();
}

}  // namespace archway::proxy
