#include "proxy/config/print.hpp"

#include "proxy/config/print_access.hpp"
#include "proxy/config/print_upstreams.hpp"
#include "proxy/config/units.hpp"
#include "proxy/config/yaml_writer.hpp"

#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

using resolver::PlatformRules;
using resolver::VerdictPolicy;

std::string_view word(VerdictPolicy::Answer answer) {
  switch (answer) {
    case VerdictPolicy::Answer::resolve: return "resolve";
    case VerdictPolicy::Answer::filter: return "filter";
    case VerdictPolicy::Answer::pass: return "pass";
  }
  return "resolve";
}

std::string_view word(VerdictPolicy::Missing missing) {
  return missing == VerdictPolicy::Missing::refuse ? "refuse" : "pass";
}

std::string_view word(VerdictPolicy::Wrong wrong) {
  switch (wrong) {
    case VerdictPolicy::Wrong::warn: return "warn";
    case VerdictPolicy::Wrong::refuse: return "refuse";
    case VerdictPolicy::Wrong::pass: return "pass";
  }
  return "warn";
}

std::string_view word(PlatformRules::UserAgent user_agent) {
  switch (user_agent) {
    case PlatformRules::UserAgent::hint: return "hint";
    case PlatformRules::UserAgent::decide: return "decide";
    case PlatformRules::UserAgent::ignore: return "ignore";
  }
  return "hint";
}

std::string_view word(metrics::Level level) {
  switch (level) {
    case metrics::Level::debug: return "debug";
    case metrics::Level::info: return "info";
    case metrics::Level::warn: return "warn";
    case metrics::Level::error: return "error";
  }
  return "info";
}

std::string_view word(metrics::LogFormat format) {
  switch (format) {
    case metrics::LogFormat::automatic: return "auto";
    case metrics::LogFormat::text: return "text";
    case metrics::LogFormat::json: return "json";
  }
  return "auto";
}

std::string shown(const Platform& platform) {
  return yaml_scalar(platform.str());
}

std::string shown(const std::vector<Platform>& platforms) {
  std::vector<std::string> texts;
  for (const Platform& platform : platforms) texts.push_back(platform.str());
  return yaml_list(texts);
}

std::string shown(const std::map<std::string, Platform>& platforms) {
  std::string text = "{";
  for (const auto& [name, platform] : platforms) {
    text += (text.size() > 1 ? ", " : "") + yaml_scalar(name) + ": " + shown(platform);
  }
  return text + "}";
}

void print_tls(const Settings::Tls& tls, YamlWriter& writer) {
  writer.open_section("tls");
  writer.value("certificate", yaml_scalar(tls.certificate.string()));
  writer.value("key", yaml_scalar(tls.key.string()));
  if (!tls.client_ca.empty()) {
    writer.value("client_ca", yaml_scalar(tls.client_ca.string()));
    writer.value("clients", tls.client_required ? "require" : "ask");
  }
  writer.close();
}

void print_listeners(const Settings& settings, YamlWriter& writer) {
  writer.open_list("listen");
  for (const Settings::Listener& listener : settings.listen) {
    writer.open_item();
    writer.value("address", yaml_scalar(listener.endpoint.str()));
    if (listener.tls) print_tls(*listener.tls, writer);
    if (listener.access) print_door(*listener.access, writer);
    if (listener.platform) writer.value("platform", shown(*listener.platform));
    writer.close();
  }
  writer.close();
}

void print_process(const Settings& settings, YamlWriter& writer) {
  writer.value("admin", settings.admin ? yaml_scalar(settings.admin->str()) : "none");
  writer.value("drain", time_text(settings.drain));
  writer.value("threads", std::to_string(settings.threads));
  writer.value("connections_max", std::to_string(settings.connections_max));
  writer.value("offline", yaml_truth(settings.offline));
}

void print_cache(const Settings::Cache& cache, YamlWriter& writer) {
  writer.open_section("cache");
  writer.value("directory", yaml_scalar(cache.directory.string()));
  writer.value("max_size", size_text(cache.max_size));
  writer.value("keep_free", size_text(cache.keep_free));
  writer.value("durability", cache.strict ? "strict" : "relaxed");
  writer.value("pin", yaml_list(cache.pin));
  writer.value("scrub", cache.scrub.count() == 0 ? "none" : time_text(cache.scrub));
  writer.close();
}

void print_clients(const PlatformRules& rules, YamlWriter& writer) {
  if (rules.clients.empty()) return;
  writer.open_list("clients");
  for (const auto& client : rules.clients) {
    writer.open_item();
    writer.value("from", yaml_scalar(client.from.str()));
    writer.value("platform", shown(client.platform));
    if (!client.emulates.empty()) writer.value("emulates", shown(client.emulates));
    writer.close();
  }
  writer.close();
}

