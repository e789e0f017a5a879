#include "proxy/upstream/ways.hpp"

#include "tests/proxy/upstream/fixture.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <string>

namespace archway::proxy {
namespace {

const Repository repository = *Repository::parse("a");
const Reference tag = *Tag::parse("1");
const std::string path = "/v2/a/manifests/1";

TEST_CASE("a certificate that cannot be trusted is refused, and the message says why and whose") {
  using Certificate = test::TestCertificate::Options;
  test::ScriptedUpstream stranger({.tls = true});
  struct Row {
    const char* why;
    Certificate certificate;
    bool trusted;  // is its authority known?
    const char* says;
  };
  const Row rows[] = {
      {"expired",
       {.expired = true},
       true,
       "its TLS certificate is refused (certificate has expired)"},
      {"not yet valid",
       {.not_yet_valid = true},
       true,
       "its TLS certificate is refused (certificate is not yet valid; this machine says it is 20"},
      {"another name", {.addresses = {"127.0.0.9"}}, true, "(IP address mismatch)"},
      {"self-signed", {}, false, "(self-signed certificate)"},
      {"of an unknown authority",
       {.has_issuer = true},
       false,
       "(unable to get local issuer certificate)"},
      {"signed by SHA-1", {.has_issuer = true, .weak_signature = true}, true, "too weak)"},
      {"TLS 1.0", {.old_protocol = true}, true, "the TLS handshake failed ("},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.why));
    test::ScriptedUpstream upstream({.tls = true, .certificate = row.certificate});
    auto settings = upstream_at(upstream.url());
    settings.ca_file = row.trusted ? upstream.ca_file() : stranger.ca_file();
    RegistryBench bench(settings);
    const auto got = bench.run(bench.registry->get_manifest(repository, tag));
    REQUIRE_FALSE(got);
    CAPTURE(got.error().message);
    CHECK(got.error().code == Errc::upstream_unreachable);
    CHECK(got.error().message.find("127.0.0.1 cannot be reached: ") != std::string::npos);
    CHECK(got.error().message.find(row.says) != std::string::npos);
    CHECK(upstream.requests().empty());  // not a byte of a request before the verification
  }
}

TEST_CASE("a chain of a known authority is trusted") {
  test::ScriptedUpstream upstream({.tls = true, .certificate = {.has_issuer = true}});
  upstream.on(path).answer(200).json("{}");
  auto settings = upstream_at(upstream.url());
  settings.ca_file = upstream.ca_file();
  RegistryBench bench(settings);
  CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
}

TEST_CASE("server_name is the name in the upstream's certificate, and nobody else's") {
  test::ScriptedUpstream upstream(
      {.tls = true, .certificate = {.names = {"registry.internal"}, .addresses = {}}});
  upstream.on(path).answer(200).json("{}");
  auto settings = upstream_at(upstream.url());
  settings.ca_file = upstream.ca_file();
  CHECK_FALSE([&] {
    RegistryBench bench(settings);
    return bench.run(bench.registry->get_manifest(repository, tag));
  }());
  settings.server_name = "registry.internal";
  RegistryBench bench(settings);
  CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
  TlsContexts contexts;
  const auto ways = Ways::of(settings, contexts);
  REQUIRE(ways);
  CHECK(ways->name_for(url_of(upstream.url() + "/v2/")) == "registry.internal");
  CHECK(ways->name_for(url_of("https://cdn.test")) == "cdn.test");
}

TEST_CASE("a client certificate is shown to the upstream and its token realms, not to others") {
  const test::TestCertificate mine({});
  test::ScriptedUpstream upstream(
      {.tls = true, .certificate = {.client_ca = mine.certificate_file()}});
  upstream.on(path).answer(200).json("{}");
  auto settings = upstream_at(upstream.url());
  settings.ca_file = upstream.ca_file();
  {
    RegistryBench bench(settings);
    CHECK_FALSE(bench.run(bench.registry->get_manifest(repository, tag)));
  }
  settings.client_certificate =
      Settings::ClientCertificate{.certificate = mine.certificate_file(), .key = mine.key_file()};
  {
    RegistryBench bench(settings);
    CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
  }
  // A place that the upstream leads to asks for one: it gets none.
  test::ScriptedUpstream home({.tls = true});
  home.on(path).answer(307).redirect(upstream.url() + path);
  settings.url = url_of(home.url());
  settings.ca_file = upstream.ca_file();
  settings.token_realms = {"auth.test"};
  TlsContexts contexts;
  const auto ways = Ways::of(settings, contexts);
  REQUIRE(ways);
  CHECK(ways->tls_for(url_of(home.url() + "/v2/")) == ways->home->get());
  CHECK(ways->tls_for(url_of("https://auth.test/token")) == ways->home->get());
  CHECK(ways->tls_for(url_of("https://auth.test:444/token")) == ways->elsewhere->get());
  CHECK(ways->tls_for(url_of(upstream.url())) == ways->elsewhere->get());
}

TEST_CASE("upstreams that trust alike share what they trust by") {
  TlsContexts contexts;
  const auto one = Ways::of(upstream_at("https://a.test"), contexts);
  const auto two = Ways::of(upstream_at("https://b.test"), contexts);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->home->get() == two->home->get());
  CHECK(one->home->get() == one->elsewhere->get());
}

TEST_CASE("files that are read again count for all who share the ways, bad ones for nobody") {
  const test::TestCertificate first({});
  const test::TestCertificate second({});
  const test::TempDir folder;
  auto settings = upstream_at("https://registry.test");
  settings.ca_file = folder.path() / "ca.crt";
  const auto put = [&](const std::filesystem::path& file) {
    std::filesystem::copy_file(file, settings.ca_file,
                               std::filesystem::copy_options::overwrite_existing);
  };
  put(first.certificate_file());
  TlsContexts contexts;
  const auto ways = Ways::of(settings, contexts);
  REQUIRE(ways);
  const Ways shared = *ways;
  const auto before = shared.home->get();
  put(second.certificate_file());
  TlsContexts again;
  CHECK(ways->read_again(settings, again));
  const auto after = shared.home->get();
  CHECK(after != before);
  std::ofstream(settings.ca_file) << "nonsense";
  TlsContexts once_more;
  CHECK_FALSE(ways->read_again(settings, once_more));
  CHECK(shared.home->get() == after);
}

TEST_CASE("certificates that cannot be read are refused at once, with the file's name") {
  auto settings = upstream_at("https://registry.test");
  settings.client_certificate =
      Settings::ClientCertificate{.certificate = "/nowhere.crt", .key = "/nowhere.key"};
  TlsContexts contexts;
  const auto ways = Ways::of(settings, contexts);
  REQUIRE_FALSE(ways);
  CHECK(ways.error().code == Errc::configuration_invalid);
  CHECK(ways.error().message.starts_with("/nowhere.crt"));
}

}  // namespace
}  // namespace archway::proxy
