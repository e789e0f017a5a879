#pragma once

#include "cache/index.hpp"
#include "resolver/model/digest.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <vector>

namespace archway::cache {

/// What the operator wants kept, by the index's pins and by the configuration: the manifests that
/// pinned tags and digests lead to, as far as they are here, and the blobs of those.
///
/// Threads: any. Lifetime: the index outlives it.
class Pins {
 public:
  /// What a manifest names: an index its manifests, a manifest its config and layers. The cache
  /// itself reads none.
  using RefersTo = std::function<std::vector<Digest>(const ManifestRecord&)>;
  /// Whether the configuration pins this tag.
  using IsPinned = std::function<bool(const ImageName&, const Tag&)>;

  /// Pins that are read at most.
  static constexpr std::size_t pins_max = 10'000;
  /// Objects that are protected at most.
  static constexpr std::size_t protected_max = 1'000'000;

  /// Each function may be empty.
  Pins(Index* index, RefersTo refers_to, IsPinned is_pinned)
      : index_(index), refers_to_(std::move(refers_to)), is_pinned_(std::move(is_pinned)) {}

  /// Looks at pins and tags again, if the index has changed since. Costs as much as there are tags
  /// and pinned manifests. True when anything is protected now that was not, or the other way.
  bool refresh();

  /// As of the last refresh().
  bool protects(const Digest& digest) const;

 private:
  std::vector<Digest> pinned() const;

  Index* index_;
  RefersTo refers_to_;
  IsPinned is_pinned_;
  std::mutex refreshing_;               // Before mutex_.
  std::optional<std::uint64_t> as_of_;  // The index's commits then; guarded by refreshing_.
  mutable std::mutex mutex_;
  std::unordered_set<Digest> protected_;  // Guarded by mutex_.
};

/// The digests and all that they lead to, by the manifests that the index has; at most `max`.
std::unordered_set<Digest> all_of(const Index& index, const Pins::RefersTo& refers_to,
                                  std::vector<Digest> begin, std::size_t max);

/// Calls `visit` for every tag there is.
void each_tag(const Index& index, const std::function<void(const TagEntry&)>& visit);

}  // namespace archway::cache
