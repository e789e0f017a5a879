#include "proxy/config/sections.hpp"

#include <algorithm>
#include <array>

namespace archway::proxy {
namespace {

using resolver::Network;
using resolver::PlatformRules;

constexpr std::size_t entries_max = 4096;
constexpr std::size_t emulates_max = 32;
constexpr std::size_t header_bytes_max = 64;
constexpr std::size_t common_name_bytes_max = 256;

constexpr std::pair<std::string_view, PlatformRules::UserAgent> user_agents[] = {
    {"hint", PlatformRules::UserAgent::hint},
    {"decide", PlatformRules::UserAgent::decide},
    {"ignore", PlatformRules::UserAgent::ignore},
};
constexpr std::pair<std::string_view, PlatformRules::Conflict> conflicts[] = {
    {"pass", PlatformRules::Conflict::pass},
    {"trust", PlatformRules::Conflict::trust},
};

/// Headers that mean something else already: by one of them every client would state a platform.
constexpr std::array<std::string_view, 14> taken_headers = {"accept",
                                                            "accept-encoding",
                                                            "authorization",
                                                            "connection",
                                                            "content-length",
                                                            "cookie",
                                                            "expect",
                                                            "host",
                                                            "if-range",
                                                            "range",
                                                            "te",
                                                            "transfer-encoding",
                                                            "upgrade",
                                                            "user-agent"};

void read_header(const Value& value, PlatformRules& rules) {
  constexpr std::string_view form = "a header's name, such as Archway-Platform";
  const auto name = value.text(form);
  if (!name) return;
  std::string lower;
  bool valid = name->size() <= header_bytes_max;
  for (const char c : *name) {
    const bool upper = c >= 'A' && c <= 'Z';
    lower += upper ? static_cast<char>(c - 'A' + 'a') : c;
    valid = valid && ((lower.back() >= 'a' && lower.back() <= 'z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_');
  }
  if (!valid) {
    value.refuse(form);
  } else if (std::find(taken_headers.begin(), taken_headers.end(), lower) != taken_headers.end()) {
    value.problem("found " + quoted_for_message(*name) +
                  ", which has a meaning of its own; allowed: " + std::string(form));
  } else {
    rules.header = *name;
  }
}

void read_trust(const Value& value, PlatformRules& rules) {
  for (const Value& entry : value.list("a list of networks such as [10.0.0.0/8]", entries_max)) {
    const auto network = entry.parsed(&Network::parse, "a network such as 10.20.0.0/16");
    if (network) rules.trust.push_back(*network);
  }
}

void read_hosts(const Value& value, PlatformRules& rules) {
  const auto pairs = value.pairs("a mapping such as {arm64.mirror.lan: linux/arm64}", entries_max);
  for (const auto& [key, item] : pairs) {
    const auto host = read_host(key);
    const auto platform = read_platform(item);
    if (!host || !platform) continue;
    if (!rules.hosts.emplace(*host, *platform).second) {
      key.problem("found " + quoted_for_message(*host) + " a second time");
    }
  }
}

/// A subject's common name is any text: compared as it is, never as a pattern.
std::optional<std::string> read_common_name(const Value& value) {
  constexpr std::string_view form =
      "a certificate's common name, at most 256 bytes without control characters";
  auto name = value.text(form);
  if (!name) return std::nullopt;
  const bool controls = std::any_of(name->begin(), name->end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!controls && name->size() <= common_name_bytes_max) return name;
  value.refuse(form);
  return std::nullopt;
}

void read_certificates(const Value& value, Settings& settings) {
  const auto pairs = value.pairs("a mapping such as {pi-07: linux/arm64}", entries_max);
  for (const auto& [key, item] : pairs) {
    const auto name = read_common_name(key);
    const auto platform = read_platform(item);
    if (!name || !platform) continue;
    if (!settings.platforms.certificates.emplace(*name, *platform).second) {
      key.problem("found " + quoted_for_message(*name) + " a second time");
    }
  }
  const bool asked = std::any_of(
      settings.listen.begin(), settings.listen.end(),
      [](const auto& listener) { return listener.tls && !listener.tls->client_ca.empty(); });
  if (asked || pairs.empty()) return;
  value.reading().warn(value.at(), value.path() +
                                       ": no listener asks for certificates "
                                       "(listen[].tls.client_ca), so nobody is found here");
}

void check_new(const Value& from, const Network& network, const PlatformRules& rules) {
  const auto same = [&](const auto& rule) { return rule.from == network; };
  if (std::any_of(rules.clients.begin(), rules.clients.end(), same)) {
    from.problem("found " + network.str() + " a second time");
  }
}

void read_client(const Section& section, PlatformRules& rules) {
  const auto from_value = section.need("from");
  const auto platform_value = section.need("platform");
  std::optional<Network> from;
  std::optional<Platform> platform;
  if (from_value) from = from_value->parsed(&Network::parse, "a network such as 10.20.0.0/16");
  if (from) check_new(*from_value, *from, rules);
  if (platform_value) platform = read_platform(*platform_value);
  std::vector<Platform> emulates;
  if (const auto value = section.find("emulates")) {
    for (const Value& entry :
         value->list("a list of platforms such as [linux/amd64]", emulates_max)) {
      if (auto also = read_platform(entry)) emulates.push_back(*std::move(also));
    }
  }
  if (from && platform) {
    rules.clients.push_back(
        {.from = *from, .platform = *platform, .emulates = std::move(emulates)});
  }
}

void read_default(const Value& value, PlatformRules& rules) {
  if (value.node().kind == Yaml::Kind::scalar && value.node().text == "none") {
    rules.fallback.reset();
  } else if (auto platform = read_platform(value)) {
    rules.fallback = std::move(platform);
  }
}

}  // namespace

void read_platforms(const Section& file, Settings& settings) {
  const auto value = file.find("platforms");
  if (!value) return;
  const Section section(*value, "platforms");
  PlatformRules& rules = settings.platforms;
  if (const auto header = section.find("header")) read_header(*header, rules);
  if (const auto trust = section.find("trust")) read_trust(*trust, rules);
  if (const auto hosts = section.find("hosts")) read_hosts(*hosts, rules);
  if (const auto names = section.find("certificates")) read_certificates(*names, settings);
  if (const auto clients = section.find("clients")) {
    for (const Value& entry :
         clients->list("a list of rules with from and platform", entries_max)) {
      read_client(Section(entry, "platforms.clients[]"), rules);
    }
  }
  const auto user_agent = read_word<PlatformRules::UserAgent>(section, "user_agent", user_agents);
  rules.user_agent = user_agent.value_or(rules.user_agent);
  if (const auto fallback = section.find("default")) read_default(*fallback, rules);
  const auto conflict = read_word<PlatformRules::Conflict>(section, "conflict", conflicts);
  rules.conflict = conflict.value_or(rules.conflict);
  read_policy(section, settings);
}

}  // namespace archway::proxy
