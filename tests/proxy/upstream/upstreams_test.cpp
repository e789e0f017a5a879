#include "proxy/upstream/upstreams.hpp"

#include "tests/proxy/upstream/fixture.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <filesystem>

namespace archway::proxy {
namespace {

TEST_CASE("every configured upstream is found by its name, and no other") {
  Settings settings;
  settings.upstreams.push_back(upstream_at("https://registry.test"));
  settings.upstreams.push_back(upstream_at("http://10.0.0.5:5000"));
  settings.upstreams.back().name = "registry.lan:5000";
  const auto shared = UpstreamShared::make(settings, nullptr, nullptr);
  REQUIRE(shared);
  boost::asio::io_context loop(1);
  const auto upstreams = Upstreams::make(*shared, loop.get_executor());
  CHECK(upstreams->find("test.registry") != nullptr);
  CHECK(upstreams->find("registry.lan:5000") != nullptr);
  CHECK(upstreams->find("test.registry") != upstreams->find("registry.lan:5000"));
  for (const auto* const name : {"", "registry.lan", "registry.test", "Test.registry"}) {
    CAPTURE(name);
    CHECK(upstreams->find(name) == nullptr);
  }
}

TEST_CASE("a CA file that cannot be used is an error of the configuration") {
  Settings settings;
  settings.upstreams.push_back(upstream_at("https://registry.test"));
  settings.upstreams.back().ca_file = "/nowhere/ca.pem";
  const auto shared = UpstreamShared::make(settings, nullptr, nullptr);
  REQUIRE_FALSE(shared);
  CHECK(shared.error().code == Errc::configuration_invalid);
  CHECK(shared.error().message.find("/nowhere/ca.pem") != std::string::npos);
}

TEST_CASE("a CA file that was replaced counts from the next reload on, one that is bad never") {
  test::ScriptedUpstream upstream({.tls = true});
  upstream.on("/v2/a/manifests/1").answer(200).body("{}").close();
  const test::TestCertificate stranger({});
  const test::TempDir folder;
  test::QuietLog log;
  auto settings = upstream_at(upstream.url());
  settings.ca_file = folder.path() / "ca.crt";
  const auto put = [&](const std::filesystem::path& file) {
    std::filesystem::copy_file(file, settings.ca_file,
                               std::filesystem::copy_options::overwrite_existing);
  };
  put(stranger.certificate_file());
  RegistryBench bench(settings, {}, {}, &log);
  const auto asks = [&] {
    return bench.run(
        bench.registry->get_manifest(*Repository::parse("a"), Reference(*Tag::parse("1"))));
  };
  CHECK_FALSE(asks());
  put(upstream.ca_file());
  CHECK_FALSE(asks());
  bench.shared->reload();
  CHECK(asks());
  CHECK(log.count("certificates of an upstream read again") == 1);
  folder.write("ca.crt", "nonsense");
  bench.shared->reload();
  CHECK(asks());
  CHECK(log.count("the new certificates of an upstream cannot be used; the old ones stay") == 1);
}

TEST_CASE("threads have connections of their own and share what they learned") {
  test::ScriptedUpstream upstream;
  upstream.guard("/v2/", "Bearer abc", "Bearer realm=\"" + upstream.url() + "/token\"");
  upstream.on("/token").answer(200).json(R"({"token":"abc"})");
  upstream.on("/v2/a/manifests/1").answer(200).body("{}");
  RegistryBench bench(upstream_at(upstream.url()));
  boost::asio::io_context other_loop(1);
  const auto other = Upstreams::make(bench.shared, other_loop.get_executor());
  const auto repository = *Repository::parse("a");
  const Reference tag = *Tag::parse("1");
  REQUIRE(bench.run(bench.registry->get_manifest(repository, tag)));
  REQUIRE(test::run(other_loop, other->find("test.registry")->get_manifest(repository, tag)));
  CHECK(upstream.connections() == 2);
  CHECK(upstream.count("GET", "/token") == 1);
  CHECK(upstream.requests().size() == 4);  // the second thread was not refused first
}

TEST_CASE("closing ends idle connections and lets those in use go on") {
  test::ScriptedUpstream upstream;
  const auto gate = upstream.gate();
  const auto digest_text = "sha256:" + std::string(64, 'a');
  upstream.on("/v2/a/blobs/" + digest_text).answer(200).body("hello").hold_at(2, gate);
  RegistryBench bench(upstream_at(upstream.url()));
  auto stream =
      bench.run(bench.registry->open_blob(*Repository::parse("a"), *Digest::parse(digest_text), 0));
  REQUIRE(stream);
  bench.upstreams->close();
  gate->open();
  std::string buffer(100, '\0');
  std::size_t total = 0;
  for (;;) {
    const auto got = bench.run((*stream)->read(buffer.data(), buffer.size()));
    REQUIRE(got);
    if (*got == 0) break;
    total += *got;
  }
  CHECK(total == 5);
}

TEST_CASE("a blob stream may outlive the upstreams it came from") {
  test::ScriptedUpstream upstream;
  const auto digest_text = "sha256:" + std::string(64, 'a');
  upstream.on("/v2/a/blobs/" + digest_text).answer(200).body("hello");
  RegistryBench bench(upstream_at(upstream.url()));
  auto stream =
      bench.run(bench.registry->open_blob(*Repository::parse("a"), *Digest::parse(digest_text), 0));
  REQUIRE(stream);
  bench.upstreams.reset();
  std::string buffer(100, '\0');
  CHECK(bench.run((*stream)->read(buffer.data(), buffer.size())));
}

}  // namespace
}  // namespace archway::proxy