void print_who(const PlatformRules& rules, YamlWriter& writer) {
  writer.value("header", yaml_scalar(rules.header));
  std::vector<std::string> trust;
  for (const auto& network : rules.trust) trust.push_back(network.str());
  writer.value("trust", yaml_list(trust));
  writer.value("hosts", shown(rules.hosts));
  writer.value("certificates", shown(rules.certificates));
  print_clients(rules, writer);
  writer.value("user_agent", std::string(word(rules.user_agent)));
  writer.value("default", rules.fallback ? shown(*rules.fallback) : "none");
}

void print_policy_rules(const std::vector<Settings::PlatformPolicyRule>& rules,
                        YamlWriter& writer) {
  if (rules.empty()) return;
  writer.open_list("rules");
  for (const auto& rule : rules) {
    writer.open_item();
    writer.value("match", yaml_scalar(rule.match));
    if (rule.answer) writer.value("answer", std::string(word(*rule.answer)));
    if (rule.missing) writer.value("missing", std::string(word(*rule.missing)));
    if (rule.wrong) writer.value("wrong", std::string(word(*rule.wrong)));
    writer.close();
  }
  writer.close();
}

void print_platforms(const Settings& settings, YamlWriter& writer) {
  writer.open_section("platforms");
  print_who(settings.platforms, writer);
  writer.value("answer", std::string(word(settings.policy.answer)));
  writer.value("missing", std::string(word(settings.policy.missing)));
  writer.value("wrong", std::string(word(settings.policy.wrong)));
  const bool trust = settings.platforms.conflict == PlatformRules::Conflict::trust;
  writer.value("conflict", trust ? "trust" : "pass");
  writer.value("allow", shown(settings.policy.allow));
  print_policy_rules(settings.policy_rules, writer);
  writer.close();
}

void print_rewrite(const Settings::Rewrite& rewrite, YamlWriter& writer) {
  writer.open_section("rewrite");
  writer.value("architecture_organisations", yaml_truth(rewrite.architecture_organisations));
  if (!rewrite.rules.empty()) {
    writer.open_list("rules");
    for (const auto& rule : rewrite.rules) {
      writer.open_item();
      writer.value("from", yaml_scalar(rule.from));
      writer.value("to", yaml_scalar(rule.to));
      writer.close();
    }
    writer.close();
  }
  writer.close();
}

void print_images(const std::vector<VirtualImage>& images, YamlWriter& writer) {
  if (images.empty()) return;
  writer.open_section("images");
  for (const VirtualImage& image : images) {
    writer.open_section(yaml_scalar(image.str()));
    for (const auto& member : image.members) {
      std::string name = member.image.str();
      if (member.reference) {
        const bool digest = std::holds_alternative<Digest>(*member.reference);
        name += (digest ? "@" : ":") + str(*member.reference);
      }
      writer.value(shown(member.platform), yaml_scalar(name));
    }
    writer.close();
  }
  writer.close();
}

void print_prefetch(const Settings::Prefetch& prefetch, YamlWriter& writer) {
  writer.open_section("prefetch");
  writer.value("layers", yaml_truth(prefetch.layers));
  writer.value("seen", yaml_truth(prefetch.seen));
  writer.value("transfers", std::to_string(prefetch.transfers));
  writer.value("forget", time_text(prefetch.forget));
  writer.close();
}

void print_timeouts(const Settings::Timeouts& timeouts, YamlWriter& writer) {
  writer.open_section("timeouts");
  writer.value("resolve", time_text(timeouts.resolve));
  writer.value("connect", time_text(timeouts.connect));
  writer.value("tls", time_text(timeouts.tls));
  writer.value("first_byte", time_text(timeouts.first_byte));
  writer.value("stall", time_text(timeouts.stall));
  writer.value("minimum_rate", size_text(timeouts.minimum_rate));
  writer.value("retry_pause", time_text(timeouts.retry_pause));
  writer.value("retry_for", time_text(timeouts.retry_for));
  writer.value("request", time_text(timeouts.request));
  writer.value("idle", time_text(timeouts.idle));
  writer.value("client_stall", time_text(timeouts.client_stall));
  writer.close();
}

void print_log(const Settings& settings, YamlWriter& writer) {
  writer.open_section("log");
  writer.value("level", std::string(word(settings.log_level)));
  writer.value("format", std::string(word(settings.log_format)));
  writer.close();
}

}  // namespace

std::string print_settings(const Settings& settings, bool comments) {
  YamlWriter writer(comments);
  print_listeners(settings, writer);
  print_process(settings, writer);
  print_cache(settings.cache, writer);
  print_upstreams(settings, writer);
  print_access(settings.access, writer);
  print_tags(settings.tags, writer);
  print_platforms(settings, writer);
  print_rewrite(settings.rewrite, writer);
  print_images(settings.images, writer);
  print_prefetch(settings.prefetch, writer);
  print_timeouts(settings.timeouts, writer);
  print_log(settings, writer);
  return writer.finish();
}

}  // namespace archway::proxy
