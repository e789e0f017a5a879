#include "cache/space.hpp"

#include "cache/commit.hpp"
#include "cache/file_error.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace archway::cache {

/// The blobs that are on their way out come back when this ends, however it ends: a call for memory
/// may fail in between.
class Space::Leaving {
 public:
  Leaving(Space* space, std::size_t count) : space_(space) { blobs_.reserve(count); }
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;
  ~Leaving() { space_->stop_leaving(blobs_); }

  /// False when somebody else sees to it already.
  bool add(const Evictable& blob) {
    if (!space_->leave(blob.digest)) return false;
    blobs_.push_back(blob);  // There is room.
    return true;
  }
  /// The one added last stays after all.
  void take_back() {
    space_->stop_leaving({&blobs_.back(), 1});
    blobs_.pop_back();
  }
  std::span<const Evictable> blobs() const { return blobs_; }

 private:
  Space* space_;
  std::vector<Evictable> blobs_;
};

Space::Space(const SpaceLimits& limits, Parts parts)
    : limits_(limits),
      parts_(std::move(parts)),
      keeper_(limits, parts_.index->totals().blob_bytes, &policy_,
              {.free_bytes = [this] { return parts_.store->free_bytes(); },
               .may_go = [this](const Digest& digest) { return may_go(digest); },
               .evict = [this](std::span<const Evictable> victims) { return evict(victims); }}) {}

Result<SpaceKeeper::Reservation> Space::reserve(std::uint64_t bytes) {
  auto reserved = keeper_.reserve(bytes);
  // What was pinned until now may have stood in the way.
  if (reserved || parts_.pins == nullptr || !parts_.pins->refresh()) return reserved;
  return keeper_.reserve(bytes);
}

BlobFile Space::lend(const Digest& digest, BlobFile blob) {
  policy_.hit(digest);
  blob.file = in_use_.lend(digest, std::move(blob.file));
  return blob;
}

bool Space::may_go(const Digest& digest) const {
  return !in_use_.holds(digest) && !parts_.is_filling(digest) &&
         !(parts_.pins != nullptr && parts_.pins->protects(digest));
}

bool Space::is_leaving(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return leaving_.contains(digest);
}

void Space::wait_until_gone(const Digest& digest) const {
  std::unique_lock lock(mutex_);
  gone_.wait(lock, [&] { return !leaving_.contains(digest); });
}

/// False when somebody else sees to it already.
bool Space::leave(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  return leaving_.insert(digest).second;
}

void Space::stop_leaving(std::span<const Evictable> blobs) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& blob : blobs) leaving_.erase(blob.digest);
  }
  gone_.notify_all();
}

// Between the choice of a victim and here somebody may have begun to hash its file, or to bring it
// anew. Whoever looks for it from now on finds none, so asking once more is enough; a new fill of
// one that goes publishes only after its old file went.
Result<SpaceKeeper::Evicted> Space::evict(std::span<const Evictable> victims) {
  // What an interrupted transfer has left is worth less than a blob.
  parts_.store->remove_parts(std::chrono::seconds(0));
  // The victims were chosen by what was pinned before; who is pinned by now stays.
  if (parts_.pins != nullptr) parts_.pins->refresh();
  SpaceKeeper::Evicted evicted;
  Leaving going(this, victims.size());
  Changes changes;
  for (const auto& victim : victims) {
    if (!going.add(victim)) {
      evicted.stay.push_back(victim);
    } else if (!may_go(victim.digest)) {
      going.take_back();
      evicted.stay.push_back(victim);
    } else {
      changes.blobs_gone.push_back(victim.digest);
    }
  }
  if (going.blobs().empty()) return evicted;
  const auto committed = commit_and_wait(*parts_.index, changes);
  if (!committed && !says_full(committed.error())) return committed.error();
  for (const auto& victim : going.blobs()) {
    if (parts_.store->remove(victim.digest)) evicted.freed += victim.size;
  }
  parts_.store->show_removed();
  // A disk that is full to its last block takes no commit before something has gone. Should this
  // one fail, too, or never come: a record whose file is gone is put right when it is next seen.
  if (!committed) {
    [[maybe_unused]] const auto late = commit_and_wait(*parts_.index, std::move(changes));
  }
  return evicted;
}

Result<SpaceKeeper::Evicted> Space::remove(std::span<const Evictable> blobs) {
  auto evicted = evict(blobs);
  if (!evicted) return evicted;
  for (const auto& blob : blobs) {
    const auto same = [&](const Evictable& other) { return other.digest == blob.digest; };
    const bool stays = std::any_of(evicted->stay.begin(), evicted->stay.end(), same);
    if (!stays) keeper_.forget(blob.digest, blob.size);
  }
  return evicted;
}

Rank Space::rank_of(const Digest& digest, const std::string& image) const {
  const auto slash = image.find('/');
  if (!parts_.excluded || slash == std::string::npos) return Rank::ordinary;
  const auto repository = Repository::parse(image.substr(slash + 1));
  if (!repository) return Rank::ordinary;
  const auto grant = parts_.index->find_grant(
      {.upstream = image.substr(0, slash), .repository = *repository}, digest);
  const bool is_excluded = grant && !grant->platform.empty() && parts_.excluded(grant->platform);
  return is_excluded ? Rank::excluded : Rank::ordinary;
}

// A fill that ended a moment ago has its file; one that begins now publishes it only afterwards.
void Space::forget_missing(std::span<const Evictable> blobs) {
  Leaving missing(this, blobs.size());
  Changes changes;
  for (const auto& blob : blobs) {
    if (!missing.add(blob)) continue;
    if (parts_.is_filling(blob.digest) || !parts_.store->is_missing(blob.digest)) {
      missing.take_back();
      continue;
    }
    changes.blobs_gone.push_back(blob.digest);
  }
  if (missing.blobs().empty()) return;
  const auto committed = commit_and_wait(*parts_.index, std::move(changes));
  for (const auto& blob : missing.blobs()) {
    if (committed) keeper_.forget(blob.digest, blob.size);
  }
}

}  // namespace archway::cache
