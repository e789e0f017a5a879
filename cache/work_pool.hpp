#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace archway::cache {

/// A few threads that do what somebody waits for, in the order it was asked for.
///
/// Threads: submit() from any.
class WorkPool {
 public:
  /// `ending` becomes true when the pool wants to end: what is under way then should give up, and
  /// what is queued is still called, only to do so.
  using Work = std::function<void(const std::atomic<bool>& ending)>;

  explicit WorkPool(std::size_t threads);
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  void submit(Work work);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;            // Guarded by mutex_.
  std::atomic<bool> ending_ = false;  // Set under mutex_.
  std::vector<std::thread> threads_;
};

}  // namespace archway::cache
