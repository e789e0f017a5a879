#include "proxy/admin/holdings.hpp"

#include "cache/commit.hpp"
#include "proxy/admin/image_graph.hpp"
#include "proxy/admin/query.hpp"
#include "proxy/admin/removal.hpp"
#include "proxy/pull/attached.hpp"
#include "resolver/glob.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <optional>
#include <unistd.h>

namespace archway::proxy {
namespace {

constexpr std::size_t page = 500;

bool is_wanted(const std::string& name, const std::string& pattern) {
  if (pattern.empty()) return true;
  if (pattern.find_first_of("*?[") == std::string::npos) {
    return name.find(pattern) != std::string::npos;
  }
  return resolver::glob_matches(pattern, name);
}

std::string name_of(const ImageName& image, const Reference& reference) {
  return NamedImage{.image = image, .reference = reference}.str();
}

Error not_here(const NamedImage& image) {
  return {.code = Errc::manifest_unknown,
          .message = image.str() + " is not in the cache; `archway ls` lists what is"};
}

Error is_pinned(const std::string& name) {
  return {.code = Errc::denied,
          .message = name + " is pinned; `archway unpin " + name + "` comes first"};
}

boost::json::array names_in(const std::vector<std::pair<ImageName, Reference>>& pins) {
  boost::json::array list;
  for (const auto& [image, reference] : pins) list.emplace_back(name_of(image, reference));
  return list;
}

}  // namespace

void for_each_tag(const cache::Index& index,
                  const std::function<void(const cache::TagEntry&)>& look) {
  std::optional<std::pair<ImageName, Tag>> after;
  for (;;) {
    const auto entries = index.tags_after(after, page);
    for (const auto& entry : entries) look(entry);
    if (entries.size() < page) return;
    after.emplace(entries.back().image, entries.back().tag);
  }
}

std::vector<cache::TagEntry> tags_of(const cache::Index& index, const ImageName& image) {
  std::vector<cache::TagEntry> tags;
  for_each_tag(index, [&](const cache::TagEntry& entry) {
    if (entry.image == image) tags.push_back(entry);
  });
  return tags;
}

std::optional<std::string> Holdings::read_blob(const Digest& digest) const {
  const auto blob = cache_->open_blob(digest);
  if (!blob || blob->size > resolver::manifest_bytes_max) return std::nullopt;
  std::string bytes(blob->size, '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto got =
        ::pread(blob->file->get(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got <= 0) return std::nullopt;
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

boost::json::array Holdings::list(const std::string& pattern, bool pinned) const {
  const auto& index = cache_->index();
  std::map<std::string, cache::PinRecord> pins;
  for (auto& pin : index.all_pins(pins_max)) {
    auto name = name_of(pin.image, pin.what);
    pins.emplace(std::move(name), std::move(pin));
  }
  std::map<std::string, boost::json::object> found;
  const auto read = [this](const Digest& digest) { return read_blob(digest); };
  const auto add = [&](const ImageName& image, const Reference& reference,
                       const std::optional<Digest>& digest, std::int64_t checked_at) {
    const auto name = name_of(image, reference);
    const bool is_pinned = pins.contains(name) || pinned_by_configuration(image, reference);
    if (!is_wanted(name, pattern) || (pinned && !is_pinned)) return;
    const auto parts = digest ? held_parts(index, *digest, read) : HeldParts{};
    boost::json::object document{
        {"name", name},
        {"image", image.str()},
        {"tag", nullptr},
        {"digest", nullptr},
        {"platforms", boost::json::array(parts.platforms.begin(), parts.platforms.end())},
        {"bytes", parts.bytes},
        {"checked_at", nullptr},
        {"pinned", is_pinned}};
    if (const auto* tag = std::get_if<Tag>(&reference)) document["tag"] = tag->str();
    if (digest) document["digest"] = digest->str();
    if (checked_at > 0) document["checked_at"] = checked_at;
    found[name] = std::move(document);
  };
  for_each_tag(index, [&](const cache::TagEntry& entry) {
    if (is_referrers_list(entry.tag)) return;  // No registry has a tag of that name.
    add(entry.image, entry.tag, entry.record.digest, entry.record.checked_at);
  });
  for (const auto& [name, pin] : pins) {
    if (found.contains(name)) continue;
    const auto* digest = std::get_if<Digest>(&pin.what);
    add(pin.image, pin.what, digest != nullptr ? std::optional(*digest) : std::nullopt, 0);
  }
  boost::json::array list;
  for (auto& [name, document] : found) list.push_back(std::move(document));
  return list;
}

bool Holdings::pinned_by_configuration(const ImageName& image, const Reference& reference) const {
  const auto* tag = std::get_if<Tag>(&reference);
  return is_pinned_ && tag != nullptr && is_pinned_(image, *tag);
}

std::optional<Error> Holdings::why_kept(const NamedImage& image) const {
  for (const auto& pin : cache_->index().all_pins(pins_max)) {
    if (pin.image != image.image) continue;
    if (!image.reference || *image.reference == pin.what) {
      return is_pinned(name_of(pin.image, pin.what));
    }
  }
  for (const auto& entry : tags_of(cache_->index(), image.image)) {
    const Reference tag = entry.tag;
    const bool meant = !image.reference || *image.reference == tag;
    if (!meant || !pinned_by_configuration(entry.image, tag)) continue;
    return Error{.code = Errc::denied,
                 .message = name_of(entry.image, tag) +
                            " is pinned by the configuration (cache.pin), which comes first"};
  }
  return std::nullopt;
}

Result<boost::json::object> Holdings::remove(const std::string& image, bool dry_run) {
  auto named = read_known_image(image, *names_);
  if (!named) return named.error();
  auto& index = cache_->index();
  if (auto kept = why_kept(*named)) return *std::move(kept);
  auto removal = plan_removal(index, *named);
  if (removal.is_nothing()) return not_here(*named);
  std::uint64_t bytes = 0;
  for (const auto& digest : removal.blobs) {
    if (const auto blob = index.find_blob(digest)) bytes += blob->size;
  }
  boost::json::array tags;
  for (const auto& tag : removal.tags) tags.emplace_back(tag.str());
  boost::json::object document{{"image", named->image.str()},
                               {"tags", std::move(tags)},
                               {"manifests", removal.manifests.size()},
                               {"blobs", removal.blobs.size()},
                               {"bytes", bytes},
                               {"dry_run", dry_run}};
  if (dry_run) return document;
  const auto blobs = removal.blobs;
  const auto committed =
      cache::commit_and_wait(index, changes_for(named->image, std::move(removal)));
  if (!committed) return committed.error();
  const auto freed = cache_->remove(blobs);
  if (!freed) return freed.error();
  document["blobs"] = freed->blobs;
  document["bytes"] = freed->blob_bytes;
  return document;
}

Result<boost::json::object> Holdings::pin(const std::string& image) {
  const auto named = read_known_image(image, *names_);
  if (!named) return named.error();
  std::vector<std::pair<ImageName, Reference>> wanted;
  if (named->reference) {
    wanted.emplace_back(named->image, *named->reference);
  } else {
    for (auto& entry : tags_of(cache_->index(), named->image)) {
      wanted.emplace_back(entry.image, std::move(entry.tag));
    }
  }
  if (wanted.empty()) return not_here(*named);
  cache::Changes changes;
  for (const auto& [name, what] : wanted) {
    changes.pins.push_back({.image = name, .what = what, .since = std::time(nullptr)});
  }
  const auto committed = cache::commit_and_wait(cache_->index(), std::move(changes));
  if (!committed) return committed.error();
  return boost::json::object{{"pinned", names_in(wanted)}};
}

Result<boost::json::object> Holdings::unpin(const std::string& image) {
  const auto named = read_known_image(image, *names_);
  if (!named) return named.error();
  cache::Changes changes;
  for (auto& pin : cache_->index().all_pins(pins_max)) {
    if (pin.image != named->image) continue;
    if (named->reference && *named->reference != pin.what) continue;
    changes.pins_gone.emplace_back(pin.image, pin.what);
  }
  if (changes.pins_gone.empty()) {
    return Error{.code = Errc::manifest_unknown,
                 .message = named->str() + " is not pinned; `archway ls --pinned` lists what is"};
  }
  auto names = names_in(changes.pins_gone);
  const auto committed = cache::commit_and_wait(cache_->index(), std::move(changes));
  if (!committed) return committed.error();
  return boost::json::object{{"unpinned", std::move(names)}};
}

boost::json::object Holdings::verify(const cache::VerifyProgress& progress) {
  const auto found = cache_->verify(progress);
  return {{"right", found.all_right() && !found.stopped},
          {"stopped", found.stopped},
          {"blobs", found.blobs},
          {"bytes", found.bytes},
          {"damaged", found.damaged},
          {"missing", found.missing},
          {"unknown", found.unknown},
          {"records_damaged", found.records_damaged},
          {"parts", found.parts},
          {"sums_right", found.sums_right}};
}

Result<boost::json::object> Holdings::collect() {
  const auto collected = cache_->collect();
  if (!collected) return collected.error();
  return boost::json::object{{"blobs", collected->blobs},
                             {"bytes", collected->blob_bytes},
                             {"manifests", collected->manifests},
                             {"quarantined", collected->quarantined}};
}

boost::json::object Holdings::stats() const {
  const auto stats = cache_->stats();
  boost::json::object damaged;
  for (const auto by : cache::found_by_all) {
    damaged[cache::name(by)] = stats.damaged[static_cast<std::size_t>(by)];
  }
  return {{"directory", cache_->directory().string()},
          {"read_only", stats.read_only},
          {"out_of_service", stats.out_of_service},
          {"blobs", stats.totals.blobs},
          {"blob_bytes", stats.totals.blob_bytes},
          {"manifests", stats.totals.manifests},
          {"tags", stats.totals.tags},
          {"max_size", stats.limits.max_size},
          {"keep_free", stats.limits.keep_free},
          {"disk_free_bytes", stats.disk_free},
          {"reserved_bytes", stats.space.reserved},
          {"evicted_blobs", stats.space.evicted_blobs},
          {"evicted_bytes", stats.space.evicted_bytes},
          {"in_use", stats.in_use},
          {"fills_in_progress", stats.fills_in_progress},
          {"rechecks_in_progress", stats.rechecks_in_progress},
          {"damaged", std::move(damaged)},
          {"quarantined", stats.quarantined}};
}

}  // namespace archway::proxy
