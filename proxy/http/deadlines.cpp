#include "proxy/http/deadlines.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace archway::proxy {

boost::asio::execution_context::id Deadlines::id;

Deadlines::Deadlines(boost::asio::execution_context& context)
    : boost::asio::execution_context::service(context) {}

void Deadlines::watch(Expiring& what, const boost::asio::any_io_executor& executor) {
  if (!timer_) timer_.emplace(executor);
  if (!armed_)
    arm();  // First: what cannot be watched for lack of memory is not in the list either.
  watched_.push_back(what);
}

void Deadlines::forget(Expiring& what) noexcept {
  if (!what.is_linked()) return;
  watched_.erase(watched_.iterator_to(what));
  if (watched_.empty() && timer_) timer_->cancel();  // An idle loop has nothing to wake up for.
}

void Deadlines::shutdown() noexcept {
  watched_.clear();
  timer_.reset();
}

void Deadlines::arm() {
  timer_->expires_after(tick);
  timer_->async_wait([this](boost::system::error_code) {
    armed_ = false;
    look(Expiring::Clock::now(), timer_->expiry());
    if (!watched_.empty()) arm();
  });
  armed_ = true;
}

void Deadlines::look(Expiring::Clock::time_point now, Expiring::Clock::time_point planned) {
  constexpr auto never = Expiring::Clock::time_point::max();
  const auto late = now - planned;
  // Whatever expires only cancels its operations here; it unlinks itself later, on the loop.
  for (auto& what : watched_) {
    if (late >= pause_min && what.deadline != never) what.deadline += late;
    if (what.deadline > now) continue;
    what.deadline = never;
    what.expire();
  }
}

}  // namespace archway::proxy
