#include "cache/growing_fill.hpp"

#include <algorithm>

namespace archway::cache {

std::uint64_t releasable(std::uint64_t appended, std::optional<std::uint64_t> size) noexcept {
  const auto whole = size.value_or(appended);
  const auto open = whole > Fill::withheld_bytes ? whole - Fill::withheld_bytes : 0;
  return std::min(appended, open);
}

template <class Change>
void GrowingFill::change(Change&& apply) {
  std::vector<Waiter> woken;
  {
    const std::lock_guard lock(mutex_);
    if (!apply(state_)) return;
    ++state_.version;
    const auto later =
        std::partition(waiters_.begin(), waiters_.end(),
                       [this](const Waiter& waiter) { return waiter.seen >= state_.version; });
    woken.assign(std::make_move_iterator(later), std::make_move_iterator(waiters_.end()));
    waiters_.erase(later, waiters_.end());
  }
  for (const auto& waiter : woken) waiter.wake();
}

Fill::State GrowingFill::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void GrowingFill::when_past(std::uint64_t seen, std::function<void()> wake) {
  {
    const std::lock_guard lock(mutex_);
    if (state_.version <= seen) {
      waiters_.push_back({.seen = seen, .wake = std::move(wake)});
      return;
    }
  }
  wake();
}

std::shared_ptr<const FileHandle> GrowingFill::file() const {
  const std::lock_guard lock(mutex_);
  return file_;
}

void GrowingFill::begin(std::shared_ptr<const FileHandle> file, std::optional<std::uint64_t> size) {
  change([&](State& state) {
    file_ = std::move(file);
    state.begun = true;
    state.size = size;
    return true;
  });
}

void GrowingFill::arrive(std::uint64_t appended) {
  change([appended](State& state) {
    const auto released = releasable(appended, state.size);
    const bool more = released > state.released;  // Else nobody has a reason to look.
    state.released = std::max(state.released, released);
    return more;
  });
}

void GrowingFill::verify(std::uint64_t size) {
  change([size](State& state) {
    state.size = size;
    state.released = size;
    state.verified = true;
    return true;
  });
}

void GrowingFill::fail(Error error) {
  change([&error](State& state) {
    state.failed = std::move(error);
    return true;
  });
}

}  // namespace archway::cache
