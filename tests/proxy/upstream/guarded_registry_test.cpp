#include "proxy/upstream/guarded_registry.hpp"

#include "proxy/upstream/status.hpp"
#include "tests/proxy/upstream/fake_registry.hpp"
#include "tests/proxy/upstream/fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

namespace net = boost::asio;

const Repository repository = *Repository::parse("library/hi");
const Reference reference = *Tag::parse("1");
const Digest digest = *Digest::parse("sha256:" + std::string(64, 'a'));

Error failure(Errc code, std::uint32_t retry_after_s = 0) {
  return {.code = code,
          .origin = Origin::upstream,
          .message = "test.registry: no",
          .retryable = true,
          .retry_after_s = retry_after_s};
}

struct Bench {
  net::io_context loop{1};
  std::shared_ptr<FakeRegistry> inner = std::make_shared<FakeRegistry>();
  std::shared_ptr<Health> health =
      std::make_shared<Health>(Health::Parts{.upstream = "test.registry",
                                             .url = "https://test.registry",
                                             .probe_pause = std::chrono::milliseconds(1)});
  GuardedRegistry registry{inner, health, loop.get_executor()};

  Result<Registry::Head> head() {
    return test::run(loop, registry.head_manifest(repository, reference));
  }
};

/// Ends when a probe has been answered.
net::awaitable<void> until_closed(std::shared_ptr<Health> health) {
  const auto executor = co_await net::this_coro::executor;
  net::steady_timer timer(executor);
  while (health->is_open()) {
    timer.expires_after(std::chrono::milliseconds(1));
    co_await timer.async_wait(net::use_awaitable);
  }
}

TEST_CASE(
    "after three failures in a row the upstream is not asked, and everybody is told at once") {
  Bench bench;
  bench.inner->fails = bench.inner->ping_fails = failure(Errc::upstream_unreachable);
  for (int i = 0; i < 3; ++i) CHECK(bench.head().error().message == "test.registry: no");
  CHECK(bench.inner->asked == 3);
  for (int i = 0; i < 50; ++i) {
    const auto told = bench.head();
    REQUIRE_FALSE(told);
    CHECK(told.error().code == Errc::upstream_unreachable);
  }
  CHECK_FALSE(test::run(bench.loop, bench.registry.get_manifest(repository, reference)));
  CHECK_FALSE(test::run(bench.loop, bench.registry.head_blob(repository, digest)));
  CHECK_FALSE(test::run(bench.loop, bench.registry.open_blob(repository, digest, 0)));
  CHECK_FALSE(test::run(bench.loop, bench.registry.open_part(repository, digest, 0, 1)));
  CHECK_FALSE(test::run(bench.loop, bench.registry.get_tags(repository, "")));
  CHECK_FALSE(test::run(bench.loop, bench.registry.get_referrers(repository, digest, "")));
  CHECK(bench.inner->asked == 3);
}

TEST_CASE("a probe in the background finds out that it is back, and nobody waited for it") {
  Bench bench;
  bench.inner->fails = bench.inner->ping_fails = failure(Errc::upstream_failed);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(bench.head());
  bench.inner->fails.reset();
  CHECK_FALSE(bench.head());  // Nobody knows yet.
  bench.inner->ping_fails.reset();
  test::run(bench.loop, until_closed(bench.health));
  CHECK(bench.inner->pinged > 0);
  CHECK(bench.head());
  CHECK(bench.inner->asked == 4);
}

TEST_CASE("one prober is enough, whoever else is refused") {
  Bench bench;
  GuardedRegistry other(bench.inner, bench.health, bench.loop.get_executor());
  bench.inner->fails = bench.inner->ping_fails = failure(Errc::upstream_unreachable);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(bench.head());
  CHECK_FALSE(bench.health->begin_probing());  // Somebody does.
  CHECK_FALSE(test::run(bench.loop, other.head_manifest(repository, reference)));
  CHECK(bench.inner->asked == 3);
}

TEST_CASE("before the time that an upstream asked for nothing is asked of it, not even a ping") {
  Bench bench;
  bench.inner->fails = failure(Errc::upstream_busy, 60);
  CHECK_FALSE(bench.head());
  bench.inner->fails.reset();
  for (int i = 0; i < 500; ++i) {
    const auto told = bench.head();
    REQUIRE_FALSE(told);
    CHECK(told.error().code == Errc::upstream_busy);
    CHECK(told.error().retry_after_s > 50);
  }
  CHECK_FALSE(test::run(bench.loop, bench.registry.ping()));
  CHECK(bench.inner->asked == 1);
  CHECK(bench.inner->pinged == 0);
}

TEST_CASE("what an upstream says of an image goes through and keeps it open to questions") {
  Bench bench;
  bench.inner->fails = Error{.code = Errc::manifest_unknown, .message = "no such image"};
  for (int i = 0; i < 10; ++i) CHECK(bench.head().error().code == Errc::manifest_unknown);
  CHECK(bench.inner->asked == 10);
}

