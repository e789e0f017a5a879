#include "cache/reconcile.hpp"

#include "cache/commit.hpp"

#include <algorithm>

namespace archway::cache {
namespace {

/// Directories that the blobs of one algorithm are in.
constexpr std::size_t shards = 256;

/// After each piece whoever waits for the disk has a turn.
constexpr std::chrono::milliseconds between{1};

}  // namespace

std::chrono::milliseconds Reconcile::step() {
  if (again_.exchange(false)) go_to(Phase::records);
  switch (phase_) {
    case Phase::records: look_at_records(); return between;
    case Phase::policy: tell_policy(); return between;
    case Phase::files: look_at_files(); return between;
    case Phase::grants: look_at_grants(); return between;
    case Phase::rest: break;
  }
  const bool due = std::chrono::steady_clock::now() - ranked_ >= ranks_every;
  if (!excluded_ || !due) return idle;
  go_to(Phase::grants);
  return between;
}

void Reconcile::go_to(Phase phase) {
  phase_ = phase;
  if (phase == Phase::records) known_.clear();
  last_record_.reset();
  directory_ = 0;
  last_grant_.reset();
  ranks_.clear();
}

void Reconcile::look_at_records() {
  const auto entries = index_->blobs_after(last_record_, page);
  std::vector<Evictable> missing;
  for (const auto& [digest, record] : entries) {
    if (store_->is_missing(digest)) {
      missing.push_back({.digest = digest, .size = record.size});
    } else {
      known_.push_back({.arrived_at = record.arrived_at, .digest = digest, .size = record.size});
    }
  }
  if (!missing.empty()) space_->forget_missing(missing);
  if (entries.size() == page) {
    last_record_ = entries.back().digest;
    return;
  }
  std::sort(known_.begin(), known_.end(),
            [](const Known& one, const Known& other) { return one.arrived_at > other.arrived_at; });
  go_to(Phase::policy);
}

void Reconcile::tell_policy() {
  for (std::size_t i = 0; i < page && !known_.empty(); ++i) {
    const auto& [arrived_at, digest, size] = known_.back();
    // It may have gone since it was noted down.
    if (!store_->is_missing(digest)) space_->keeper().know({.digest = digest, .size = size});
    known_.pop_back();
  }
  if (!known_.empty()) return;
  known_.shrink_to_fit();
  space_->keeper().know_all();
  go_to(Phase::files);
}

void Reconcile::look_at_files() {
  const bool is_first = directory_ < shards;
  const auto digests =
      store_->in_shard(is_first ? Digest::Algorithm::sha256 : Digest::Algorithm::sha512,
                       static_cast<std::uint8_t>(directory_ % shards));
  for (std::size_t i = 0; i < digests.size(); i += page) {
    const auto end = std::min(digests.size(), i + page);
    adopt({digests.begin() + static_cast<std::ptrdiff_t>(i),
           digests.begin() + static_cast<std::ptrdiff_t>(end)});
  }
  if (++directory_ < 2 * shards) return;  // Of both algorithms.
  done_ = true;
  ranked_ = std::chrono::steady_clock::now();
  go_to(excluded_ ? Phase::grants : Phase::rest);
}

/// Of these files those that the index does not know. One that comes or goes just now is left to
/// those who bring it or take it away.
void Reconcile::adopt(const std::vector<Digest>& digests) {
  Changes changes;
  for (const auto& digest : digests) {
    if (index_->find_blob(digest) || space_->is_changing(digest)) continue;
    const auto facts = store_->facts(digest);
    if (!facts) continue;
    changes.blobs.emplace_back(
        digest, BlobRecord{.size = facts->size, .arrived_at = facts->arrived_at, .checked_at = 0});
  }
  if (changes.blobs.empty()) return;
  const auto adopted = changes.blobs;
  [[maybe_unused]] const auto noted = commit_and_wait(*index_, std::move(changes));
  std::vector<Evictable> missing;
  for (const auto& [digest, record] : adopted) {
    const Evictable blob{.digest = digest, .size = record.size};
    space_->keeper().adopt(blob);
    if (store_->is_missing(digest)) missing.push_back(blob);
  }
  if (!missing.empty()) space_->forget_missing(missing);
}

void Reconcile::look_at_grants() {
  const auto entries = index_->grants_after(last_grant_, page);
  for (const auto& [image, digest, record] : entries) {
    const bool is_excluded = !record.platform.empty() && excluded_(record.platform);
    const auto [known, is_new] = ranks_.try_emplace(digest, is_excluded);
    known->second = known->second && is_excluded;
  }
  if (entries.size() == page) {
    last_grant_.emplace(entries.back().image, entries.back().digest);
    return;
  }
  set_ranks();
  ranked_ = std::chrono::steady_clock::now();
  go_to(Phase::rest);
}

void Reconcile::set_ranks() {
  for (const auto& [digest, is_excluded] : ranks_) {
    space_->set_rank(digest, is_excluded ? Rank::excluded : Rank::ordinary);
  }
}

}  // namespace archway::cache
