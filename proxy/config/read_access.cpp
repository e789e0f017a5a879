#include "proxy/config/access.hpp"
#include "proxy/config/htpasswd.hpp"
#include "proxy/config/sections.hpp"
#include "proxy/config/small_file.hpp"

#include <chrono>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;
using Access = Settings::Access;

constexpr std::size_t rules_max = 4096;

constexpr std::pair<std::string_view, Access> accesses[] = {
    {"shared", Access::shared},
    {"client", Access::client},
};

constexpr std::pair<std::string_view, bool> certificates[] = {{"required", true}};

void read_htpasswd_file(const Value& value, Settings::Door& door) {
  const auto path = value.file_path();
  if (!path) return;
  door.htpasswd = *path;
  const auto file = read_small_file(*path, htpasswd_bytes_max);
  if (!file) {
    value.problem(file.error().message);
    return;
  }
  const auto users = read_htpasswd(file->text);
  if (!users) value.problem(path->string() + ": " + users.error().message);
}

void read_rule(const Section& section, std::vector<Settings::ImageAccess::Rule>& rules) {
  const auto match = section.need("match");
  const auto said = section.need("access");
  std::optional<std::string> pattern;
  std::optional<Access> access;
  if (match) pattern = read_pattern(*match, false);
  if (said) access = said->one_of<Access>(accesses);
  if (pattern && access) rules.push_back({.match = *pattern, .access = *access});
}

void read_patterns(const Section& section, std::string_view key,
                   std::vector<std::string>& patterns) {
  const auto value = section.find(key);
  if (!value) return;
  for (const Value& entry : value->list("a list of patterns such as [ghcr.io/acme/*]", rules_max)) {
    if (auto pattern = read_pattern(entry, false)) patterns.push_back(*std::move(pattern));
  }
}

}  // namespace

void read_upstream_access(const Section& section, Settings::Upstream& upstream) {
  const auto access = section.find("access");
  if (access) upstream.access = access->one_of<Access>(accesses);
  if (const auto recheck = section.find("recheck")) {
    if (const auto time = recheck->seconds(1s, 24h)) upstream.recheck = *time;
  }
  const auto certificate = section.find("client_certificate");
  if (certificate && upstream.access == Access::client) {
    access->problem(
        "the registry would judge archway's own client_certificate, not the client; allowed beside "
        "one: shared");
  }
  if (access) return;
  if (certificate && upstream.client_certificate) {
    certificate->problem(
        "everybody who can reach archway could pull what this certificate opens; say beside it "
        "that this is meant, access: shared");
  }
  const auto credentials = section.find("credentials");
  if (!credentials || upstream.credentials.empty()) return;
  credentials->problem(
      "everybody who can reach archway could pull what this account can; say beside it which is "
      "meant, access: shared (they may) or access: client (each needs credentials of their own)");
}

Settings::Door read_door(const Value& value, const Settings::Listener& listener) {
  const Section section(value, "listen[].access");
  Settings::Door door;
  if (const auto from = section.find("from")) {
    for (const Value& entry : from->list("a list of networks such as [10.0.0.0/8]", rules_max)) {
      const auto network = entry.parsed(&resolver::Network::parse, "a network or an address");
      if (network) door.from.push_back(*network);
    }
    if (from->node().kind == Yaml::Kind::sequence && from->node().items.empty()) {
      from->problem("found an empty list, by which nobody would be served; leave the key out");
    }
  }
  if (const auto file = section.find("htpasswd")) read_htpasswd_file(*file, door);
  if (const auto needed = section.find("certificates")) {
    door.certificates = needed->one_of<bool>(certificates).value_or(false);
    const bool asked = listener.tls && !listener.tls->client_ca.empty();
    if (door.certificates && !asked) {
      needed->problem("found without tls.client_ca, which says whose certificates count");
    }
  }
  return door;
}

void read_access(const Section& file, Settings& settings) {
  const auto value = file.find("access");
  if (!value) return;
  const Section access(*value, "access");
  read_patterns(access, "allow", settings.access.allow);
  read_patterns(access, "deny", settings.access.deny);
  const auto rules = access.find("rules");
  if (!rules) return;
  for (const Value& rule : rules->list("a list of rules with match and access", rules_max)) {
    const auto known = settings.access.rules.size();
    read_rule(Section(rule, "access.rules[]"), settings.access.rules);
    if (settings.access.rules.size() == known) continue;
    for (const auto& upstream : settings.upstreams) {
      const bool may_ask = settings.access.rules.back().access == Access::client &&
                           may_concern(settings.access.rules.back().match, upstream.name);
      if (may_ask && upstream.client_certificate) {
        rule.problem("the registry of " + upstream.name +
                     " would judge archway's own client_certificate, not the client");
      }
    }
  }
}

}  // namespace archway::proxy
