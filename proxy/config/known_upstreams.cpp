#include "proxy/config/known_upstreams.hpp"

#include <algorithm>
#include <array>

namespace archway::proxy {
namespace {

constexpr auto table = std::to_array<KnownUpstream>({
    {.name = "docker.io",
     .url = "https://registry-1.docker.io",
     .aliases = "index.docker.io registry-1.docker.io",
     .token_realm = "auth.docker.io",
     .adds_library = true},
    {.name = "ghcr.io"},
    {.name = "quay.io"},
    {.name = "registry.k8s.io"},
    {.name = "gcr.io"},
    {.name = "mcr.microsoft.com"},
    {.name = "public.ecr.aws"},
});

}  // namespace

std::span<const KnownUpstream> known_upstreams() {
  return table;
}

const KnownUpstream* find_known_upstream(std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const auto& known) { return known.name == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace archway::proxy
