#include "proxy/config/defaults.hpp"

#include "proxy/config/known_upstreams.hpp"

#include <doctest/doctest.h>
#include <map>
#include <string>

namespace archway::proxy {
namespace {

Environment with(std::map<std::string, std::string> variables, bool root = false) {
  return {.variable = [variables](const std::string& name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            if (found == variables.end()) return std::nullopt;
            return found->second;
          },
          .root = root};
}

TEST_CASE(
    "without a configuration archway listens, knows the public registries and bounds itself") {
  const Settings settings = default_settings(with({{"HOME", "/home/me"}}));
  REQUIRE(settings.listen.size() == 1);
  CHECK(settings.listen[0].endpoint.str() == "0.0.0.0:5000");
  REQUIRE(settings.admin.has_value());
  CHECK(settings.admin->str() == "127.0.0.1:5001");
  CHECK(settings.drain == std::chrono::seconds(25));
  CHECK(settings.cache.keep_free == 2ULL << 30);
  CHECK(settings.cache.strict);
  std::string names;
  for (const auto& upstream : settings.upstreams) {
    names += upstream.name + "=" + upstream.url.origin() + (upstream.is_default ? "* " : " ");
  }
  CHECK(names ==
        "docker.io=https://registry-1.docker.io* ghcr.io=https://ghcr.io quay.io=https://quay.io "
        "registry.k8s.io=https://registry.k8s.io gcr.io=https://gcr.io "
        "mcr.microsoft.com=https://mcr.microsoft.com public.ecr.aws=https://public.ecr.aws ");
}

TEST_CASE("the cache is where the user's caches are, or root's") {
  struct Row {
    const char* why;
    Environment environment;
    const char* want;
  };
  const Row rows[] = {
      {"a user", with({{"HOME", "/home/me"}}), "/home/me/.cache/archway"},
      {"XDG says where", with({{"HOME", "/home/me"}, {"XDG_CACHE_HOME", "/c"}}), "/c/archway"},
      {"a relative one does not count", with({{"HOME", "/home/me"}, {"XDG_CACHE_HOME", "c"}}),
       "/home/me/.cache/archway"},
      {"an empty one does not count", with({{"HOME", "/home/me"}, {"XDG_CACHE_HOME", ""}}),
       "/home/me/.cache/archway"},
      {"no home", with({}), "/var/cache/archway"},
      {"root", with({{"HOME", "/root"}, {"XDG_CACHE_HOME", "/c"}}, true), "/var/cache/archway"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(default_settings(row.environment).cache.directory == row.want);
  }
}

TEST_CASE("what follows from a registry's name") {
  CHECK(upstream_by_name("docker.io").token_realms == std::vector<std::string>{"auth.docker.io"});
  CHECK(upstream_by_name("registry.lan:5000").url.str() == "https://registry.lan:5000/");
  CHECK(upstream_by_name("registry.lan:5000").token_realms.empty());
  CHECK(find_known_upstream("registry.lan") == nullptr);
  CHECK(find_known_upstream("ghcr.io") != nullptr);
}

}  // namespace
}  // namespace archway::proxy
