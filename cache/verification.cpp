#include "cache/verification.hpp"

#include "cache/blob_check.hpp"
#include "cache/commit.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace archway::cache {
namespace {

constexpr std::size_t piece_bytes = 512 * 1024;
constexpr unsigned shards = 256;

/// As many as one commit takes.
constexpr std::size_t passed_max = 64;

/// Records read in one transaction.
constexpr std::size_t page = 256;

}  // namespace

Verified Verification::run(const VerifyProgress& progress) {
  progress_ = &progress;
  buffer_.resize(piece_bytes);
  for (const auto algorithm : {Digest::Algorithm::sha256, Digest::Algorithm::sha512}) {
    check_files(algorithm);
  }
  flush();
  settle();
  if (!found_.stopped) check_records();
  const auto audit = index_->audit();
  found_.records_damaged = audit.damaged;
  found_.sums_right = audit.sums_right;
  found_.parts = store_->parts();
  settle();
  return found_;
}

/// Whoever looks now finds what was put right. An index that cannot be changed is not waited for.
void Verification::settle() {
  [[maybe_unused]] const auto settled = commit_and_wait(*index_, {});
}

void Verification::go_on() {
  const auto total = std::max(read_, index_->totals().blob_bytes);
  if (*progress_ && !(*progress_)(read_, total)) found_.stopped = true;
}

void Verification::check_files(Digest::Algorithm algorithm) {
  for (unsigned shard = 0; shard < shards && !found_.stopped; ++shard) {
    for (const auto& digest : store_->in_shard(algorithm, static_cast<std::uint8_t>(shard))) {
      check_file(digest);
      if (found_.stopped) return;
    }
  }
}

void Verification::check_file(const Digest& digest) {
  const auto found = store_->find(digest);
  if (!found.blob) return;
  BlobCheck check(digest, *found.blob);
  auto state = BlobCheck::State::under_way;
  while (state == BlobCheck::State::under_way) {
    const auto before = check.done();
    state = check.step(buffer_);
    read_ += check.done() - before;
    go_on();
    if (found_.stopped) return;
  }
  if (state == BlobCheck::State::wrong) {
    ++found_.damaged;
    keeper_->condemn(check, FoundBy::verify);
  }
  if (state == BlobCheck::State::right) take_down(digest, found);
}

void Verification::take_down(const Digest& digest, const BlobStore::Found& found) {
  ++found_.blobs;
  found_.bytes += found.blob->size;
  // Given up while it was read? Then there is nothing to take down.
  if (store_->find(digest).file_number != found.file_number) return;
  const auto record = index_->find_blob(digest);
  const bool known = record && record->size == found.blob->size;
  if (!known && is_filling_(digest)) return;
  if (!known) ++found_.unknown;
  passed_.push_back({.digest = digest,
                     .size = found.blob->size,
                     .arrived_at = known ? record->arrived_at : found.arrived_at});
  if (passed_.size() == passed_max) flush();
}

void Verification::flush() {
  if (!passed_.empty()) keeper_->passed(std::exchange(passed_, {}));
}

void Verification::check_records() {
  std::optional<Digest> after;
  for (std::size_t got = page; got == page && !found_.stopped;) {
    const auto records = index_->blobs_after(after, page);
    got = records.size();
    for (const auto& [digest, record] : records) {
      after = digest;
      if (!is_missing(digest)) continue;
      ++found_.missing;
      keeper_->forget(digest, record.size);
    }
    go_on();
  }
}

bool Verification::is_missing(const Digest& digest) const {
  if (!store_->find(digest).gone || is_filling_(digest)) return false;
  // Once more: it may have been given up, or published, between the looks.
  return index_->find_blob(digest) && store_->find(digest).gone;
}

}  // namespace archway::cache
