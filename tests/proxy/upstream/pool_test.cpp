#include "proxy/upstream/pool.hpp"

#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

struct Bench {
  test::ScriptedUpstream upstream;
  boost::asio::io_context loop{1};

  std::unique_ptr<Connection> connect() {
    Connector connector(std::make_shared<Names>(test_names()), Ways(), {});
    Destination destination;
    destination.url = url_of(upstream.url());
    return *test::run(loop, connector.connect(std::move(destination)));
  }
};

TEST_CASE("the connection used last is taken first, and only for its own origin") {
  Bench bench;
  Pool pool(bench.loop.get_executor());
  auto first = bench.connect();
  auto second = bench.connect();
  const auto* const wanted = second->stream.get();
  pool.give("http://a", std::move(first));
  pool.give("http://a", std::move(second));
  CHECK(pool.idle() == 2);
  CHECK(pool.take("https://a") == nullptr);
  CHECK(pool.take("http://b") == nullptr);
  const auto taken = pool.take("http://a");
  REQUIRE(taken);
  CHECK(taken->stream.get() == wanted);
  CHECK(taken->reused);
  CHECK(pool.idle() == 1);
}

TEST_CASE("a connection that is closed or has something to say is not kept and not given") {
  Bench bench;
  Pool pool(bench.loop.get_executor());
  auto closed = bench.connect();
  closed->stream->close();
  pool.give("http://a", std::move(closed));
  auto left_over = bench.connect();
  left_over->received = "HTTP/1.1 200 OK\r\n";
  pool.give("http://a", std::move(left_over));
  CHECK(pool.idle() == 0);

  // The other side ends an idle connection.
  auto ended = std::make_unique<Bench>();
  Connector connector(std::make_shared<Names>(test_names()), Ways(), {});
  Destination destination;
  destination.url = url_of(ended->upstream.url());
  pool.give("http://a", *test::run(bench.loop, connector.connect(std::move(destination))));
  CHECK(pool.idle() == 1);
  ended.reset();
  CHECK(pool.take("http://a") == nullptr);
  CHECK(pool.idle() == 0);
}

TEST_CASE("a pool holds only so many connections and origins") {
  Bench bench;
  Pool pool(bench.loop.get_executor(), {.idle_max = 2, .origins_max = 2, .idle_for = 1h});
  for (int i = 0; i < 4; ++i) pool.give("http://a", bench.connect());
  CHECK(pool.idle() == 2);
  pool.give("http://b", bench.connect());
  pool.give("http://c", bench.connect());
  CHECK(pool.idle() == 3);
  CHECK(pool.take("http://c") == nullptr);
}

TEST_CASE("idle connections are closed by the pool's own clock") {
  Bench bench;
  Pool pool(bench.loop.get_executor(), {.idle_max = 2, .origins_max = 2, .idle_for = 5ms});
  pool.give("http://a", bench.connect());
  CHECK(pool.idle() == 1);
  bench.loop.restart();
  while (pool.idle() > 0) bench.loop.run_one();
  CHECK(pool.take("http://a") == nullptr);
}

TEST_CASE("a closed pool keeps nothing, and one may go while its clock runs") {
  Bench bench;
  {
    Pool pool(bench.loop.get_executor());
    pool.give("http://a", bench.connect());
    pool.close();
    CHECK(pool.idle() == 0);
    pool.give("http://a", bench.connect());
    CHECK(pool.idle() == 0);
  }
  {
    Pool gone(bench.loop.get_executor());
    gone.give("http://a", bench.connect());
  }
  bench.loop.restart();
  bench.loop.run();  // Ends, and finds no pool.
}

}  // namespace
}  // namespace archway::proxy
