#include "proxy/config/sections.hpp"

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t rules_max = 4096;
constexpr auto longest = std::chrono::seconds(std::chrono::hours(24) * 3650);

constexpr std::size_t networks_max = 4096;
constexpr auto absent_longest = std::chrono::seconds(5min);

void read_rule(const Section& rule, resolver::TagRules& tags) {
  const auto match = rule.need("match");
  std::optional<std::string> pattern;
  if (match) pattern = read_pattern(*match, true);
  const bool says = rule.find("fresh_for") || rule.find("stale_for") || rule.find("serve_deleted");
  if (!says) rule.value().problem("one of fresh_for, stale_for and serve_deleted is missing");
  auto changes = read_tag_changes(rule);
  if (pattern && says) tags.rules.push_back({.match = *pattern, .changes = changes});
}

void read_no_cache_from(const Value& value, resolver::TagRules& tags) {
  for (const Value& entry : value.list("a list of networks such as [10.0.0.0/8]", networks_max)) {
    const auto network = entry.parsed(&resolver::Network::parse, "a network such as 10.20.0.0/16");
    if (network) tags.no_cache_from.push_back(*network);
  }
}

}  // namespace

resolver::TagChanges read_tag_changes(const Section& section) {
  resolver::TagChanges changes;
  if (const auto value = section.find("fresh_for")) changes.fresh_for = value->seconds(0s, longest);
  if (const auto value = section.find("stale_for")) changes.stale_for = value->seconds(0s, longest);
  if (const auto value = section.find("serve_deleted")) changes.serve_deleted = value->flag();
  return changes;
}

void read_tags(const Section& file, Settings& settings) {
  const auto value = file.find("tags");
  if (!value) return;
  const Section tags(*value, "tags");
  const auto changes = read_tag_changes(tags);
  auto& all = settings.tags;
  all.fresh_for = changes.fresh_for.value_or(all.fresh_for);
  all.stale_for = changes.stale_for.value_or(all.stale_for);
  all.serve_deleted = changes.serve_deleted.value_or(all.serve_deleted);
  if (const auto absent_for = tags.find("absent_for")) {
    if (const auto time = absent_for->seconds(0s, absent_longest)) settings.tags.absent_for = *time;
  }
  if (const auto networks = tags.find("no_cache_from")) {
    read_no_cache_from(*networks, settings.tags);
  }
  const auto rules = tags.find("rules");
  if (!rules) return;
  for (const Value& rule : rules->list("a list of rules with match and fresh_for", rules_max)) {
    read_rule(Section(rule, "tags.rules[]"), settings.tags);
  }
}

}  // namespace archway::proxy
