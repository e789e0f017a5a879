#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace archway::metrics {

/// The first `max` distinct values it is asked about keep their name as a label; every further one
/// is "other". A client chooses its platform, so nothing else bounds the number of series.
///
/// Threads: any.
class LabelLimit {
 public:
  explicit LabelLimit(std::size_t max) : max_(max) {}

  /// `value`, "other", or "unknown" for "".
  std::string label(std::string_view value);

 private:
  const std::size_t max_;
  std::shared_mutex mutex_;
  std::set<std::string, std::less<>> known_;
};

/// Series by a key of several words, made on first use and found again without making a string:
/// the look-up on the hot path. Prometheus-cpp's own builds a map of strings each time.
///
/// `Key` holds strings, `KeyView` the same as views; both hash and compare alike through `Hash`
/// and `Equal`. Threads: any; a T, once made, stays where it is.
template <class Key, class T, class Hash, class Equal>
class SeriesCache {
 public:
  /// The one under this key, or nullptr.
  template <class KeyView>
  T* find(const KeyView& key) {
    const std::shared_lock lock(mutex_);
    const auto found = series_.find(key);
    return found == series_.end() ? nullptr : &found->second;
  }

  /// The one under this key; `value` where there is none yet.
  T* insert(Key key, T value) {
    const std::unique_lock lock(mutex_);
    return &series_.try_emplace(std::move(key), value).first->second;
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<Key, T, Hash, Equal> series_;
};

}  // namespace archway::metrics
