#include "proxy/upstream/pusher.hpp"

#include "cache/hasher.hpp"
#include "tests/proxy/upstream/fixture.hpp"
#include "tests/proxy/upstream/sources.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

const Repository app = *Repository::parse("user/app");
const Repository base = *Repository::parse("user/base");
const std::string uploads = "/v2/user/app/blobs/uploads/";
const std::string session = uploads + "u1";
const std::string index_type = "application/vnd.oci.image.index.v1+json";

Digest digest_of(const std::string& text) {
  return *cache::digest_of(Digest::Algorithm::sha256, text);
}

struct Bench : ExchangeBench {
  Pusher pusher;

  explicit Bench(const std::string& url, const Settings::Timeouts& timeouts = {})
      : ExchangeBench(timeouts),
        pusher(std::make_shared<RequestFlow>(
            RequestFlow::Parts{.upstream = std::make_shared<Settings::Upstream>(upstream_at(url)),
                               .exchange = exchange,
                               .tokens = std::make_shared<Tokens>(nullptr),
                               .timeouts = timeouts})) {}

  Result<void> upload(const std::string& text, std::shared_ptr<BlobStream> stream,
                      std::function<void(std::uint64_t)> sent = {}) {
    return test::run(loop, pusher.upload_blob(app, digest_of(text), text.size(), std::move(stream),
                                              std::move(sent)));
  }
  Result<void> upload(const std::string& text) {
    return upload(text, std::make_shared<TextStream>(text));
  }
  Result<void> put(const Reference& reference, const std::string& bytes) {
    return test::run(loop, pusher.put_manifest(app, reference, index_type, bytes));
  }
};

TEST_CASE("what a registry holds is found out by asking for its head") {
  struct Row {
    const char* why;
    unsigned status;
    std::optional<bool> there;
  };
  const Row rows[] = {
      {"there", 200, true},      {"not there", 404, false},   {"not for us to see", 401, false},
      {"forbidden", 403, false}, {"busy", 429, std::nullopt}, {"broken", 500, std::nullopt}};
  const auto digest = digest_of("x");
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on("/v2/user/app/blobs/" + digest.str()).answer(row.status);
    upstream.on("/v2/user/app/manifests/" + digest.str()).answer(row.status);
    Bench bench(upstream.url());
    const Result<bool> answers[] = {test::run(bench.loop, bench.pusher.has_blob(app, digest)),
                                    test::run(bench.loop, bench.pusher.has_manifest(app, digest))};
    for (const auto& there : answers) {
      REQUIRE(there.has_value() == row.there.has_value());
      if (there) CHECK(*there == *row.there);
    }
    CHECK(upstream.requests().front().method == "HEAD");
  }
}

TEST_CASE("a blob goes where the registry opens an upload, wherever that is") {
  struct Row {
    const char* why;
    std::string location;  // behind the host
    std::string target;
    bool absolute;
  };
  const auto text = pattern_of(200000);
  const auto digest = "digest=sha256%3A" + digest_of(text).hex();
  const Row rows[] = {
      {"relative", session, session + "?" + digest, false},
      {"relative to the folder", "u1", session + "?" + digest, false},
      {"with a query", session + "?_state=a%2Fb", session + "?_state=a%2Fb&" + digest, false},
      {"absolute", session, session + "?" + digest, true},
      {"absolute with a query", session + "?s=1", session + "?s=1&" + digest, true}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on(uploads).answer(202).header("Location",
                                            (row.absolute ? upstream.url() : "") + row.location);
    upstream.on(session).answer(201).header("Docker-Content-Digest", digest_of(text).str());
    Bench bench(upstream.url());
    std::uint64_t total = 0;
    const auto sent = [&total](std::uint64_t bytes) { total = bytes; };
    REQUIRE(bench.upload(text, std::make_shared<TextStream>(text, 30000), sent));
    CHECK(total == text.size());
    const auto seen = upstream.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].method == "POST");
    CHECK(seen[0].header("Content-Length") == "0");
    CHECK(seen[1].method == "PUT");
    CHECK(seen[1].target == row.target);
    CHECK(seen[1].body == text);
    CHECK(seen[1].header("Content-Type") == "application/octet-stream");
    CHECK(seen[1].header("Content-Length") == std::to_string(text.size()));
    CHECK(upstream.connections() == 1);
  }
}

