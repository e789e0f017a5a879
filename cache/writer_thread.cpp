#include "cache/writer_thread.hpp"

#include <algorithm>
#include <utility>

namespace archway::cache {
namespace {

std::size_t operations_of(const Changes& changes) {
  const std::size_t put = changes.tags.size() + changes.manifests.size() + changes.blobs.size() +
                          changes.grants.size() + changes.seen.size() + changes.images.size() +
                          changes.pins.size();
  const std::size_t gone = changes.tags_gone.size() + changes.manifests_gone.size() +
                           changes.blobs_gone.size() + changes.grants_gone.size() +
                           changes.seen_gone.size() + changes.images_gone.size() +
                           changes.pins_gone.size();
  return std::max<std::size_t>(1, put + gone);
}

/// Only manifests are large; the rest is bounded by the number of operations.
std::size_t bytes_of(const Changes& changes) {
  std::size_t sum = 0;
  for (const auto& [digest, manifest] : changes.manifests) sum += manifest.bytes.size();
  return sum;
}

Result<void> queue_full() {
  return Error{.code = Errc::storage_failed,
               .origin = Origin::storage,
               .message = "The disk of archway's cache is too slow for what it is asked to keep.",
               .context = "the index's queue of changes is full",
               .retryable = true};
}

}  // namespace

WriterThread::WriterThread(Apply apply) : apply_(std::move(apply)), thread_([this] { run(); }) {}

WriterThread::~WriterThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void WriterThread::submit(Changes changes, Index::Done done) {
  Item item{.changes = std::move(changes), .done = std::move(done)};
  item.operations = operations_of(item.changes);
  item.bytes = bytes_of(item.changes);
  {
    const std::lock_guard lock(mutex_);
    if (queued_operations_ + item.operations > queued_operations_max ||
        queued_bytes_ + item.bytes > queued_bytes_max) {
      // Its `done` must still come from the writer's thread; what it carried is dropped now.
      item = Item{.changes = {}, .done = std::move(item.done), .refused = true};
    }
    queued_operations_ += item.operations;
    queued_bytes_ += item.bytes;
    queue_.push_back(std::move(item));
  }
  changed_.notify_one();
}

bool WriterThread::group_is_full() const {
  return queued_operations_ >= group_operations_max || queued_bytes_ >= group_bytes_max;
}

/// Waits for something to do, then a moment for company; empty when it is time to end.
std::vector<WriterThread::Item> WriterThread::take_group() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
  changed_.wait_until(lock, std::chrono::steady_clock::now() + group_wait_max,
                      [this] { return ending_ || group_is_full(); });
  std::vector<Item> group;
  std::size_t operations = 0;
  std::size_t bytes = 0;
  while (!queue_.empty()) {
    const auto& next = queue_.front();
    const bool fits = operations + next.operations <= group_operations_max &&
                      bytes + next.bytes <= group_bytes_max;
    if (!fits && !group.empty()) break;
    operations += next.operations;
    bytes += next.bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_operations_ -= operations;
  queued_bytes_ -= bytes;
  return group;
}

void WriterThread::commit(std::vector<Item>& group) {
  std::vector<const Changes*> together;
  for (const auto& item : group) {
    if (!item.refused) together.push_back(&item.changes);
  }
  const auto all = together.empty() ? Result<void>{} : apply_(together);
  for (auto& item : group) {
    auto result = all;
    if (item.refused) {
      result = queue_full();
    } else if (!all && together.size() > 1) {
      const Changes* const alone = &item.changes;
      result = apply_(std::span(&alone, 1));
    }
    if (item.done) item.done(std::move(result));
  }
}

void WriterThread::run() {
  for (auto group = take_group(); !group.empty(); group = take_group()) commit(group);
}

}  // namespace archway::cache
