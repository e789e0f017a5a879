#include "proxy/upstream/several.hpp"

#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const Repository repository = *Repository::parse("library/hi");
const Reference tag = *Tag::parse("1");
const std::string digest_text = "sha256:" + std::string(64, 'a');
const Digest digest = *Digest::parse(digest_text);
const std::string by_tag = "/v2/library/hi/manifests/1";
const std::string blob = "/v2/library/hi/blobs/" + digest_text;

/// A port that refuses connections.
std::string nobody() {
  std::uint16_t port = 0;
  {
    const test::ScriptedUpstream gone;
    port = gone.port();
  }
  return "http://127.0.0.1:" + std::to_string(port);
}

Settings::Upstream upstream_at_all(const std::vector<std::string>& urls) {
  auto upstream = upstream_at(urls.front());
  for (std::size_t i = 1; i < urls.size(); ++i) upstream.further_urls.push_back(url_of(urls[i]));
  return upstream;
}

std::string read_all(RegistryBench& bench, BlobStream& stream) {
  std::string all;
  std::string piece(4096, '\0');
  for (;;) {
    const auto got = bench.run(stream.read(piece.data(), piece.size()));
    if (!got || *got == 0) return all;
    all.append(piece, 0, *got);
  }
}

TEST_CASE("the next place is asked when one fails, and never when one has answered") {
  struct Row {
    const char* why;
    std::function<void(test::ScriptedUpstream&)> script;
    bool second_is_asked;
    Errc code;  // where it is not
  };
  const auto status = [](unsigned code) {
    return [code](test::ScriptedUpstream& upstream) { upstream.on(by_tag).answer(code); };
  };
  const Row rows[] = {
      {"500", status(500), true, {}},
      {"502", status(502), true, {}},
      {"503", status(503), true, {}},
      {"429", status(429), true, {}},
      {"a connection that is reset",
       [](auto& up) { up.on(by_tag).answer(200).vanish(); },
       true,
       {}},
      {"no HTTP", [](auto& up) { up.on(by_tag).answer(200).raw("SSH-2.0-x\r\n"); }, true, {}},
      {"a redirect to nowhere", [](auto& up) { up.on(by_tag).answer(302); }, true, {}},
      {"404", status(404), false, Errc::manifest_unknown},
      {"410", status(410), false, Errc::manifest_unknown},
      {"401", status(401), false, Errc::denied},
      {"403", status(403), false, Errc::denied},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream first;
    test::ScriptedUpstream second;
    row.script(first);
    second.on(by_tag).answer(200).json("{}");
    RegistryBench bench(upstream_at_all({first.url(), second.url()}));
    const auto got = bench.run(bench.registry->get_manifest(repository, tag));
    REQUIRE(got.has_value() == row.second_is_asked);
    if (!got) CHECK(got.error().code == row.code);
    CHECK(second.requests().size() == (row.second_is_asked ? 1 : 0));
  }
}

TEST_CASE("while the first place answers the second hears nothing") {
  test::ScriptedUpstream first;
  test::ScriptedUpstream second;
  first.on(by_tag).answer(200).json("{}");
  RegistryBench bench(upstream_at_all({first.url(), second.url()}));
  for (int i = 0; i < 3; ++i) CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
  CHECK(second.connections() == 0);
}

TEST_CASE("every question goes to the next place where the first refuses connections") {
  test::ScriptedUpstream second;
  second.on("/v2/").answer(200);
  second.on(by_tag).answer(200).header("Content-Type", "application/json").body("{}");
  second.on(blob).answer(200).body("hello").ranges();
  second.on("/v2/library/hi/tags/list").answer(200).json("[]");
  second.on("/v2/library/hi/referrers/" + digest_text).answer(200).json("{}");
  const auto dead = nobody();
  const auto ask = [&](const auto& question) {
    RegistryBench bench(upstream_at_all({dead, second.url()}));
    return bench.run(question(bench.registry)).has_value();
  };
  CHECK(ask([](Registry* at) { return at->ping(); }));
  CHECK(ask([](Registry* at) { return at->head_manifest(repository, tag); }));
  CHECK(ask([](Registry* at) { return at->get_manifest(repository, tag); }));
  CHECK(ask([](Registry* at) { return at->head_blob(repository, digest); }));
  CHECK(ask([](Registry* at) { return at->open_blob(repository, digest, 0); }));
  CHECK(ask([](Registry* at) { return at->open_part(repository, digest, 1, 2); }));
  CHECK(ask([](Registry* at) { return at->get_tags(repository, ""); }));
  CHECK(ask([](Registry* at) { return at->get_referrers(repository, digest, ""); }));
}