TEST_CASE("an upload at another origin bears no credential") {
  test::ScriptedUpstream upstream;
  test::ScriptedUpstream store;
  upstream.guard("/v2/", "Bearer abc", "Bearer realm=\"" + upstream.url() + "/token\"");
  upstream.on("/token").answer(200).json(R"({"token":"abc"})");
  upstream.on(uploads).answer(202).header("Location", store.url() + "/bytes");
  store.on("/bytes").answer(201);
  Bench bench(upstream.url());
  REQUIRE(bench.upload("hello"));
  CHECK(store.requests().front().body == "hello");
  CHECK(store.requests().front().header("Authorization").empty());
}

TEST_CASE("a challenge to the upload is met before a byte of the blob leaves") {
  test::ScriptedUpstream upstream;
  upstream.guard("/v2/", "Bearer abc", "Bearer realm=\"" + upstream.url() + "/token\"");
  upstream.on("/token").answer(200).json(R"({"token":"abc"})");
  upstream.on(uploads).answer(202).header("Location", session);
  upstream.on(session).answer(201);
  Bench bench(upstream.url());
  REQUIRE(bench.upload("hello"));
  CHECK(upstream.count("POST", uploads) == 2);
  CHECK(upstream.count("PUT", session) == 1);
  CHECK(upstream.requests().back().header("Authorization") == "Bearer abc");
}

TEST_CASE("an empty blob is sent, too") {
  test::ScriptedUpstream upstream;
  upstream.on(uploads).answer(202).header("Location", session);
  upstream.on(session).answer(201);
  Bench bench(upstream.url());
  REQUIRE(bench.upload(""));
  CHECK(upstream.requests().back().header("Content-Length") == "0");
}

TEST_CASE("bytes that are not the blob are never finished") {
  const auto text = pattern_of(200000);
  auto wrong = text;
  wrong.back() = '!';
  struct Row {
    const char* why;
    std::shared_ptr<TextStream> stream;
    std::size_t puts;
  };
  const auto of = [](const std::string& bytes) { return std::make_shared<TextStream>(bytes); };
  const Row rows[] = {{"another last byte", of(wrong), 1},
                      {"another size", of(text + "x"), 0},
                      {"not from the beginning", of(text), 0},
                      {"too short, of unknown size", of(text.substr(1)), 1}};
  rows[2].stream->from(1);
  rows[3].stream->unsized();
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on(uploads).answer(202).header("Location", session);
    upstream.on(session).answer(201);
    Bench bench(upstream.url());
    const auto done = bench.upload(text, row.stream);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::upstream_failed);
    CHECK(done.error().message.find("the source of the blob " + digest_of(text).str()) == 0);
    if (row.puts > 0) REQUIRE(upstream.wait_for("PUT", session));
    CHECK(upstream.count("PUT", session) == row.puts);
    if (row.puts > 0) CHECK(upstream.requests().back().body.size() < text.size());
  }
  test::ScriptedUpstream upstream;
  Bench bench(upstream.url());
  const auto empty = std::make_shared<TextStream>("");
  CHECK_FALSE(test::run(bench.loop, bench.pusher.upload_blob(app, digest_of("x"), 0, empty, {})));
  CHECK(upstream.requests().empty());
}

TEST_CASE("a source that breaks off says so itself") {
  test::ScriptedUpstream upstream;
  upstream.on(uploads).answer(202).header("Location", session);
  upstream.on(session).answer(201);
  Bench bench(upstream.url());
  const auto stream = std::make_shared<TextStream>(pattern_of(200000), 1000);
  stream->source().fails_at = 100000;
  const auto done = bench.upload(pattern_of(200000), stream);
  REQUIRE_FALSE(done);
  CHECK(done.error().message == "the source broke");
}

TEST_CASE("a registry that refuses a blob is quoted, however early it does") {
  const auto text = pattern_of(32 * 1024 * 1024);
  const auto words = "the blob " + digest_of(text).str() + " into user/app";
  test::ScriptedUpstream upstream;
  upstream.on(uploads).answer(202).header("Location", session);
  upstream.on(session)
      .answer(413)
      .error("SIZE_INVALID", "too large for you")
      .refuse_body_after(100, upstream.gate());
  Bench bench(upstream.url());
  const auto early = bench.upload(text);
  REQUIRE_FALSE(early);
  CHECK(early.error().code == Errc::upstream_failed);
  CHECK(early.error().message ==
        "test.registry did not take " + words + ": status 413 (\"too large for you\")");
  test::ScriptedUpstream closed;
  closed.on(uploads).answer(403).error("DENIED", "read only");
  Bench other(closed.url());
  const auto denied = other.upload(text);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code == Errc::denied);
  CHECK(denied.error().message ==
        "test.registry does not let archway write " + words + " (\"read only\")");
}

