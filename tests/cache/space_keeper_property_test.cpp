#include "cache/space_keeper.hpp"
#include "tests/cache/numbered.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <doctest/doctest.h>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

// Random fills from one thread and from several, against a plain model of a disk: whatever happens,
// the limits hold, and what may not go is still there.
namespace archway::cache {
namespace {

using testing::numbered;

constexpr std::uint64_t disk_size = 1'000'000;
constexpr std::uint64_t others = 100'000;
constexpr SpaceLimits limits{.max_size = 700'000, .keep_free = 250'000};

/// The files, and what was wrong at any moment.
class Disk {
 public:
  void keep(const Digest& digest) {
    const std::lock_guard lock(mutex_);
    kept_.insert(digest);
  }
  void let_go(const Digest& digest) {
    const std::lock_guard lock(mutex_);
    kept_.erase(digest);
  }
  bool is_kept(const Digest& digest) const {
    const std::lock_guard lock(mutex_);
    return kept_.contains(digest);
  }

  void write(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    parts_ += bytes;
    check();
  }
  void drop(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    parts_ -= bytes;
  }
  void rename(const Digest& digest, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    parts_ -= bytes;
    blobs_[digest] = bytes;
    sum_ += bytes;
    check();
  }
  bool remove(const Digest& digest, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (blobs_.erase(digest) == 0) return false;
    sum_ -= bytes;
    return true;
  }
  std::uint64_t blob_bytes() const {
    const std::lock_guard lock(mutex_);
    return sum_;
  }
  std::uint64_t free_bytes() const {
    const std::lock_guard lock(mutex_);
    return disk_size - others - parts_ - sum_;
  }
  Result<SpaceKeeper::Evicted> evict(std::span<const Evictable> victims) {
    if (evicting_.exchange(true)) wrong("two evict at once");
    std::this_thread::yield();  // Here the others have their chance to come in.
    std::uint64_t gone = 0;
    for (const auto& victim : victims) {
      if (is_kept(victim.digest)) wrong("what may not go went");
      // Else somebody else has removed it meanwhile, and told the keeper.
      if (remove(victim.digest, victim.size)) gone += victim.size;
    }
    evicting_ = false;
    return SpaceKeeper::Evicted{.freed = gone};
  }
  std::vector<std::string> faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

 private:
  void wrong(const char* what) {
    const std::lock_guard lock(mutex_);
    faults_.emplace_back(what);
  }
  void check() {
    if (parts_ + sum_ > limits.max_size) faults_.emplace_back("over max_size");
    if (others + parts_ + sum_ + limits.keep_free > disk_size) {
      faults_.emplace_back("under keep_free");
    }
  }

  mutable std::mutex mutex_;
  std::map<Digest, std::uint64_t> blobs_;
  std::set<Digest> kept_;
  std::uint64_t parts_ = 0;
  std::uint64_t sum_ = 0;
  std::atomic<bool> evicting_ = false;
  std::vector<std::string> faults_;
};

/// Fills, one after the other: of known and unknown size, small and large, whole and given up.
class Filler {
 public:
  Filler(std::uint32_t seed, std::uint32_t first, Disk& disk, SpaceKeeper& keeper)
      : random_(seed), number_(first), disk_(disk), keeper_(keeper) {}

  void run(int fills) {
    for (int i = 0; i < fills; ++i) fill();
  }
  int published() const { return published_; }
  int refused() const { return refused_; }

 private:
  void fill() {
    std::uint64_t size = std::uint64_t{1} << random_() % 18 | random_() % 512;
    if (random_() % 50 == 0) size = limits.max_size + 1;
    const bool is_known = random_() % 2 == 0;
    const auto written_max = random_() % 8 == 0 ? size / 2 : size;  // Else it is given up.
    auto reservation = keeper_.reserve(is_known ? size : 0);
    if (!reservation) {
      ++refused_;
      return;
    }
    std::uint64_t written = 0;
    while (written < written_max) {
      const auto step = std::min<std::uint64_t>(written_max - written, 1 + random_() % 20'000);
      if (!reservation->grow_to(written + step)) {
        ++refused_;
        break;
      }
      disk_.write(step);
      written += step;
      reservation->on_disk(written);
    }
    if (written == size) {
      publish(*reservation, size);
    } else {
      disk_.drop(written);
    }
  }

  void publish(SpaceKeeper::Reservation& reservation, std::uint64_t size) {
    const auto digest = numbered(number_++);
    if (random_() % 4 == 0) keep(digest);
    disk_.rename(digest, size);
    reservation.publish({.digest = digest, .size = size});
    ++published_;
    // Somebody removes it otherwise.
    if (random_() % 20 == 0 && disk_.remove(digest, size)) keeper_.forget(digest, size);
  }

  /// For a while: the last five are kept.
  void keep(const Digest& digest) {
    disk_.keep(digest);
    kept_.push_back(digest);
    if (kept_.size() <= 5) return;
    disk_.let_go(kept_.front());
    kept_.pop_front();
  }

  std::mt19937 random_;
  std::uint32_t number_;
  Disk& disk_;
  SpaceKeeper& keeper_;
  std::deque<Digest> kept_;
  int published_ = 0;
  int refused_ = 0;
};

struct Stack {
  Disk disk;
  Eviction policy;
  SpaceKeeper keeper{
      limits,
      0,
      &policy,
      {.free_bytes = [this] { return std::optional(disk.free_bytes()); },
       .may_go = [this](const Digest& digest) { return !disk.is_kept(digest); },
       .evict = [this](std::span<const Evictable> victims) { return disk.evict(victims); }}};

  void check_end() const {
    CHECK(disk.faults() == std::vector<std::string>{});
    CHECK(keeper.usage().reserved == 0);
    CHECK(keeper.usage().published == disk.blob_bytes());
    CHECK(policy.bytes() == disk.blob_bytes());
    CHECK(keeper.usage().evicted_blobs > 0);
  }
};

TEST_CASE("the limits hold through any sequence of fills") {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Stack stack;
    Filler filler(seed, 0, stack.disk, stack.keeper);
    filler.run(1'500);
    stack.check_end();
    CHECK(filler.published() > 500);
    CHECK(filler.refused() > 0);
  }
}

TEST_CASE("the limits hold when many fills run at once") {
  Stack stack;
  std::vector<Filler> fillers;
  for (std::uint32_t i = 0; i < 4; ++i) {
    fillers.emplace_back(i, i * 100'000, stack.disk, stack.keeper);
  }
  std::vector<std::thread> threads;
  for (auto& filler : fillers) threads.emplace_back([&filler] { filler.run(700); });
  for (auto& thread : threads) thread.join();
  stack.check_end();
  int published = 0;
  for (const auto& filler : fillers) published += filler.published();
  CHECK(published > 400);
}

}  // namespace
}  // namespace archway::cache
