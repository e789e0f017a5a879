#include "cache/blob_keeper.hpp"

#include <sys/stat.h>
#include <utility>

namespace archway::cache {

bool BlobKeeper::is_suspect(const Digest& digest, const std::optional<BlobRecord>& record) const {
  // A file that the index does not know was published, but nobody can say when.
  if (record && record->checked_at >= index_->suspect_before()) return false;
  const std::lock_guard lock(mutex_);
  return !settled_.contains(digest);
}

/// A damaged file that nothing could take out of the way is as good as none.
BlobStore::Found BlobKeeper::find(const Digest& digest) const {
  auto found = store_->find(digest);
  if (!found.blob || !any_banned_) return found;
  const std::lock_guard lock(mutex_);
  const auto banned = banned_.find(digest);
  if (banned == banned_.end() || banned->second != found.file_number) return found;
  return {};
}

BlobKeeper::Seen BlobKeeper::look(const Digest& digest) const {
  auto found = find(digest);
  if (!found.blob) return {};
  const auto record = index_->find_blob(digest);
  if (record && record->size != found.blob->size) return {};
  return {.blob = std::move(found.blob),
          .arrived_at = record ? record->arrived_at : found.arrived_at,
          .suspect = is_suspect(digest, record)};
}

BlobKeeper::Seen BlobKeeper::open(const Digest& digest) {
  auto found = find(digest);
  const auto record = index_->find_blob(digest);
  // Published between the two looks? A record comes after its file.
  if (!found.blob && record) found = find(digest);
  if (!found.blob) {
    if (record && found.gone) forget(digest, record->size);
    return {};
  }
  if (record && record->size != found.blob->size) {
    condemn(digest, *found.blob, "a wrong size", FoundBy::size);
    return {};
  }
  return {.blob = std::move(found.blob),
          .arrived_at = record ? record->arrived_at : found.arrived_at,
          .suspect = is_suspect(digest, record)};
}

void BlobKeeper::passed(const std::vector<Passed>& blobs) {
  Changes changes;
  std::vector<Digest> digests;
  for (const auto& blob : blobs) {
    digests.push_back(blob.digest);
    if (books_.found && !index_->find_blob(blob.digest)) books_.found(blob.digest, blob.size);
    changes.blobs.emplace_back(blob.digest, BlobRecord{.size = blob.size,
                                                       .arrived_at = blob.arrived_at,
                                                       .checked_at = index_->checking_time()});
  }
  {
    const std::lock_guard lock(mutex_);
    if (settled_.size() < settled_max) settled_.insert(digests.begin(), digests.end());
  }
  index_->commit(std::move(changes), [this, digests](const Result<void>& committed) {
    if (!committed) return;  // They stay in settled_, which is as good while this process lives.
    const std::lock_guard lock(mutex_);
    for (const auto& digest : digests) settled_.erase(digest);
  });
}

void BlobKeeper::condemn(const Digest& digest, const BlobFile& blob, std::string_view why,
                         FoundBy by) {
  const auto removal = store_->quarantine(digest, blob, why);
  if (removal == BlobStore::Removal::gone) return;
  {
    const std::lock_guard lock(mutex_);
    if (removal == BlobStore::Removal::impossible && !ban(digest, blob)) return;
    ++damaged_.at(static_cast<std::size_t>(by));
    settled_.erase(digest);
  }
  forget(digest, blob.size);
}

void BlobKeeper::condemn(const BlobCheck& check, FoundBy by, std::string_view why) {
  if (check.unreadable() && books_.unreadable && books_.unreadable(check.digest())) return;
  condemn(check.digest(), check.blob(), why.empty() ? check.why() : why, by);
}

/// Under the lock: from now on this file is as good as none. False when it was before.
bool BlobKeeper::ban(const Digest& digest, const BlobFile& blob) {
  struct stat facts {};
  if (::fstat(blob.file->get(), &facts) != 0) return true;
  const auto [banned, is_new] = banned_.try_emplace(digest, facts.st_ino);
  if (!is_new && banned->second == facts.st_ino) return false;
  banned->second = facts.st_ino;
  any_banned_ = true;
  return true;
}

DamageCounts BlobKeeper::damaged() const {
  const std::lock_guard lock(mutex_);
  return damaged_;
}

void BlobKeeper::forget(const Digest& digest, std::uint64_t size) {
  if (books_.gone) books_.gone(digest, size);
  index_->commit({.blobs_gone = {digest}}, {});
}

}  // namespace archway::cache
