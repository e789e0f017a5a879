#include "cache/scrub.hpp"

#include <algorithm>
#include <fcntl.h>
#include <utility>

namespace archway::cache {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t piece_bytes = 256 * 1024;

/// As many records as one look at the index reads, and how long it then rests.
constexpr std::size_t page = 256;
constexpr milliseconds page_pause{20};

/// With nothing to do, or something better.
constexpr std::chrono::minutes idle_pause{30};
constexpr std::chrono::seconds busy_pause{2};
/// Before the next walk through the index, which knows by then what has passed.
constexpr std::chrono::seconds round_pause{5};

/// What passed is taken down together: each commit costs the disk the same.
constexpr std::size_t passed_max = 32;

bool is_older(const BlobEntry& one, const BlobEntry& other) {
  return one.record.checked_at < other.record.checked_at;
}

milliseconds time_for(std::uint64_t bytes) {
  return milliseconds(bytes * 1'000 / Scrub::bytes_a_second);
}

}  // namespace

milliseconds Scrub::step() {
  if (period_.count() == 0) return idle_pause;
  if (parts_.is_busy()) return busy_pause;
  if (check_) return read_on();
  if (walking_ || due_.empty()) return look_for_more();
  begin_next();
  return round_is_over() ? milliseconds(round_pause) : milliseconds(0);
}

bool Scrub::round_is_over() const {
  return due_.empty() && !check_;
}

bool Scrub::is_due(const BlobRecord& record) const {
  return record.checked_at + period_.count() <= parts_.now();
}

milliseconds Scrub::look_for_more() {
  walking_ = true;
  const auto entries = parts_.index->blobs_after(after_, page);
  for (const auto& entry : entries) {
    after_ = entry.digest;
    if (!is_due(entry.record)) continue;
    if (due_.size() == due_max) {
      if (!is_older(entry, due_.front())) continue;
      std::pop_heap(due_.begin(), due_.end(), is_older);
      due_.pop_back();
    }
    due_.push_back(entry);
    std::push_heap(due_.begin(), due_.end(), is_older);
  }
  if (entries.size() == page) return page_pause;
  walking_ = false;
  after_.reset();
  std::sort(due_.begin(), due_.end(),
            [](const BlobEntry& one, const BlobEntry& other) { return is_older(other, one); });
  return due_.empty() ? milliseconds(idle_pause) : page_pause;
}

void Scrub::begin_next() {
  const auto digest = due_.back().digest;
  due_.pop_back();
  const auto record = parts_.index->find_blob(digest);
  if (record && is_due(*record)) {
    // Also puts right what does not even have its size.
    if (const auto seen = parts_.keeper->open(digest); seen.blob) {
      found_ = parts_.store->find(digest);
      if (found_.blob) check_.emplace(digest, *found_.blob);
      found_.arrived_at = record->arrived_at;
    }
  }
  if (round_is_over()) flush();
}

milliseconds Scrub::read_on() {
  buffer_.resize(piece_bytes);
  const int fd = found_.blob->file->get();
  const auto before = check_->done();
  // What lies in memory says nothing about the disk.
  ::posix_fadvise(fd, static_cast<off_t>(before), piece_bytes, POSIX_FADV_DONTNEED);
  const auto state = check_->step(buffer_);
  const auto read = check_->done() - before;
  ::posix_fadvise(fd, static_cast<off_t>(before), piece_bytes, POSIX_FADV_DONTNEED);
  bytes_ += read;
  if (state != BlobCheck::State::under_way) end(state);
  return round_is_over() ? milliseconds(round_pause) : time_for(read);
}

void Scrub::end(BlobCheck::State state) {
  const auto digest = check_->digest();
  if (state == BlobCheck::State::wrong) parts_.keeper->condemn(*check_, FoundBy::scrub);
  // Given up while it was read? Then there is nothing to take down.
  const bool is_there = parts_.store->find(digest).file_number == found_.file_number;
  if (state == BlobCheck::State::right && is_there) {
    passed_.push_back(
        {.digest = digest, .size = found_.blob->size, .arrived_at = found_.arrived_at});
  }
  check_.reset();
  found_ = {};
  if (due_.empty()) buffer_ = {};
  if (due_.empty() || passed_.size() >= passed_max) flush();
}

void Scrub::flush() {
  if (!passed_.empty()) parts_.keeper->passed(std::exchange(passed_, {}));
}

}  // namespace archway::cache
