#include "proxy/config/known_upstreams.hpp"

#include "resolver/url.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("every known registry has a name of its own and a URL that can be used") {
  std::set<std::string_view> names;
  for (const KnownUpstream& known : known_upstreams()) {
    CAPTURE(known.name);
    CHECK(names.insert(known.name).second);
    CHECK(find_known_upstream(known.name) == &known);
    const std::string url =
        known.url.empty() ? "https://" + std::string(known.name) : std::string(known.url);
    CHECK(resolver::Url::parse(url).has_value());
  }
  CHECK(find_known_upstream("registry.lan") == nullptr);
}

TEST_CASE("Docker Hub comes first and is the only one with particulars") {
  for (const KnownUpstream& known : known_upstreams()) {
    const bool hub = &known == &known_upstreams().front();
    CHECK((known.name == "docker.io") == hub);
    CHECK(known.adds_library == hub);
    CHECK(known.token_realm.empty() != hub);
  }
}

}  // namespace
}  // namespace archway::proxy
