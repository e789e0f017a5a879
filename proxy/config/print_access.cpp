#include "proxy/config/print_access.hpp"

#include "proxy/config/units.hpp"

namespace archway::proxy {
namespace {

using Access = Settings::Access;

std::string word(Access access) {
  return access == Access::client ? "client" : "shared";
}

}  // namespace

void print_door(const Settings::Door& door, YamlWriter& writer) {
  writer.open_section("access");
  std::vector<std::string> from;
  for (const auto& network : door.from) from.push_back(network.str());
  if (!from.empty()) writer.value("from", yaml_list(from));
  if (!door.htpasswd.empty()) writer.value("htpasswd", yaml_scalar(door.htpasswd.string()));
  if (door.certificates) writer.value("certificates", "required");
  writer.close();
}

void print_access(const Settings::ImageAccess& access, YamlWriter& writer) {
  writer.open_section("access");
  writer.value("allow", yaml_list(access.allow));
  writer.value("deny", yaml_list(access.deny));
  if (!access.rules.empty()) {
    writer.open_list("rules");
    for (const auto& rule : access.rules) {
      writer.open_item();
      writer.value("match", yaml_scalar(rule.match));
      writer.value("access", word(rule.access));
      writer.close();
    }
    writer.close();
  }
  writer.close();
}

void print_upstream_access(const Settings::Upstream& upstream, YamlWriter& writer) {
  if (upstream.access) writer.value("access", word(*upstream.access));
  const Settings::Upstream by_default{.name = "", .url = upstream.url};
  if (upstream.access == Access::client || upstream.recheck != by_default.recheck) {
    writer.value("recheck", time_text(upstream.recheck));
  }
}

}  // namespace archway::proxy
