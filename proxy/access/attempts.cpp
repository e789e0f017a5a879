#include "proxy/access/attempts.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {
namespace {

resolver::Address origin_of(resolver::Address address) {
  static const resolver::Network v4 = *resolver::Network::parse("0.0.0.0/0");
  if (!v4.contains(address)) std::fill(address.bytes.begin() + 8, address.bytes.end(), 0);
  return address;
}

}  // namespace

Attempts::Attempts(std::function<Clock::time_point()> now)
    : now_(now ? std::move(now) : std::function<Clock::time_point()>(&Clock::now)) {}

bool Attempts::exhausted(const resolver::Address& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(origin_of(address));
  return found != counts_.end() && found->second.failures >= failures_max &&
         found->second.until > now_();
}

void Attempts::failed(const resolver::Address& address) {
  const std::lock_guard lock(mutex_);
  const auto now = now_();
  const auto origin = origin_of(address);
  if (counts_.size() >= addresses_max && !counts_.contains(origin)) {
    std::erase_if(counts_, [&](const auto& one) { return one.second.until <= now; });
    if (counts_.size() >= addresses_max) counts_.erase(counts_.begin());
  }
  auto& count = counts_[origin];
  if (count.until <= now) count = Count{.failures = 0, .until = now + period};
  ++count.failures;
}

}  // namespace archway::proxy
