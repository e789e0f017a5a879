#include "proxy/config/settings.hpp"

#include "proxy/config/known_upstreams.hpp"
#include "resolver/glob.hpp"

#include <algorithm>
#include <sstream>

namespace archway::proxy {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool is_configured(const Settings& settings, const std::string& name) {
  return std::any_of(settings.upstreams.begin(), settings.upstreams.end(),
                     [&](const Settings::Upstream& upstream) { return upstream.name == name; });
}

}  // namespace

std::string Settings::Endpoint::str() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

resolver::VerdictPolicy policy_for(const Settings& settings, const ImageName& image,
                                   std::string* rule) {
  resolver::VerdictPolicy policy = settings.policy;
  const std::string name = image.str();
  const auto& rules = settings.policy_rules;
  const auto first = std::find_if(rules.begin(), rules.end(), [&](const auto& candidate) {
    return resolver::glob_matches(candidate.match, name);
  });
  if (first == rules.end()) return policy;
  policy.answer = first->answer.value_or(policy.answer);
  policy.missing = first->missing.value_or(policy.missing);
  policy.wrong = first->wrong.value_or(policy.wrong);
  if (rule != nullptr) *rule = first->match;
  return policy;
}

resolver::UpstreamNames upstream_names(const Settings& settings) {
  resolver::UpstreamNames names;
  for (const Settings::Upstream& upstream : settings.upstreams) {
    resolver::UpstreamNames::Entry entry{.name = upstream.name, .hosts = upstream.hosts};
    if (const KnownUpstream* known = find_known_upstream(upstream.name)) {
      entry.aliases = words_of(known->aliases);
      // A name of its own in the configuration is stronger than another's alias.
      std::erase_if(entry.aliases,
                    [&](const auto& alias) { return is_configured(settings, alias); });
      entry.adds_library = known->adds_library;
    }
    if (upstream.is_default) names.default_name = upstream.name;
    names.entries.push_back(std::move(entry));
  }
  return names;
}

}  // namespace archway::proxy
