#include "resolver/client_platform.hpp"

#include "resolver/accept.hpp"
#include "resolver/model/media_type.hpp"
#include "resolver/model/text.hpp"
#include "resolver/user_agent.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace archway::resolver {
namespace {

/// A platform and who stated it.
struct Statement {
  Platform platform;
  PlatformSource source;
};

bool is_trusted(const PlatformRules& rules, const Address& address) {
  return rules.trust.empty() ||
         std::any_of(rules.trust.begin(), rules.trust.end(),
                     [&](const Network& network) { return network.contains(address); });
}

/// The first platform that can be read from the header's lines, each maybe a list.
Result<Platform> read_header(const ClientFacts& facts, const PlatformRules& rules) {
  Result<Platform> first_failure = Platform::parse("");
  bool failed = false;
  for (auto line : facts.header) {
    for (bool more = true; more;) {
      const auto comma = line.find(',');
      auto platform = Platform::parse(trimmed(line.substr(0, comma)));
      if (platform) return platform;
      if (!failed) first_failure = std::move(platform);
      failed = true;
      more = comma != std::string_view::npos;
      if (more) line.remove_prefix(comma + 1);
    }
  }
  auto error = first_failure.error();
  error.message = "the request header " + rules.header + " cannot be read: " + error.message;
  return error;
}

/// `mirror.lan:5000`, `[::1]:5000` -> the host, lower-case, without port, brackets or last dot.
std::string bare_host(std::string_view host) {
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string result(host);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

const Platform* find(const std::map<std::string, Platform>& rules, const std::string& key) {
  const auto found = key.empty() ? rules.end() : rules.find(key);
  return found == rules.end() ? nullptr : &found->second;
}

/// The rule of the longest prefix; of two equally long ones the first.
const PlatformRules::ClientRule* client_rule(const PlatformRules& rules, const Address& address) {
  const PlatformRules::ClientRule* best = nullptr;
  for (const auto& rule : rules.clients) {
    if (!rule.from.contains(address)) continue;
    if (best == nullptr || rule.from.prefix_bits > best->from.prefix_bits) best = &rule;
  }
  return best;
}

/// What the operator's rules say, strongest first: none of it comes from the client itself.
std::optional<Statement> from_rules(const ClientFacts& facts, const PlatformRules& rules) {
  if (const auto* platform = find(rules.hosts, bare_host(facts.host))) {
    return Statement{*platform, PlatformSource::host};
  }
  if (const auto* platform = find(rules.hosts, bare_host(facts.server_name))) {
    return Statement{*platform, PlatformSource::host};
  }
  if (facts.listener) return Statement{*facts.listener, PlatformSource::listener};
  if (const auto* platform = find(rules.certificates, std::string(facts.certificate))) {
    return Statement{*platform, PlatformSource::certificate};
  }
  if (const auto* rule = client_rule(rules, facts.address)) {
    return Statement{rule->platform, PlatformSource::address};
  }
  return std::nullopt;
}

bool same_machine(const Platform& a, const Platform& b) {
  return a.os == b.os && a.architecture == b.architecture;
}

/// The sentence for the log, "" when rule and hint agree.
std::string conflict_of(const Statement& rule, const std::optional<Platform>& hint) {
  if (!hint || same_machine(rule.platform, *hint)) return "";
  return "a rule (" + std::string(name(rule.source)) + ") says that the client is " +
         rule.platform.str() + ", but its User-Agent says " + hint->str();
}

ClientPlatform stated(Statement statement, const ClientFacts& facts, const PlatformRules& rules) {
  ClientPlatform client{
      .platform = statement.platform.normalised(), .source = statement.source, .resolves = true};
  // What a machine emulates is a fact about the machine at that address, so it holds as long as
  // whoever spoke means that machine's own platform.
  const auto* rule = client_rule(rules, facts.address);
  if (rule != nullptr && same_machine(rule->platform.normalised(), *client.platform)) {
    client.emulates = rule->emulates;
  }
  return client;
}

ClientPlatform guessed(std::optional<Platform> hint, const ClientFacts& facts,
                       const PlatformRules& rules) {
  const bool helpless = cannot_choose(facts.accept);
  ClientPlatform client;
  if (hint) {
    client.source = PlatformSource::user_agent;
    client.resolves = helpless || rules.user_agent == PlatformRules::UserAgent::decide;
    client.variant_unknown = variant_is_missing(*hint);
    client.platform = std::move(hint);
  } else if (helpless && rules.fallback) {
    client.source = PlatformSource::fallback;
    client.resolves = true;
    client.platform = rules.fallback->normalised();
  }
  return client;
}

}  // namespace

std::string_view name(PlatformSource source) noexcept {
  switch (source) {
    case PlatformSource::path: return "path";
    case PlatformSource::header: return "header";
    case PlatformSource::host: return "host";
    case PlatformSource::listener: return "listener";
    case PlatformSource::certificate: return "certificate";
    case PlatformSource::address: return "address";
    case PlatformSource::user_agent: return "user-agent";
    case PlatformSource::fallback: return "default";
    case PlatformSource::none: return "none";
  }
  return "unknown";
}

std::string_view phrase(PlatformSource source) noexcept {
  switch (source) {
    case PlatformSource::path: return "as the path of the request says";
    case PlatformSource::header: return "as a header of the request says";
    case PlatformSource::host: return "as the host name that was asked says";
    case PlatformSource::listener: return "as the port that was asked says";
    case PlatformSource::certificate: return "as the client's certificate says";
    case PlatformSource::address: return "as the client's address says";
    case PlatformSource::user_agent: return "as the client's User-Agent says";
    case PlatformSource::fallback: return "as is the default for clients that cannot choose";
    case PlatformSource::none: return "as nobody says";
  }
  return "as nobody says";
}

Result<ClientPlatform> client_platform(const ClientFacts& facts, const PlatformRules& rules) {
  if (is_trusted(rules, facts.address)) {
    if (facts.path) return stated({*facts.path, PlatformSource::path}, facts, rules);
    if (!facts.header.empty()) {
      auto platform = read_header(facts, rules);
      if (!platform) return std::move(platform).error();
      return stated({*std::move(platform), PlatformSource::header}, facts, rules);
    }
  }
  std::optional<Platform> hint;
  if (rules.user_agent != PlatformRules::UserAgent::ignore) {
    hint = hinted_platform(parse_user_agent(facts.user_agent));
  }
  const auto rule = from_rules(facts, rules);
  if (!rule) return guessed(std::move(hint), facts, rules);
  auto client = stated(*rule, facts, rules);
  client.conflict = conflict_of({*client.platform, rule->source}, hint);
  if (!client.conflict.empty() && rules.conflict == PlatformRules::Conflict::pass) {
    client.resolves = false;
  }
  return client;
}

bool cannot_choose(const std::vector<std::string_view>& accept) {
  const auto ranges = read_accept(accept);
  return !ranges.empty() && !accepts(ranges, media_type::oci_index) &&
         !accepts(ranges, media_type::docker_list);
}

}  // namespace archway::resolver
