#include "proxy/config/print_upstreams.hpp"

#include "proxy/config/defaults.hpp"
#include "proxy/config/print.hpp"
#include "proxy/config/print_access.hpp"
#include "proxy/config/print_transport.hpp"
#include "proxy/config/units.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

/// The keys of one way to log in, with their values.
std::vector<std::pair<std::string_view, std::string>> shown(const Settings::Credentials& one) {
  if (!one.helper.empty()) return {{"helper", yaml_scalar(one.helper)}};
  if (!one.docker_config.empty()) {
    return {{"docker_config", yaml_scalar(one.docker_config.string())}};
  }
  const std::pair<std::string_view, std::string> name{"username", yaml_scalar(one.username)};
  if (one.password_file.empty()) return {name, {"password", yaml_scalar(masked_secret)}};
  return {name, {"password_file", yaml_scalar(one.password_file.string())}};
}

void print_credentials(const std::vector<Settings::Credentials>& all, YamlWriter& writer) {
  if (all.size() == 1) {
    writer.open_section("credentials");
    for (const auto& [key, value] : shown(all.front())) writer.value(key, value);
    writer.close();
    return;
  }
  std::string list;
  for (const auto& one : all) {
    std::string entry;
    for (const auto& [key, value] : shown(one)) {
      entry += (entry.empty() ? "" : ", ") + std::string(key) + ": " + value;
    }
    list += (list.empty() ? "[{" : ", {") + entry + "}";
  }
  if (!all.empty()) writer.value("credentials", list + "]");
}

void print_changes(const resolver::TagChanges& changes, YamlWriter& writer) {
  if (changes.fresh_for) writer.value("fresh_for", time_text(*changes.fresh_for));
  if (changes.stale_for) writer.value("stale_for", time_text(*changes.stale_for));
  if (changes.serve_deleted) writer.value("serve_deleted", yaml_truth(*changes.serve_deleted));
}

void print_bounds(const Settings::Upstream& upstream, const resolver::TagRules& tags,
                  YamlWriter& writer) {
  if (upstream.requests > 0) writer.value("requests", std::to_string(upstream.requests));
  if (upstream.bandwidth > 0) writer.value("bandwidth", size_text(upstream.bandwidth));
  const auto changes = tags.upstreams.find(upstream.name);
  if (changes == tags.upstreams.end()) return;
  writer.open_section("tags");
  print_changes(changes->second, writer);
  writer.close();
}

void print_upstream(const Settings::Upstream& upstream, const resolver::TagRules& tags,
                    YamlWriter& writer) {
  writer.open_item();
  writer.value("name", yaml_scalar(upstream.name));
  print_urls(upstream, writer);
  if (upstream.is_default) writer.value("default", yaml_truth(true));
  print_credentials(upstream.credentials, writer);
  print_transport(upstream, writer);
  if (!upstream.hosts.empty()) writer.value("hosts", yaml_list(upstream.hosts));
  // Docker Hub has one by default: there an empty list must be said.
  if (!upstream.token_realms.empty() || !upstream_by_name(upstream.name).token_realms.empty()) {
    writer.value("token_realms", yaml_list(upstream.token_realms));
  }
  print_upstream_access(upstream, writer);
  print_bounds(upstream, tags, writer);
  writer.close();
}

}  // namespace

void print_upstreams(const Settings& settings, YamlWriter& writer) {
  writer.open_list("upstreams");
  for (const Settings::Upstream& upstream : settings.upstreams) {
    print_upstream(upstream, settings.tags, writer);
  }
  writer.close();
}

void print_tags(const resolver::TagRules& tags, YamlWriter& writer) {
  writer.open_section("tags");
  writer.value("fresh_for", time_text(tags.fresh_for));
  writer.value("stale_for", time_text(tags.stale_for));
  writer.value("serve_deleted", yaml_truth(tags.serve_deleted));
  writer.value("absent_for", time_text(tags.absent_for));
  std::vector<std::string> networks;
  for (const auto& network : tags.no_cache_from) networks.push_back(network.str());
  writer.value("no_cache_from", yaml_list(networks));
  if (!tags.rules.empty()) {
    writer.open_list("rules");
    for (const auto& rule : tags.rules) {
      writer.open_item();
      writer.value("match", yaml_scalar(rule.match));
      print_changes(rule.changes, writer);
      writer.close();
    }
    writer.close();
  }
  writer.close();
}

}  // namespace archway::proxy
