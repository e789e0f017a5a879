#include "proxy/config/access.hpp"

#include "resolver/glob.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

using Access = Settings::Access;

const Settings::Upstream* find_upstream(const Settings& settings, std::string_view name) {
  const auto found =
      std::find_if(settings.upstreams.begin(), settings.upstreams.end(),
                   [&](const Settings::Upstream& upstream) { return upstream.name == name; });
  return found == settings.upstreams.end() ? nullptr : &*found;
}

const std::string* find_match(const std::vector<std::string>& patterns, const std::string& name) {
  const auto found = std::find_if(
      patterns.begin(), patterns.end(),
      [&](const std::string& pattern) { return resolver::glob_matches(pattern, name); });
  return found == patterns.end() ? nullptr : &*found;
}

Error not_listed(std::string message, std::string context) {
  return {.code = Errc::denied, .message = std::move(message), .context = std::move(context)};
}

}  // namespace

bool may_concern(const std::string& pattern, std::string_view upstream) {
  const std::string names = std::string(upstream) + "/";
  const auto plain = pattern.substr(0, pattern.find_first_of("*?[\\"));
  return names.starts_with(plain) || plain.starts_with(names);
}

Access access_for(const Settings& settings, const ImageName& image) {
  const auto name = image.str();
  for (const auto& rule : settings.access.rules) {
    if (resolver::glob_matches(rule.match, name)) return rule.access;
  }
  const auto* upstream = find_upstream(settings, image.upstream);
  return upstream == nullptr ? Access::shared : upstream->access.value_or(Access::shared);
}

bool may_ask_clients(const Settings& settings, std::string_view upstream) {
  const auto* found = find_upstream(settings, upstream);
  if (found != nullptr && found->access == Access::client) return true;
  const auto& rules = settings.access.rules;
  return std::any_of(rules.begin(), rules.end(), [&](const auto& rule) {
    return rule.access == Access::client && may_concern(rule.match, upstream);
  });
}

bool may_ask_clients(const Settings& settings) {
  return std::any_of(
      settings.upstreams.begin(), settings.upstreams.end(),
      [&](const Settings::Upstream& upstream) { return may_ask_clients(settings, upstream.name); });
}

std::chrono::seconds recheck_of(const Settings& settings, std::string_view upstream) {
  const auto* found = find_upstream(settings, upstream);
  return found == nullptr ? std::chrono::seconds(0) : found->recheck;
}

bool is_borrowed(const Settings& settings, const ImageName& image) {
  const auto* upstream = find_upstream(settings, image.upstream);
  return upstream != nullptr && upstream->credentials.empty() &&
         access_for(settings, image) == Access::client;
}

Result<void> check_listed(const Settings& settings, const ImageName& image) {
  const auto name = image.str();
  const auto& lists = settings.access;
  if (const auto* denied = find_match(lists.deny, name)) {
    return not_listed(name + " is not served here: access.deny has " + *denied, "access.deny");
  }
  if (lists.allow.empty() || find_match(lists.allow, name) != nullptr) return {};
  return not_listed(name + " is not served here: nothing in access.allow matches it",
                    "access.allow");
}

}  // namespace archway::proxy
