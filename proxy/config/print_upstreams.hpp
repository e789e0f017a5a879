#pragma once

#include "proxy/config/settings.hpp"
#include "proxy/config/yaml_writer.hpp"

#include <string>

namespace archway::proxy {

/// The parts of print_settings() about upstreams, and about how long their tags are believed.
void print_upstreams(const Settings& settings, YamlWriter& writer);
void print_tags(const resolver::TagRules& tags, YamlWriter& writer);

}  // namespace archway::proxy
