#include "proxy/config/sections.hpp"

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t transfers_max = 64;
constexpr auto forget_min = std::chrono::seconds(1h);
constexpr auto forget_max = std::chrono::seconds(std::chrono::hours(24) * 3650);

/// A tag is looked at when it is no longer fresh; seldomer than this nobody is served by it.
constexpr auto fresh_at_most = std::chrono::seconds(24h);

void read_seen(const Value& value, Settings& settings) {
  settings.prefetch.seen = value.flag().value_or(settings.prefetch.seen);
  if (!settings.prefetch.seen || settings.tags.fresh_for <= fresh_at_most) return;
  value.reading().warn(value.at(), value.path() +
                                       ": tags are fresh for more than a day (tags.fresh_for), and "
                                       "only then looked at: most of what moves is found late");
}

}  // namespace

void read_prefetch(const Section& file, Settings& settings) {
  const auto value = file.find("prefetch");
  if (!value) return;
  const Section section(*value, "prefetch");
  Settings::Prefetch& prefetch = settings.prefetch;
  if (const auto layers = section.find("layers")) {
    prefetch.layers = layers->flag().value_or(prefetch.layers);
  }
  if (const auto seen = section.find("seen")) read_seen(*seen, settings);
  if (const auto transfers = section.find("transfers")) {
    if (const auto count = transfers->number(1, transfers_max)) {
      prefetch.transfers = static_cast<unsigned>(*count);
    }
  }
  if (const auto forget = section.find("forget")) {
    prefetch.forget = forget->seconds(forget_min, forget_max).value_or(prefetch.forget);
  }
}

}  // namespace archway::proxy
