// Where an upstream may lead, beside what request_flow_test.cpp and resolver/redirect_test.cpp say.

#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const Repository repository = *Repository::parse("a");
const Reference tag = *Tag::parse("1");
const std::string path = "/v2/a/manifests/1";

std::string named(const char* name, const test::ScriptedUpstream& upstream) {
  return "http://" + std::string(name) + ":" + std::to_string(upstream.port());
}

TEST_CASE("redirects lead to hosts of the patterns alone, and within the upstream always") {
  struct Row {
    const char* why;
    std::vector<std::string> patterns;
    const char* host;
    bool followed;
  };
  const Row rows[] = {
      {"no patterns", {}, "cdn.test", true},
      {"its name", {"cdn.test"}, "cdn.test", true},
      {"another name", {"cdn.test"}, "evil.test", false},
      {"a name below", {"*.cdn.test"}, "a.b.cdn.test", true},
      {"not below", {"*.cdn.test"}, "cdn.test", false},
      {"only alike", {"*.cdn.test"}, "evilcdn.test", false},
      {"one of several", {"a.test", "cdn.*"}, "cdn.io", true},
      {"an address", {"127.0.0.?"}, "127.0.0.1", true},
      {"another port of the upstream's own host", {"cdn.test"}, "registry.test", false},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.why));
    test::ScriptedUpstream upstream;
    test::ScriptedUpstream cdn;
    upstream.on(path).answer(307).redirect("/moved");
    upstream.on("/moved").answer(307).redirect(named(row.host, cdn) + "/x");
    cdn.on("/x").answer(200).json("{}");
    auto settings = upstream_at(named("registry.test", upstream));
    settings.redirects = row.patterns;
    RegistryBench bench(settings);
    const auto got = bench.run(bench.registry->get_manifest(repository, tag));
    REQUIRE(got.has_value() == row.followed);
    CHECK(upstream.requests().size() == 2);
    CHECK(cdn.connections() == (row.followed ? 1 : 0));
    if (got) continue;
    CHECK(got.error().code == Errc::upstream_failed);
    CHECK(got.error().message == "test.registry leads to " + std::string(row.host) +
                                     ", a host that is not among those its redirects may lead to");
  }
}

TEST_CASE("a Location of 64 kB is an answer that makes no sense, not a request") {
  for (const std::size_t size :
       {std::size_t{15'000}, std::size_t{20'000}, std::size_t{64 * 1024}}) {
    CAPTURE(size);
    test::ScriptedUpstream upstream;
    const std::string target = "/x?" + std::string(size, 'a');
    upstream.on(path).answer(307).redirect(target);
    upstream.on("/x").answer(200).json("{}");
    RegistryBench bench(upstream_at(upstream.url()));
    const auto got = bench.run(bench.registry->get_manifest(repository, tag));
    const bool fits = size < resolver::Url::length_max;
    CHECK(got.has_value() == fits);
    CHECK(upstream.requests().size() == (fits ? 2 : 1));
    if (!got) CHECK(got.error().code == Errc::upstream_failed);
  }
}

TEST_CASE("a signed URL that has run out is asked of the registry anew") {
  const auto digest = *Digest::parse("sha256:" + std::string(64, 'a'));
  const auto blob = "/v2/a/blobs/" + digest.str();
  test::ScriptedUpstream upstream;
  test::ScriptedUpstream cdn;
  upstream.on(blob).answer(307).redirect(cdn.url() + "/blob?sig=1");
  upstream.on(blob).answer(307).redirect(cdn.url() + "/blob?sig=2");
  cdn.on("/blob").answer(200).body("hello").ranges();
  RegistryBench bench(upstream_at(upstream.url()));
  CHECK(bench.run(bench.registry->open_blob(repository, digest, 0)));
  CHECK(bench.run(bench.registry->open_blob(repository, digest, 2)));
  REQUIRE(cdn.requests().size() == 2);
  CHECK(cdn.requests()[1].target == "/blob?sig=2");
  CHECK(cdn.requests()[1].header("Range") == "bytes=2-");
}

TEST_CASE("a redirect's name is judged by what it resolves to at that very moment") {
  // Once it is where it may be, then it is the metadata service: the second connection is refused.
  auto lookups = std::make_shared<int>(0);
  auto now = std::make_shared<Names::Clock::time_point>(Names::Clock::now());
  Names::Options names;
  names.now = [now] { return *now; };
  names.lookup = [lookups](const std::string& host) -> Result<Names::Addresses> {
    const bool flipped = host == "cdn.test" && (*lookups)++ > 0;
    return Names::Addresses{
        *resolver::Address::parse(flipped ? "64:ff9b::a9fe:a9fe" : "127.0.0.1")};
  };
  test::ScriptedUpstream upstream;
  test::ScriptedUpstream cdn;
  upstream.on(path).answer(307).redirect(named("cdn.test", cdn) + "/x");
  cdn.on("/x").answer(200).json("{}").close();
  Settings settings;
  settings.upstreams.push_back(upstream_at(named("registry.test", upstream)));
  const auto shared = *SharedParts::make(settings, nullptr, nullptr, std::move(names));
  boost::asio::io_context loop(1);
  const auto upstreams = Upstreams::make(shared, loop.get_executor());
  auto* const registry = upstreams->find("test.registry");
  CHECK(test::run(loop, registry->get_manifest(repository, tag)));
  *now += std::chrono::minutes(2);
  const auto second = test::run(loop, registry->get_manifest(repository, tag));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::denied);
  CHECK(cdn.connections() == 1);
}

}  // namespace
}  // namespace archway::proxy
