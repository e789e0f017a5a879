#pragma once

#include "cache/index.hpp"
#include "resolver/model/platform.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace archway::proxy {

inline constexpr std::size_t seen_tags_max = 20'000;

/// Which platforms pull which tag: in memory, and in the index so that a restart does not forget. A
/// pull is written when it is a tag's first for that platform, and then once an hour: a hit costs
/// no write. Beyond seen_tags_max the tags that nobody has pulled for longest go; of one tag the
/// platforms beyond cache::seen_platforms_max.
///
/// Threads: any.
class Seen {
 public:
  explicit Seen(cache::Index* index) : index_(index) {}

  /// Reads what the index remembers and joins it with what was noted meanwhile; until then nothing
  /// is written and nothing forgotten. Its time depends on how many tags there are: not at start's
  /// expense.
  void load();

  /// A client of this platform was given this tag's manifest. `now`: Unix time, seconds.
  void note(const ImageName& image, const Tag& tag, const Platform& platform, std::int64_t now);

  struct Entry {
    ImageName image;
    Tag tag;
    std::vector<Platform> platforms;  ///< the latest first
  };
  /// All tags pulled since then, each with the platforms that did.
  std::vector<Entry> pulled_since(std::int64_t time) const;
  /// Drops what nobody has pulled since then, here and in the index.
  void forget_before(std::int64_t time);

 private:
  using Key = std::pair<ImageName, Tag>;
  struct Known {
    cache::SeenRecord record;
    std::int64_t written_at = 0;  // 0: not yet
  };
  using Table = std::map<Key, Known>;

  void write(Known& known, std::int64_t now);
  void make_room();
  void erase(const std::vector<Key>& keys);

  cache::Index* index_;
  mutable std::mutex mutex_;
  Table known_;
  bool loaded_ = false;
};

}  // namespace archway::proxy
