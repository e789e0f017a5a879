#pragma once

#include "cache/space_keeper.hpp"
#include "tests/cache/numbered.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <doctest/doctest.h>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <vector>

/// A space keeper with everything around it, in memory.
namespace archway::cache::testing {

/// A file system in memory, as the keeper sees one.
struct Disk {
  std::uint64_t size = std::numeric_limits<std::uint64_t>::max() / 2;
  std::uint64_t others = 0;  ///< bytes that are not the cache's
  std::uint64_t parts = 0;   ///< bytes of partial files
  std::map<Digest, std::uint64_t> blobs = {};
  std::set<Digest> kept = {};
  std::set<Digest> busy = {};  ///< that shows only when they are to go
  bool broken = false;
  bool no_memory = false;
  bool shows_freed = true;  ///< else it shows only at the next commit of its own
  std::uint64_t hidden = 0;
  std::vector<std::size_t> batches = {};

  std::uint64_t used() const {
    std::uint64_t sum = others + parts + hidden;
    for (const auto& [digest, bytes] : blobs) sum += bytes;
    return sum;
  }

  Result<SpaceKeeper::Evicted> evict(std::span<const Evictable> victims) {
    if (no_memory) throw std::bad_alloc();
    if (broken) return Error{.code = Errc::storage_failed, .message = "broken"};
    batches.push_back(victims.size());
    std::uint64_t gone = 0;
    std::vector<Evictable> stay;
    for (const auto& victim : victims) {
      if (busy.contains(victim.digest)) {
        stay.push_back(victim);
        continue;
      }
      REQUIRE_FALSE(kept.contains(victim.digest));
      const auto found = blobs.find(victim.digest);
      if (found == blobs.end()) continue;
      REQUIRE(found->second == victim.size);
      gone += victim.size;
      blobs.erase(found);
    }
    if (!shows_freed) hidden += gone;
    return SpaceKeeper::Evicted{.freed = gone, .stay = stay};
  }

  SpaceKeeper::Disk seen() {
    return {.free_bytes = [this] { return std::optional(size - std::min(size, used())); },
            .may_go = [this](const Digest& digest) { return !kept.contains(digest); },
            .evict = [this](std::span<const Evictable> victims) { return evict(victims); }};
  }
};

/// A keeper with its policy and its disk.
struct Kept {
  explicit Kept(const SpaceLimits& limits, const Disk& begin = {})
      : disk(begin), keeper(limits, 0, &policy, disk.seen()) {}

  void publish(std::uint32_t number, std::uint64_t bytes) {
    auto reservation = keeper.reserve(bytes);
    REQUIRE(reservation);
    disk.blobs[numbered(number)] = bytes;
    reservation->publish({.digest = numbered(number), .size = bytes});
  }
  void publish_all(std::uint32_t count, std::uint64_t bytes) {
    for (std::uint32_t number = 0; number < count; ++number) publish(number, bytes);
  }

  Disk disk;
  Eviction policy;
  SpaceKeeper keeper;
};

}  // namespace archway::cache::testing
