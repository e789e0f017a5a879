#include "proxy/config/sections.hpp"

namespace archway::proxy {
namespace {

/// Smaller than one ordinary layer it would be no cache.
constexpr std::uint64_t max_size_min = 16ULL << 20;
constexpr std::uint64_t size_max = 1ULL << 60;
constexpr std::size_t pins_max = 4096;

constexpr std::pair<std::string_view, bool> durabilities[] = {{"strict", true}, {"relaxed", false}};

/// More often, and it would never end.
constexpr std::chrono::hours scrub_min{1};
constexpr std::chrono::days scrub_max{3650};

void read_scrub(const Value& value, Settings::Cache& cache) {
  if (value.node().kind == Yaml::Kind::scalar && value.node().text == "none") {
    cache.scrub = std::chrono::seconds(0);
    return;
  }
  const auto period = value.seconds(std::chrono::seconds(0), scrub_max);
  if (!period) return;
  if (period->count() != 0 && *period < scrub_min) {
    value.refuse("none, or 1h and more");
    return;
  }
  cache.scrub = *period;
}

void read_max_size(const Value& value, Settings::Cache& cache) {
  const auto size = value.size(0, size_max);
  if (!size) return;
  if (*size != 0 && *size < max_size_min) {
    value.refuse("0 (no limit of its own), or 16MiB and more");
    return;
  }
  cache.max_size = *size;
}

void read_pins(const Value& value, Settings::Cache& cache) {
  cache.pin.clear();
  for (const Value& pattern : value.list("a list of patterns for images", pins_max)) {
    if (auto text = read_pattern(pattern, true)) cache.pin.push_back(*std::move(text));
  }
}

}  // namespace

void read_cache(const Section& file, Settings& settings) {
  const auto value = file.find("cache");
  if (!value) return;
  const Section cache(*value, "cache");
  if (const auto directory = cache.find("directory")) {
    if (const auto path = directory->file_path()) settings.cache.directory = *path;
  }
  if (const auto max_size = cache.find("max_size")) read_max_size(*max_size, settings.cache);
  if (const auto keep_free = cache.find("keep_free")) {
    if (const auto size = keep_free->size(0, size_max)) settings.cache.keep_free = *size;
  }
  if (const auto scrub = cache.find("scrub")) read_scrub(*scrub, settings.cache);
  if (const auto durability = cache.find("durability")) {
    if (const auto strict = durability->one_of<bool>(durabilities)) {
      settings.cache.strict = *strict;
    }
  }
  if (const auto pin = cache.find("pin")) read_pins(*pin, settings.cache);
}

}  // namespace archway::proxy