TEST_CASE("a place that failed is not asked first again right away") {
  test::ScriptedUpstream first;
  test::ScriptedUpstream second;
  first.on(by_tag).answer(500);
  second.on(by_tag).answer(200).json("{}");
  RegistryBench bench(upstream_at_all({first.url(), second.url()}));
  for (int i = 0; i < 3; ++i) CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
  CHECK(first.requests().size() == 1);
  CHECK(second.requests().size() == 3);
}

TEST_CASE("when all places fail the message says what each of them said") {
  test::ScriptedUpstream first;
  test::ScriptedUpstream second;
  first.on(by_tag).answer(502);
  second.on(by_tag).answer(429).header("Retry-After", "7");
  const auto dead = nobody();
  RegistryBench bench(upstream_at_all({first.url(), second.url(), dead}));
  const auto got = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(got);
  CHECK(got.error().message == "test.registry fails at all of its 3 places: " + first.url() +
                                   ": answered with status 502; " + second.url() +
                                   ": has had too many requests from here; it asks to come back "
                                   "in 7 s; " +
                                   dead + ": 127.0.0.1 cannot be reached");
  CHECK(got.error().code == Errc::upstream_busy);
  CHECK(got.error().retry_after_s == 7);
  CHECK(got.error().retryable);
}

TEST_CASE("a blob that one place cut is opened at the other, at the offset asked for") {
  test::ScriptedUpstream first;
  test::ScriptedUpstream second;
  first.on(blob).answer(200).body("hello world").ranges().cut_after(4);
  second.on(blob).answer(200).body("hello world").ranges();
  RegistryBench bench(upstream_at_all({first.url(), second.url()}));
  auto stream = bench.run(bench.registry->open_blob(repository, digest, 0));
  REQUIRE(stream);
  CHECK((*stream)->size() == 11U);
  CHECK(read_all(bench, **stream) == "hell");
  auto rest = bench.run(bench.registry->open_blob(repository, digest, 4));
  REQUIRE(rest);
  CHECK((*rest)->offset() == 4);
  CHECK(read_all(bench, **rest) == "o world");
  CHECK(first.count("GET", blob) == 1);
  CHECK(second.requests().front().header("Range") == "bytes=4-");
}

TEST_CASE("whose bytes were wrong for a digest is asked last for that digest alone") {
  const auto other_text = "sha256:" + std::string(64, 'b');
  const auto other = *Digest::parse(other_text);
  test::ScriptedUpstream first;
  test::ScriptedUpstream second;
  for (auto* const upstream : {&first, &second}) {
    upstream->on(blob).answer(200).body("hello");
    upstream->on("/v2/library/hi/blobs/" + other_text).answer(200).body("hello");
    upstream->on("/v2/library/hi/manifests/" + digest_text).answer(200).json("{}");
  }
  RegistryBench bench(upstream_at_all({first.url(), second.url()}));
  CHECK(bench.run(bench.registry->open_blob(repository, digest, 0)));
  bench.registry->disbelieve(digest);
  CHECK(bench.run(bench.registry->open_blob(repository, digest, 0)));
  CHECK(second.count("GET", blob) == 1);
  CHECK(bench.run(bench.registry->get_manifest(repository, Reference(digest))));
  CHECK(second.requests().size() == 2);
  CHECK(bench.run(bench.registry->open_blob(repository, other, 0)));
  CHECK(second.requests().size() == 2);
}

TEST_CASE("when all places have lied the one that was caught longest ago is asked first") {
  test::ScriptedUpstream first;
  test::ScriptedUpstream second;
  for (auto* const upstream : {&first, &second}) upstream->on(blob).answer(200).body("hello");
  RegistryBench bench(upstream_at_all({first.url(), second.url()}));
  for (int lies = 0; lies < 3; ++lies) {
    CHECK(bench.run(bench.registry->open_blob(repository, digest, 0)));
    bench.registry->disbelieve(digest);
  }
  CHECK(bench.run(bench.registry->open_blob(repository, digest, 0)));
  CHECK(first.count("GET", blob) == 2);
  CHECK(second.count("GET", blob) == 2);
}

TEST_CASE("each place has its own challenge: a token for one does not go to the other unasked") {
  test::ScriptedUpstream first;
  test::ScriptedUpstream second;
  first.guard("/v2/", "Bearer abc",
              "Bearer realm=\"" + first.url() + "/token\",service=\"s\",scope=\"x\"");
  first.on("/token").answer(200).json(R"({"token":"abc"})");
  first.on(by_tag).answer(200).json("{}");
  first.on(by_tag).answer(500);
  second.on(by_tag).answer(200).json("{}");
  RegistryBench bench(upstream_at_all({first.url(), second.url()}));
  CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
  CHECK(first.requests().back().header("Authorization") == "Bearer abc");
  CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
  REQUIRE(second.requests().size() == 1);
  CHECK(second.requests().front().header("Authorization").empty());
}

}  // namespace
}  // namespace archway::proxy
