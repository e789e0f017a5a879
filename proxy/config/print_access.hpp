#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/config/yaml_writer.hpp"

/// The part of print_settings() that says who is served what.
namespace archway::proxy {

void print_door(const Settings::Door& door, YamlWriter& writer);
void print_access(const Settings::ImageAccess& access, YamlWriter& writer);
void print_upstream_access(const Settings::Upstream& upstream, YamlWriter& writer);

}  // namespace archway::proxy
