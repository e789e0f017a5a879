#include "proxy/access/attempts.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace archway::proxy {
namespace {

resolver::Address origin_of(resolver::Address address) {
  static const resolver::Network v4 = *resolver::Network::parse("0.0.0.0/0");
  if (!v4.contains(address)) std::fill(address.bytes.begin() + 8, address.bytes.end(), 0);
  return address;
}

}  // namespace

Attempts::Attempt::Attempt(Attempt&& other) noexcept
    : attempts_(std::exchange(other.attempts_, nullptr)),
      origin_(other.origin_),
      failed_(other.failed_) {}

Attempts::Attempt::~Attempt() {
  if (attempts_ != nullptr) attempts_->end(origin_, failed_);
}

Attempts::Attempts(std::function<Clock::time_point()> now)
    : now_(now ? std::move(now) : std::function<Clock::time_point()>(&Clock::now)) {}

unsigned Attempts::failures_of(const Count& count) const {
  return count.until > now_() ? count.failures : 0;
}

bool Attempts::exhausted(const resolver::Address& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(origin_of(address));
  return found != counts_.end() && failures_of(found->second) >= failures_max;
}

/// Room is made by who says least: nothing is under way, and its period ends first.
Attempts::Count& Attempts::count_of(const resolver::Address& origin) {
  if (counts_.size() >= addresses_max && !counts_.contains(origin)) {
    const auto idle = [](const auto& one) { return one.second.under_way == 0; };
    std::erase_if(counts_,
                  [&](const auto& one) { return idle(one) && one.second.until <= now_(); });
    auto first = counts_.end();
    for (auto one = counts_.begin(); one != counts_.end(); ++one) {
      if (!idle(*one)) continue;
      if (first == counts_.end() || one->second.until < first->second.until) first = one;
    }
    if (counts_.size() >= addresses_max && first != counts_.end()) counts_.erase(first);
  }
  return counts_[origin];
}

void Attempts::add_failure(Count& count) const {
  const auto now = now_();
  if (count.until <= now) {
    count.failures = 0;
    count.until = now + period;
  }
  ++count.failures;
}

void Attempts::failed(const resolver::Address& address) {
  const std::lock_guard lock(mutex_);
  add_failure(count_of(origin_of(address)));
}

std::optional<Attempts::Attempt> Attempts::begin(const resolver::Address& address,
                                                 std::function<void()> later) {
  const auto origin = origin_of(address);
  const std::lock_guard lock(mutex_);
  auto& count = count_of(origin);
  if (failures_of(count) + count.under_way >= failures_max) {
    count.later.push_back(std::move(later));
    if (count.under_way > 0) return std::nullopt;
    // Nobody else would call.
    const auto now = std::exchange(count.later, {});
    for (const auto& one : now) one();
    return std::nullopt;
  }
  ++count.under_way;
  return std::optional<Attempt>(std::in_place, this, origin);
}

void Attempts::end(const resolver::Address& origin, bool failed) {
  std::vector<std::function<void()>> later;
  {
    const std::lock_guard lock(mutex_);
    auto& count = counts_.at(origin);
    --count.under_way;
    if (failed) add_failure(count);
    // As many as there is room for, and one for who has given up waiting; all, when nobody's turn
    // will come.
    const auto taken = failures_of(count) + count.under_way;
    auto woken = count.later.size();
    if (failures_of(count) < failures_max) {
      woken = std::min<std::size_t>(woken, failures_max - std::min(taken, failures_max) + 1);
    }
    const auto end = count.later.begin() + static_cast<std::ptrdiff_t>(woken);
    later.assign(std::make_move_iterator(count.later.begin()), std::make_move_iterator(end));
    count.later.erase(count.later.begin(), end);
    const bool idle = count.under_way == 0 && count.later.empty();
    if (idle && failures_of(count) == 0) counts_.erase(origin);
  }
  for (const auto& one : later) one();
}

}  // namespace archway::proxy
