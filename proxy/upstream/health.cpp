#include "proxy/upstream/health.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {
namespace {

/// Nothing that the same question a moment later would be answered by in the same way.
bool is_failure(const Error& error) {
  return error.retryable &&
         (error.code == Errc::upstream_unreachable || error.code == Errc::upstream_failed ||
          error.code == Errc::upstream_busy);
}

/// What says nothing about the upstream: our own bounds, and what was not even asked.
bool is_ours(const Error& error) {
  return error.code == Errc::overloaded || error.code == Errc::request_invalid ||
         error.code == Errc::storage_failed || error.code == Errc::configuration_invalid;
}

bool asks_to_wait(const Error& error) {
  return error.code == Errc::upstream_busy && error.retry_after_s > 0;
}

}  // namespace

std::optional<Error> Health::held_locked(Time now) const {
  if (now >= held_until_) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::seconds>(held_until_ - now);
  return Error{.code = Errc::upstream_busy,
               .origin = Origin::upstream,
               .message = parts_.upstream +
                          " has asked to be left alone; archway asks it again in " +
                          std::to_string(left.count()) + " s",
               .context = "not asked: Retry-After of " + parts_.url,
               .retryable = true,
               .retry_after_s = static_cast<std::uint32_t>(left.count())};
}

std::optional<Error> Health::held(Time now) const {
  const std::lock_guard lock(mutex_);
  return held_locked(now);
}

std::optional<Error> Health::refusal(Time now) const {
  const std::lock_guard lock(mutex_);
  if (auto held = held_locked(now)) return held;
  if (!breaker_.is_open() || !last_error_) return std::nullopt;
  Error error = *last_error_;
  error.message += "; it is asked again when it answers a probe, within seconds of its return";
  error.context = "not asked: " + error.context;
  error.retryable = true;
  return error;
}

void Health::closed_locked() {
  if (parts_.log == nullptr) return;
  parts_.log->info("the upstream answers again",
                   {{"upstream", parts_.upstream}, {"url", parts_.url}});
}

void Health::answered() {
  const std::lock_guard lock(mutex_);
  const bool was_open = breaker_.is_open();
  breaker_.answered();
  last_error_.reset();
  if (was_open) closed_locked();
}

void Health::tell_opened(const Error& error) const {
  if (parts_.log == nullptr) return;
  parts_.log->warn("the upstream does not answer; it is probed, and asked when it does again",
                   {{"upstream", parts_.upstream}, {"url", parts_.url}, {"why", error.context}});
}

void Health::failed(const Error& error, Time now) {
  if (is_ours(error)) return;
  if (!is_failure(error)) return answered();
  const std::lock_guard lock(mutex_);
  last_error_ = error;
  if (asks_to_wait(error)) {
    const auto wait = std::min(std::chrono::seconds(error.retry_after_s), hold_longest);
    held_until_ = std::max(held_until_, now + wait);
    return;
  }
  if (breaker_.failed()) tell_opened(error);
}

void Health::probed(const Result<void>& pinged, Time now) {
  if (!pinged && is_failure(pinged.error()) && !asks_to_wait(pinged.error())) {
    return failed(pinged.error(), now);
  }
  if (!pinged) failed(pinged.error(), now);
  const std::lock_guard lock(mutex_);
  const bool was_open = breaker_.is_open();
  breaker_.probe_answered();
  if (was_open) closed_locked();
}

void Health::tell_low(const RateLimit& limit) const {
  if (parts_.log == nullptr) return;
  parts_.log->warn(
      "little is left of the upstream's rate limit; it is spared",
      {{"upstream", parts_.upstream}, {"remaining", limit.remaining}, {"limit", limit.limit}});
}

void Health::note_limit(const Fields& fields, Time now) {
  const auto limit = read_rate_limit(fields);
  if (!limit) return;
  const std::lock_guard lock(mutex_);
  const auto before = limit_locked(now);
  if (limit->is_low() && !(before && before->is_low())) tell_low(*limit);
  limit_ = limit;
  limit_until_ = now + (limit->window.count() > 0 ? limit->window : limit_window);
}

bool Health::is_open() const {
  const std::lock_guard lock(mutex_);
  return breaker_.is_open();
}

bool Health::begin_probing() {
  const std::lock_guard lock(mutex_);
  if (!breaker_.is_open()) return false;
  return !std::exchange(probing_, true);
}

void Health::end_probing() {
  const std::lock_guard lock(mutex_);
  probing_ = false;
}

std::chrono::milliseconds Health::next_pause() {
  const std::lock_guard lock(mutex_);
  return breaker_.next_pause();
}

std::optional<RateLimit> Health::limit_locked(Time now) const {
  return now < limit_until_ ? limit_ : std::nullopt;
}

Health::State Health::state(Time now) const {
  const std::lock_guard lock(mutex_);
  State state{.upstream = parts_.upstream,
              .url = parts_.url,
              .answers = !breaker_.is_open(),
              .last_error = last_error_ ? last_error_->message : std::string(),
              .held = std::chrono::seconds(0),
              .limit = limit_locked(now)};
  if (now < held_until_) {
    state.held = std::chrono::ceil<std::chrono::seconds>(held_until_ - now);
  }
  return state;
}

bool Health::budget_is_low(Time now) const {
  const std::lock_guard lock(mutex_);
  const auto limit = limit_locked(now);
  return limit && limit->is_low();
}

}  // namespace archway::proxy