TEST_CASE("an upload whose connection breaks is an error and is not begun again") {
  test::ScriptedUpstream upstream;
  upstream.on(uploads).answer(202).header("Location", session);
  upstream.on(session).answer(201).vanish();
  Bench bench(upstream.url());
  const auto done = bench.upload("hello");
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::upstream_unreachable);
  CHECK(done.error().message ==
        "test.registry: the upstream closed the connection without an answer");
  CHECK(upstream.count("PUT", session) == 1);
}

TEST_CASE("an upload that leads nowhere is an error of the registry's") {
  struct Row {
    const char* why;
    std::string location;
    std::string says;
  };
  const Row rows[] = {{"no Location", "", "there is no Location"},
                      {"no URL", "file:///etc/passwd", "file"},
                      {"user information", "http://user@127.0.0.1/", "user"}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on(uploads).answer(202).header("Location", row.location);
    Bench bench(upstream.url());
    const auto done = bench.upload("hello");
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::upstream_failed);
    CHECK(done.error().message.find(
              "test.registry opened an upload and did not say where to send it: ") == 0);
  }
}

TEST_CASE("a blob is mounted where the registry does that, else the bytes are wanted") {
  const std::string text = "hello";
  const auto target = uploads + "?mount=" + digest_of(text).str() + "&from=user/base";
  struct Row {
    const char* why;
    unsigned status;
    std::optional<bool> mounted;
  };
  const Row rows[] = {{"mounted", 201, true},
                      {"the bytes, please", 202, false},
                      {"the source is not for us", 401, false},
                      {"forbidden", 403, false},
                      {"nothing known of mounting", 404, false},
                      {"busy", 429, std::nullopt},
                      {"broken", 500, std::nullopt}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    upstream.on(target).answer(row.status).header("Location", session);
    Bench bench(upstream.url());
    const auto mounted = test::run(bench.loop, bench.pusher.mount_blob(app, digest_of(text), base));
    REQUIRE(mounted.has_value() == row.mounted.has_value());
    if (mounted) CHECK(*mounted == *row.mounted);
    CHECK(upstream.requests().front().method == "POST");
  }
}

TEST_CASE("the upload that was opened in place of a mount is used, once") {
  const std::string text = "hello";
  test::ScriptedUpstream upstream;
  upstream.on(uploads + "?mount=" + digest_of(text).str() + "&from=user/base")
      .answer(202)
      .header("Location", session);
  upstream.on(uploads).answer(202).header("Location", uploads + "u2");
  upstream.on(session).answer(201);
  upstream.on(uploads + "u2").answer(201);
  Bench bench(upstream.url());
  REQUIRE(test::run(bench.loop, bench.pusher.mount_blob(app, digest_of(text), base)));
  REQUIRE(bench.upload(text));
  CHECK(upstream.requests().size() == 2);
  REQUIRE(bench.upload(text));
  CHECK(upstream.count("PUT", session) == 1);
  CHECK(upstream.count("PUT", uploads + "u2") == 1);
}

TEST_CASE("a manifest is put under its tag or digest with its type") {
  test::ScriptedUpstream upstream;
  const auto digest = digest_of("{}");
  upstream.on("/v2/user/app/manifests/1").answer(201).header("Docker-Content-Digest", digest.str());
  upstream.on("/v2/user/app/manifests/" + digest.str()).answer(201);
  Bench bench(upstream.url());
  const Reference tag = *Tag::parse("1");
  REQUIRE(bench.put(tag, "{}"));
  REQUIRE(bench.put(digest, "{}"));
  for (const auto& request : upstream.requests()) {
    CHECK(request.method == "PUT");
    CHECK(request.header("Content-Type") == index_type);
    CHECK(request.body == "{}");
  }
}

TEST_CASE("a manifest that is taken for another one, or refused, is an error") {
  test::ScriptedUpstream upstream;
  upstream.on("/v2/user/app/manifests/1")
      .answer(201)
      .header("Docker-Content-Digest", digest_of("other").str());
  upstream.on("/v2/user/app/manifests/2").answer(400).error("MANIFEST_BLOB_UNKNOWN", "no such");
  Bench bench(upstream.url());
  const auto other = bench.put(*Tag::parse("1"), "{}");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::upstream_failed);
  CHECK(other.error().message ==
        "test.registry took the manifest user/app:1 and says that its digest is another one");
  const auto refused = bench.put(*Tag::parse("2"), "{}");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::blob_unknown);
  CHECK(refused.error().message ==
        "test.registry did not take the manifest user/app:2: status 400 (\"no such\")");
}

}  // namespace
}  // namespace archway::proxy
