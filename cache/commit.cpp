#include "cache/commit.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace archway::cache {

Result<void> commit_and_wait(Index& index, Changes changes) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<void>> outcome;
  index.commit(std::move(changes), [&](Result<void> result) {
    const std::lock_guard lock(mutex);
    outcome = std::move(result);
    changed.notify_one();  // Under the lock: all three end with the waiting function.
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return outcome.has_value(); });
  return *outcome;
}

}  // namespace archway::cache
