#include "proxy/config/settings.hpp"

#include "proxy/config/known_upstreams.hpp"

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
