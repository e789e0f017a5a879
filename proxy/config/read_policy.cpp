#include "proxy/config/sections.hpp"
#include "resolver/glob.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

using resolver::VerdictPolicy;
using Answer = VerdictPolicy::Answer;
using Missing = VerdictPolicy::Missing;
using Wrong = VerdictPolicy::Wrong;
using Rule = Settings::PlatformPolicyRule;

constexpr std::size_t rules_max = 4096;
constexpr std::size_t allow_max = 256;

constexpr std::pair<std::string_view, Answer> answers[] = {
    {"resolve", Answer::resolve},
    {"filter", Answer::filter},
    {"pass", Answer::pass},
};
constexpr std::pair<std::string_view, Missing> missings[] = {
    {"pass", Missing::pass},
    {"refuse", Missing::refuse},
};
constexpr std::pair<std::string_view, Wrong> wrongs[] = {
    {"warn", Wrong::warn},
    {"refuse", Wrong::refuse},
    {"pass", Wrong::pass},
};

/// True when `arm` was written and no more: for a machine that is arm/v7, but an operator who
/// allows arm allows all of it.
bool is_any_arm(std::string_view written) {
  return written == "arm" || written.ends_with("/arm");
}

void read_allow(const Value& value, std::vector<Platform>& allow) {
  for (const Value& entry :
       value.list("a list of platforms such as [linux/amd64, linux/arm64]", allow_max)) {
    auto platform = read_platform(entry);
    if (!platform) continue;
    if (is_any_arm(entry.node().text)) platform->variant.clear();
    if (std::find(allow.begin(), allow.end(), *platform) != allow.end()) {
      entry.problem("found " + platform->str() + " a second time");
    } else {
      allow.push_back(*std::move(platform));
    }
  }
}

/// True when nothing matches `later` that `earlier` does not match. Found for patterns of plain
/// characters and stars, and for equal ones; of others nothing is said.
bool covers(const std::string& earlier, const std::string& later) {
  if (earlier == later) return true;
  const bool simple = earlier.find_first_of("?[\\") == std::string::npos &&
                      later.find_first_of("[\\") == std::string::npos;
  // A star takes the later pattern's stars and question marks as it takes what they stand for.
  return simple && resolver::glob_matches(earlier, later);
}

void warn_of_cover(const Value& match, const std::string& pattern, const std::vector<Rule>& rules) {
  const auto earlier = std::find_if(rules.begin(), rules.end(),
                                    [&](const Rule& rule) { return covers(rule.match, pattern); });
  if (earlier == rules.end()) return;
  match.reading().warn(match.at(), match.path() + ": " + quoted_for_message(pattern) +
                                       " is never reached: the rule for " +
                                       quoted_for_message(earlier->match) + " comes first");
}

void read_rule(const Section& section, std::vector<Rule>& rules) {
  const auto match = section.need("match");
  std::optional<std::string> pattern;
  if (match) pattern = read_pattern(*match, false);
  Rule rule;
  rule.answer = read_word<Answer>(section, "answer", answers);
  rule.missing = read_word<Missing>(section, "missing", missings);
  rule.wrong = read_word<Wrong>(section, "wrong", wrongs);
  const auto missing = section.find("missing");
  const bool says = missing || section.find("answer") || section.find("wrong");
  // What is no mapping at all was reported as such.
  if (!says && section.value().node().kind == Yaml::Kind::mapping) {
    section.value().problem("found no answer, missing or wrong; allowed: at least one of them");
  }
  if (rule.answer == Answer::pass && rule.missing == Missing::refuse) {
    missing->problem(
        "found refuse beside answer: pass, which looks for no platform; allowed: one "
        "of the two");
  }
  if (!pattern) return;
  warn_of_cover(*match, *pattern, rules);
  rule.match = *pattern;
  rules.push_back(std::move(rule));
}

}  // namespace

void read_policy(const Section& platforms, Settings& settings) {
  VerdictPolicy& policy = settings.policy;
  policy.answer = read_word<Answer>(platforms, "answer", answers).value_or(policy.answer);
  policy.missing = read_word<Missing>(platforms, "missing", missings).value_or(policy.missing);
  policy.wrong = read_word<Wrong>(platforms, "wrong", wrongs).value_or(policy.wrong);
  if (const auto allow = platforms.find("allow")) read_allow(*allow, policy.allow);
  const auto rules = platforms.find("rules");
  if (!rules) return;
  for (const Value& entry : rules->list("a list of rules with match and answer", rules_max)) {
    read_rule(Section(entry, "platforms.rules[]"), settings.policy_rules);
  }
}

}  // namespace archway::proxy
