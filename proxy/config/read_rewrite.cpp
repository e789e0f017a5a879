#include "proxy/config/sections.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

using resolver::RewriteRule;
using resolver::UpstreamNames;

/// Each is tried for every request in turn.
constexpr std::size_t rules_max = 256;

/// The resolver's message without the rule's number there: it was alone.
std::string which(const RewriteRule& rule, std::string_view message) {
  constexpr std::size_t repeated_max = 255;
  const std::string start = "rewrite rule 1 (\"" + rule.from.substr(0, repeated_max) + "\") ";
  if (!message.starts_with(start)) return std::string(message);
  return "found " + quoted_for_message(rule.from) + ", which " +
         std::string(message.substr(start.size()));
}

void read_rule(const Value& entry, const UpstreamNames& names, std::vector<RewriteRule>& rules) {
  const Section section(entry, "rewrite.rules[]");
  const auto from_value = section.need("from");
  const auto to_value = section.need("to");
  std::optional<std::string> from;
  std::optional<std::string> to;
  if (from_value) {
    from = from_value->text("a regular expression such as \"docker.io/(.*)-arm64\"");
  }
  if (to_value) to = to_value->text("a name such as \"docker.io/$1\"");
  if (!from || !to) return;
  RewriteRule rule{.from = *from, .to = *to};
  // Alone, so that what is wrong is known to be wrong with this one.
  const auto compiled = resolver::Rewriter::make({rule}, false, names);
  if (!compiled) {
    entry.problem(which(rule, compiled.error().message));
  } else {
    rules.push_back(std::move(rule));
  }
}

void read_organisations(const Value& value, const UpstreamNames& names, bool& organisations) {
  organisations = value.flag().value_or(organisations);
  const auto& entries = names.entries;
  const bool has_hub = std::any_of(entries.begin(), entries.end(),
                                   [](const auto& entry) { return entry.name == "docker.io"; });
  if (!organisations || has_hub) return;
  value.reading().warn(value.at(), value.path() +
                                       ": docker.io is not one of the upstreams, so there is "
                                       "nothing to rewrite");
}

}  // namespace

void read_rewrite(const Section& file, Settings& settings) {
  const auto value = file.find("rewrite");
  if (!value) return;
  const Section section(*value, "rewrite");
  const UpstreamNames names = upstream_names(settings);
  if (const auto organisations = section.find("architecture_organisations")) {
    read_organisations(*organisations, names, settings.rewrite.architecture_organisations);
  }
  const auto rules = section.find("rules");
  if (!rules) return;
  for (const Value& entry : rules->list("a list of rules with from and to", rules_max)) {
    read_rule(entry, names, settings.rewrite.rules);
  }
}

}  // namespace archway::proxy
