#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace archway::cache {

/// The thread that does what nobody waits for: a list of chores, one small piece of one of them at
/// a time, at idle priority for processor and disk.
///
/// Threads: any.
class Housekeeping {
 public:
  /// Does the next piece, which takes some milliseconds; says in how long it wants to go on.
  using Chore = std::function<std::chrono::milliseconds()>;

  /// Each chore is first called at once.
  explicit Housekeeping(std::vector<Chore> chores);
  /// Returns when the piece under way is done; no further one is begun.
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  struct Planned {
    Chore chore;
    Clock::time_point due;
  };

  void run();

  std::vector<Planned> plan_;  // The thread's own.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

/// Gives the calling thread the lowest priority there is, for processor and disk.
void become_idle();

}  // namespace archway::cache
