#pragma once

#include "cache/cache.hpp"
#include "proxy/admin/image_name.hpp"
#include "resolver/upstream_of.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

/// What a cache holds, by image, and what an operator does with it. The admin API of a running
/// gateway and the commands on a directory that nobody serves answer with the same documents,
/// because they are made here (docs/api.md says what is in them).
///
/// Threads: any. Blocks on the disk; its time depends on how much there is.
class Holdings {
 public:
  /// `cache` and `names` outlive it. `names`: the configured upstreams; `is_pinned`: what the
  /// configuration pins, may be empty.
  Holdings(cache::Cache* cache, const resolver::UpstreamNames* names,
           cache::Pins::IsPinned is_pinned = {})
      : cache_(cache), names_(names), is_pinned_(std::move(is_pinned)) {}

  /// The tags whose name has `pattern` in it (with `*` or `?`: whose whole name it matches; "" :
  /// all), sorted by name. With `pinned`: those alone that are pinned, and pins of digests and of
  /// what is not here.
  boost::json::array list(const std::string& pattern, bool pinned) const;

  /// The tag goes (of a name alone: all its tags, and what was asked for by digest), and all that
  /// nothing else leads to: no other tag of that name, no pin, and no other name that holds it.
  ///
  /// Errors: name_invalid and name_unknown for what is no image of ours; Errc::manifest_unknown
  /// when nothing of it is here; Errc::denied for one that is pinned;
  /// Errc::storage_failed.
  Result<boost::json::object> remove(const std::string& image, bool dry_run);

  /// What is pinned is never evicted. A name without a tag stands for the tags of it that are here,
  /// and for all its pins. Errors: as remove().
  Result<boost::json::object> pin(const std::string& image);
  Result<boost::json::object> unpin(const std::string& image);

  /// Cache::verify() in numbers: `right` is true when nothing was wrong. `progress` as for it.
  boost::json::object verify(const cache::VerifyProgress& progress);
  /// Cache::collect() in numbers. Errors: Errc::storage_failed.
  Result<boost::json::object> collect();
  /// The numbers of Cache::stats(), with the limits.
  boost::json::object stats() const;

 private:
  std::optional<std::string> read_blob(const Digest& digest) const;
  bool pinned_by_configuration(const ImageName& image, const Reference& reference) const;
  std::optional<Error> why_kept(const NamedImage& image) const;

  cache::Cache* cache_;
  const resolver::UpstreamNames* names_;
  cache::Pins::IsPinned is_pinned_;
};

/// More pins than this are not looked at.
inline constexpr std::size_t pins_max = 100'000;
/// The tags of one image name.
std::vector<cache::TagEntry> tags_of(const cache::Index& index, const ImageName& image);
/// Calls `look` for every tag there is.
void for_each_tag(const cache::Index& index,
                  const std::function<void(const cache::TagEntry&)>& look);

}  // namespace archway::proxy