TEST_CASE("transfers that break count against the upstream, until one is opened again") {
  Bench bench;
  bench.inner->breaks = failure(Errc::upstream_failed);
  std::vector<std::unique_ptr<BlobStream>> streams;
  for (int i = 0; i < 3; ++i) {
    auto opened = test::run(bench.loop, bench.registry.open_blob(repository, digest, 0));
    REQUIRE(opened);
    streams.push_back(*std::move(opened));
  }
  std::string buffer(100, '\0');
  for (const auto& stream : streams) {
    CHECK_FALSE(bench.health->is_open());
    CHECK(*test::run(bench.loop, stream->read(buffer.data(), buffer.size())) == 5);
    CHECK_FALSE(test::run(bench.loop, stream->read(buffer.data(), buffer.size())));
  }
  CHECK(bench.health->is_open());
}

TEST_CASE("somebody who asks for the upstream itself gets an answer also when it is given up") {
  Bench bench;
  bench.inner->fails = failure(Errc::upstream_unreachable);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(bench.head());
  CHECK(test::run(bench.loop, bench.registry.ping()));
  CHECK_FALSE(bench.health->is_open());
}

net::awaitable<void> open_one(GuardedRegistry* registry, std::unique_ptr<BlobStream>* opened) {
  auto stream = co_await registry->open_blob(repository, digest, 0);
  if (stream) *opened = *std::move(stream);
}

TEST_CASE("a transfer holds its place until its end, and questions need not wait for it") {
  Bench bench;
  Throttle throttle;
  throttle.requests = Slots::make(2, "test.registry");
  throttle.transfers = Slots::make(1, "test.registry");
  GuardedRegistry registry(bench.inner, bench.health, bench.loop.get_executor(), throttle);
  CHECK(registry.has_room());
  auto first = test::run(bench.loop, registry.open_blob(repository, digest, 0));
  REQUIRE(first);
  CHECK_FALSE(registry.has_room());
  std::unique_ptr<BlobStream> second;
  net::co_spawn(bench.loop, open_one(&registry, &second), [](std::exception_ptr) {});
  CHECK(test::run(bench.loop, registry.head_manifest(repository, reference)));
  bench.loop.restart();
  bench.loop.poll();
  CHECK_FALSE(second);
  std::string buffer(100, '\0');
  while (*test::run(bench.loop, (*first)->read(buffer.data(), buffer.size())) > 0) {
  }
  bench.loop.restart();
  bench.loop.poll();
  CHECK(second);
}

TEST_CASE("a transfer with a bandwidth comes in pieces") {
  Bench bench;
  bench.inner->blob = std::string(200'000, 'x');
  Throttle throttle;
  throttle.bandwidth = std::make_shared<Pacer>(1 << 20);
  GuardedRegistry registry(bench.inner, bench.health, bench.loop.get_executor(), throttle);
  auto stream = test::run(bench.loop, registry.open_blob(repository, digest, 0));
  REQUIRE(stream);
  std::string buffer(1 << 20, '\0');
  const auto piece = (1 << 20) / 8;
  CHECK(*test::run(bench.loop, (*stream)->read(buffer.data(), buffer.size())) == piece);
  CHECK(*test::run(bench.loop, (*stream)->read(buffer.data(), buffer.size())) == 200'000 - piece);
  // What was taken counts for everybody: the next one waits behind it.
  CHECK(throttle.bandwidth->spend(1 << 20, Pacer::Clock::now()) > std::chrono::milliseconds(700));
}

TEST_CASE("a login page in the way is as good as nobody there") {
  test::ScriptedUpstream upstream;
  const auto page = [&](const std::string& path) {
    upstream.on(path).answer(200).header("Content-Type", "text/html; charset=utf-8").body("<html>");
  };
  page("/v2/");
  page("/v2/library/hi/manifests/1");
  page("/v2/library/hi/blobs/" + digest.str());
  page("/v2/library/hi/tags/list");
  RegistryBench bench(upstream_at(upstream.url()));
  const auto check = [](const Error& error) {
    CHECK(error.code == Errc::upstream_failed);
    CHECK(error.message.find("test.registry: a web page came") == 0);
    CHECK(error.retryable);
  };
  SUBCASE("HEAD of a manifest") {
    check(bench.run(bench.registry->head_manifest(repository, reference)).error());
  }
  SUBCASE("a manifest") {
    check(bench.run(bench.registry->get_manifest(repository, reference)).error());
  }
  SUBCASE("HEAD of a blob") {
    check(bench.run(bench.registry->head_blob(repository, digest)).error());
  }
  SUBCASE("a blob") {
    check(bench.run(bench.registry->open_blob(repository, digest, 0)).error());
  }
  SUBCASE("tags") {
    check(bench.run(bench.registry->get_tags(repository, "")).error());
  }
  SUBCASE("the API itself") {
    check(bench.run(bench.registry->ping()).error());
  }
  SUBCASE("three of them, and it is not asked any more") {
    for (int i = 0; i < 5; ++i) {
      CHECK_FALSE(bench.run(bench.registry->head_manifest(repository, reference)));
    }
    CHECK(upstream.count("HEAD", "/v2/library/hi/manifests/1") == 3);
  }
}

}  // namespace
}  // namespace archway::proxy
