#include "cache/fill_table.hpp"

#include <utility>

namespace archway::cache {

Cache::Access FillTable::join(const Digest& digest, const std::string& asker, const Look& look,
                              const Start& start) {
  std::unique_ptr<FillWriter> writer;  // Outlives the lock, which its end may want.
  const std::lock_guard lock(mutex_);
  if (const auto it = fills_.find(digest); it != fills_.end()) return {.fill = it->second};
  if (auto blob = look()) return {.blob = std::move(blob)};
  auto fill = std::make_shared<GrowingFill>(digest, asker);
  writer = start(fill);
  fills_.emplace(digest, fill);
  return {.fill = std::move(fill), .writer = std::move(writer)};
}

std::shared_ptr<Fill> FillTable::find(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  const auto it = fills_.find(digest);
  return it == fills_.end() ? nullptr : it->second;
}

std::size_t FillTable::size() const {
  const std::lock_guard lock(mutex_);
  return fills_.size();
}

void FillTable::leave(const GrowingFill& fill) {
  const std::lock_guard lock(mutex_);
  const auto it = fills_.find(fill.digest());
  if (it != fills_.end() && it->second.get() == &fill) fills_.erase(it);
}

}  // namespace archway::cache
