#include "proxy/pull/single_platforms.hpp"

#include <utility>

namespace archway::proxy {

std::optional<SinglePlatforms::Known> SinglePlatforms::find(const Digest& manifest) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(manifest);
  return found == known_.end() ? std::nullopt : std::optional<Known>(found->second);
}

void SinglePlatforms::remember(const Digest& manifest, Known known) {
  const std::lock_guard lock(mutex_);
  const bool added = known_.try_emplace(manifest, std::move(known)).second;
  if (!added) return;
  ++learnt_;
  order_.push_back(manifest);
  if (order_.size() <= max_) return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::optional<SinglePlatforms::Claim> SinglePlatforms::claim(const Digest& manifest) {
  const std::lock_guard lock(mutex_);
  const bool first = claimed_.insert(manifest).second;
  return first ? std::optional<Claim>(Claim(this, manifest)) : std::nullopt;
}

void SinglePlatforms::give_back(const Digest& manifest) {
  const std::lock_guard lock(mutex_);
  claimed_.erase(manifest);
}

SinglePlatforms::Claim::Claim(Claim&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), manifest_(other.manifest_) {}

SinglePlatforms::Claim::~Claim() {
  if (owner_ != nullptr) owner_->give_back(manifest_);
}

}  // namespace archway::proxy
