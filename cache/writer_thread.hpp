#pragma once

#include "cache/index.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace archway::cache {

/// The one thread that changes the index: takes what is queued, in order, and commits it in groups,
/// because a commit costs the disk the same whether it holds one change or sixty-four.
///
/// Threads: submit() from any.
class WriterThread {
 public:
  static constexpr std::size_t group_operations_max = 64;
  static constexpr std::size_t group_bytes_max = 8 * 1024 * 1024;
  static constexpr std::chrono::milliseconds group_wait_max{5};
  static constexpr std::size_t queued_operations_max = 16 * 1024;
  static constexpr std::size_t queued_bytes_max = 256 * 1024 * 1024;

  /// Commits a group as one, or nothing of it. Called on the writer's thread only.
  using Apply = std::function<Result<void>(std::span<const Changes* const>)>;

  explicit WriterThread(Apply apply);
  /// Commits everything that is queued, then ends the thread.
  ~WriterThread();
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  /// Calls `done` (when not empty) once, on the writer's thread. A group that fails is tried again
  /// one by one, so that an impossible change fails alone; what does not fit into the queue, or for
  /// which there is no memory, fails with Errc::storage_failed.
  void submit(Changes changes, Index::Done done);

 private:
  struct Item {
    Changes changes;
    Index::Done done;
    std::size_t operations = 0;
    std::size_t bytes = 0;
    bool refused = false;
  };

  void run();
  std::vector<Item> take_group();
  bool group_is_full() const;
  Result<void> try_to_apply(std::span<const Changes* const> changes);
  Result<void> apply_together(const std::vector<Item>& group);
  Result<void> result_of(const Item& item, const Result<void>& all, bool alone);
  void commit(std::vector<Item>& group);

  Apply apply_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;  // Guarded by mutex_, as are the next three.
  std::size_t queued_operations_ = 0;
  std::size_t queued_bytes_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace archway::cache
