#include "cache/fill_table.hpp"

#include <utility>

namespace archway::cache {

Cache::Access FillTable::join(const Digest& digest, const std::string& asker, const Look& look,
                              const Start& start, const Recheck& recheck) {
  std::unique_ptr<FillWriter> writer;  // Outlives the lock, which its end may want.
  const std::lock_guard lock(mutex_);
  if (const auto it = fills_.find(digest); it != fills_.end()) return {.fill = it->second};
  auto seen = look();
  if (seen.blob && !seen.suspect) return {.blob = std::move(seen.blob)};
  if (seen.blob) {
    auto fill = std::make_shared<GrowingFill>(digest, "");
    recheck(fill, std::move(seen));
    fills_.emplace(digest, fill);
    ++rechecks_;
    return {.fill = std::move(fill)};
  }
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
  return fills_.size() - rechecks_;
}

std::size_t FillTable::rechecks() const {
  const std::lock_guard lock(mutex_);
  return rechecks_;
}

void FillTable::leave(const GrowingFill& fill) {
  const std::lock_guard lock(mutex_);
  const auto it = fills_.find(fill.digest());
  if (it == fills_.end() || it->second.get() != &fill) return;
  if (fill.begun_by().empty()) --rechecks_;
  fills_.erase(it);
}

}  // namespace archway::cache
