#include "proxy/command/manifest_cached.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

std::vector<Digest> digests(std::size_t count) {
  std::vector<Digest> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(*Digest::parse(test::digest_of(std::to_string(i))));
  }
  return all;
}

TEST_CASE("an object is there as a manifest or as a blob") {
  const auto wanted = digests(4);
  const auto member = [&](std::size_t i, const char* what) {
    return "\"" + wanted[i].str() + "\":" + what;
  };
  const AdminAnswer answer{
      .status = 200,
      .body = "{" + member(0, R"({"manifest":true,"blob":false,"size":1})") + "," +
              member(1, R"({"manifest":false,"blob":true,"size":1})") + "," +
              member(2, R"({"manifest":false,"blob":false,"size":null})") + "}"};
  CHECK(read_cached(answer, wanted) == std::vector<bool>{true, true, false, false});
  CHECK_FALSE(read_cached({.status = 404, .body = "{}"}, wanted));
  CHECK_FALSE(read_cached({.status = 200, .body = "<html>"}, wanted));
}

TEST_CASE("many objects are asked for in several requests, by the gateway's name for the image") {
  test::ScriptedUpstream admin;
  admin.on("/api/v1/cached").answer(200).body("{}").close();
  const auto ask = ask_cached_at("127.0.0.1:" + std::to_string(admin.port()));
  const auto there = ask("docker.io/library/alpine", digests(65));
  REQUIRE(there);
  CHECK(there->size() == 65);
  const auto requests = admin.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].target.starts_with(
      "/api/v1/cached?image=docker.io%2Flibrary%2Falpine&digest=sha256%3A"));
}

TEST_CASE("a gateway that does not answer, or does not know the image, is asked once") {
  test::ScriptedUpstream admin;
  admin.on("/api/v1/cached").answer(404).body("{}").close();
  const auto ask = ask_cached_at("127.0.0.1:" + std::to_string(admin.port()));
  CHECK_FALSE(ask("docker.io/library/alpine", digests(1)));
  CHECK_FALSE(ask("docker.io/library/alpine", digests(1)));
  CHECK(admin.count("GET", "/api/v1/cached") == 1);
}

}  // namespace
}  // namespace archway::proxy
