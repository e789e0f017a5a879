#include "proxy/config/sections.hpp"

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t rules_max = 4096;
constexpr auto longest = std::chrono::seconds(std::chrono::hours(24) * 3650);

void read_rule(const Section& rule, resolver::TagRules& tags) {
  const auto match = rule.need("match");
  const auto fresh_for = rule.need("fresh_for");
  std::optional<std::string> pattern;
  std::optional<std::chrono::seconds> time;
  if (match) pattern = read_pattern(*match, true);
  if (fresh_for) time = fresh_for->seconds(0s, longest);
  if (pattern && time) tags.rules.push_back({.match = *pattern, .fresh_for = *time});
}

}  // namespace

void read_tags(const Section& file, Settings& settings) {
  const auto value = file.find("tags");
  if (!value) return;
  const Section tags(*value, "tags");
  if (const auto fresh_for = tags.find("fresh_for")) {
    if (const auto time = fresh_for->seconds(0s, longest)) settings.tags.fresh_for = *time;
  }
  if (const auto stale_for = tags.find("stale_for")) {
    if (const auto time = stale_for->seconds(0s, longest)) settings.tags.stale_for = *time;
  }
  const auto rules = tags.find("rules");
  if (!rules) return;
  for (const Value& rule : rules->list("a list of rules with match and fresh_for", rules_max)) {
    read_rule(Section(rule, "tags.rules[]"), settings.tags);
  }
}

}  // namespace archway::proxy
