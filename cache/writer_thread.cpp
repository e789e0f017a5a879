#include "cache/writer_thread.hpp"

#include <algorithm>
#include <exception>
#include <span>
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

/// Short texts: making this one asks for no memory.
Result<void> no_memory() {
  return Error{.code = Errc::storage_failed,
               .origin = Origin::storage,
               .message = "out of memory",
               .context = "bad_alloc",
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
  // Or nothing is taken out: nobody's change may be lost on the way.
  group.reserve(std::min(queue_.size(), group_operations_max));
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

/// What throws was not applied: a transaction that is dropped changes nothing.
Result<void> WriterThread::try_to_apply(std::span<const Changes* const> changes) {
  try {
    return apply_(changes);
  } catch (const std::exception&) {
    return no_memory();
  }
}

Result<void> WriterThread::apply_together(const std::vector<Item>& group) {
  std::vector<const Changes*> together;
  try {
    for (const auto& item : group) {
      if (!item.refused) together.push_back(&item.changes);
    }
  } catch (const std::exception&) {
    return no_memory();
  }
  return together.empty() ? Result<void>{} : try_to_apply(together);
}

Result<void> WriterThread::result_of(const Item& item, const Result<void>& all, bool alone) {
  if (item.refused) return queue_full();
  if (all || alone) return all;
  const Changes* const one = &item.changes;
  return try_to_apply(std::span(&one, 1));
}

void WriterThread::commit(std::vector<Item>& group) {
  const auto all = apply_together(group);
  for (auto& item : group) {
    Result<void> result = no_memory();  // Whoever waits is told, if not the whole of it.
    try {
      result = result_of(item, all, group.size() == 1);
    } catch (const std::exception&) {
    }
    try {
      if (item.done) item.done(std::move(result));
    } catch (const std::exception&) {  // What it does with it is its own affair.
    }
  }
}

void WriterThread::run() {
  for (;;) {
    std::vector<Item> group;
    try {
      group = take_group();
      if (group.empty()) return;
    } catch (const std::exception&) {  // No memory: what is queued stays there.
      continue;
    }
    commit(group);
  }
}

}  // namespace archway::cache
