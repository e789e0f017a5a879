#include "proxy/config/access.hpp"

#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using Access = Settings::Access;

ImageName image(const std::string& upstream, const std::string& repository) {
  return {.upstream = upstream, .repository = *Repository::parse(repository)};
}

const char* const text =
    "upstreams:\n"
    "  - {name: ghcr.io, access: client}\n"
    "  - {name: quay.io}\n"
    "  - {name: a.lan, access: client, credentials: {username: me, password: x}}\n"
    "access:\n"
    "  rules: [{match: ghcr.io/open/*, access: shared}, {match: \"quay.io/acme/*\", access: "
    "client}]\n";

TEST_CASE("the first rule that matches says who has an image, else its upstream") {
  const auto settings = settings_of(text);
  CHECK(access_for(settings, image("ghcr.io", "acme/app")) == Access::client);
  CHECK(access_for(settings, image("ghcr.io", "open/app")) == Access::shared);
  CHECK(access_for(settings, image("quay.io", "acme/app")) == Access::client);
  CHECK(access_for(settings, image("quay.io", "other/app")) == Access::shared);
  CHECK(access_for(settings, image("docker.io", "library/a")) == Access::shared);
}

TEST_CASE("an upstream may ask clients when it or any rule for its names says so") {
  CHECK(may_ask_clients(settings_of(text), "ghcr.io"));
  CHECK(may_ask_clients(settings_of(text), "quay.io"));
  CHECK_FALSE(may_ask_clients(settings_of(text), "docker.io"));
  CHECK_FALSE(may_ask_clients(settings_of("")));
  const std::string any = "access: {rules: [{match: \"*/acme\", access: client}]}";
  CHECK(may_ask_clients(settings_of(any), "docker.io"));
  const std::string other = "access: {rules: [{match: \"quay.io*\", access: client}]}";
  CHECK_FALSE(may_ask_clients(settings_of(other), "docker.io"));
}

TEST_CASE("clients' credentials fetch only what archway has none for") {
  const auto settings = settings_of(text);
  CHECK(is_borrowed(settings, image("ghcr.io", "acme/app")));
  CHECK_FALSE(is_borrowed(settings, image("ghcr.io", "open/app")));
  CHECK_FALSE(is_borrowed(settings, image("a.lan", "app")));
}

TEST_CASE("what is denied is refused, and what is not among the allowed") {
  const auto settings = settings_of(
      "access: {allow: [\"docker.io/library/*\", \"quay.io/acme/*\"], deny: "
      "[\"*/old-*\"]}");
  CHECK(check_listed(settings, image("docker.io", "library/alpine")));
  CHECK(check_listed(settings, image("quay.io", "acme/a/b")));
  const auto denied = check_listed(settings, image("docker.io", "library/old-thing"));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code == Errc::denied);
  CHECK(denied.error().message ==
        "docker.io/library/old-thing is not served here: access.deny has */old-*");
  const auto unlisted = check_listed(settings, image("ghcr.io", "library/alpine"));
  REQUIRE_FALSE(unlisted);
  CHECK(unlisted.error().message ==
        "ghcr.io/library/alpine is not served here: nothing in access.allow matches it");
  CHECK(check_listed(settings_of(""), image("ghcr.io", "any")));
}

}  // namespace
}  // namespace archway::proxy
