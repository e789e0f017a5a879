#include "proxy/upstream/names.hpp"

#include "tests/support/run.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <doctest/doctest.h>
#include <mutex>
#include <stdexcept>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

resolver::Address address(std::string_view text) {
  return *resolver::Address::parse(text);
}

Error no_such_name() {
  return {.code = Errc::upstream_unreachable, .message = "no", .context = "no such name"};
}

/// A resolver that the test holds up, and a clock that it sets. Shared: a look-up may outlive all.
struct Bench {
  std::mutex mutex = {};
  std::condition_variable changed = {};
  bool held = false;
  bool fails = false;
  int asked = 0;
  Names::Addresses gives = {address("192.0.2.1")};
  Names::Clock::time_point time = Names::Clock::now();

  Result<Names::Addresses> look_up() {
    std::unique_lock lock(mutex);
    ++asked;
    changed.notify_all();
    changed.wait(lock, [&] { return !held; });
    if (fails) return no_such_name();
    return gives;
  }
  void hold(bool on) {
    const std::lock_guard lock(mutex);
    held = on;
    changed.notify_all();
  }
  void pass_time(std::chrono::seconds by) {
    const std::lock_guard lock(mutex);
    time += by;
  }
  int count() {
    const std::lock_guard lock(mutex);
    return asked;
  }
};

Names::Options options(const std::shared_ptr<Bench>& bench) {
  Names::Options made;
  made.lookup = [bench](const std::string&) { return bench->look_up(); };
  made.now = [bench] {
    const std::lock_guard lock(bench->mutex);
    return bench->time;
  };
  return made;
}

TEST_CASE("an address is its own answer and nobody is asked") {
  net::io_context loop(1);
  const auto bench = std::make_shared<Bench>();
  Names names(options(bench));
  for (const auto* const text : {"127.0.0.1", "10.0.0.5", "::1", "2001:db8::1"}) {
    CAPTURE(text);
    const auto found = test::run(loop, names.find(text, 10s));
    REQUIRE(found);
    CHECK(*found == Names::Addresses{address(text)});
  }
  CHECK(bench->count() == 0);
}

TEST_CASE("a name is asked once a minute") {
  net::io_context loop(1);
  const auto bench = std::make_shared<Bench>();
  Names names(options(bench));
  CHECK(*test::run(loop, names.find("registry.test", 10s)) == bench->gives);
  bench->pass_time(59s);
  CHECK(test::run(loop, names.find("registry.test", 10s)));
  CHECK(bench->count() == 1);
  bench->pass_time(2s);
  CHECK(test::run(loop, names.find("registry.test", 10s)));
  CHECK(bench->count() == 2);
}

TEST_CASE("the last good addresses serve for a day when look-ups fail, and are seldom asked for") {
  net::io_context loop(1);
  const auto bench = std::make_shared<Bench>();
  Names names(options(bench));
  REQUIRE(test::run(loop, names.find("registry.test", 10s)));
  bench->fails = true;
  bench->pass_time(1h);
  CHECK(test::run(loop, names.find("registry.test", 10s)));
  CHECK(test::run(loop, names.find("registry.test", 10s)));
  CHECK(bench->count() == 2);
  bench->pass_time(6s);
  CHECK(test::run(loop, names.find("registry.test", 10s)));
  CHECK(bench->count() == 3);
  bench->pass_time(24h);
  const auto gone = test::run(loop, names.find("registry.test", 10s));
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == Errc::upstream_unreachable);
  CHECK(gone.error().message == "the name registry.test cannot be resolved to an address");
  CHECK(gone.error().retryable);
}

TEST_CASE("a name without addresses, or whose look-up throws, is an error") {
  net::io_context loop(1);
  const auto bench = std::make_shared<Bench>();
  bench->gives.clear();
  Names names(options(bench));
  CHECK_FALSE(test::run(loop, names.find("registry.test", 10s)));
  Names::Options throwing;
  throwing.lookup = [](const std::string&) -> Result<Names::Addresses> {
    throw std::runtime_error("out of everything");
  };
  Names broken(std::move(throwing));
  CHECK_FALSE(test::run(loop, broken.find("registry.test", 10s)));
}

TEST_CASE("a look-up that hangs ends at the deadline, and its late answer is kept for the next") {
  net::io_context loop(1);
  const auto bench = std::make_shared<Bench>();
  Names names(options(bench));
  bench->hold(true);
  const auto late = test::run(loop, names.find("registry.test", 10ms));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::upstream_unreachable);
  CHECK(late.error().context == "registry.test: no answer in time");
  bench->hold(false);
  CHECK(test::run(loop, names.find("registry.test", 10s)));  // joins the one that hung
  CHECK(bench->count() == 1);
}

TEST_CASE("a name whose look-up hangs does not hold up the next, and all threads may hang") {
  net::io_context loop(1);
  const auto bench = std::make_shared<Bench>();
  auto made = options(bench);
  made.lookup = [bench](const std::string& host) -> Result<Names::Addresses> {
    if (host.starts_with("slow")) return bench->look_up();
    return Names::Addresses{address("192.0.2.2")};
  };
  Names names(std::move(made));
  bench->hold(true);
  for (const auto* const host : {"slow-1.test", "slow-2.test", "slow-3.test"}) {
    CHECK_FALSE(test::run(loop, names.find(host, 1ms)));
  }
  CHECK(test::run(loop, names.find("quick.test", 10s)));
  CHECK_FALSE(test::run(loop, names.find("slow-4.test", 1ms)));
  CHECK_FALSE(test::run(loop, names.find("quick-2.test", 1ms)));  // nobody is left to ask
  CHECK(test::run(loop, names.find("127.0.0.1", 1ms)));
  bench->hold(false);
  CHECK(test::run(loop, names.find("quick-2.test", 10s)));
}

TEST_CASE("the queue of look-ups is bounded") {
  net::io_context loop(1);
  const auto bench = std::make_shared<Bench>();
  auto made = options(bench);
  made.threads = 1;
  Names names(std::move(made));
  bench->hold(true);
  Errc code = Errc::upstream_unreachable;
  for (std::size_t i = 0; i < Names::queue_max + 2; ++i) {
    const auto result = test::run(loop, names.find("n" + std::to_string(i) + ".test", 0ms));
    REQUIRE_FALSE(result);
    code = result.error().code;
  }
  CHECK(code == Errc::overloaded);
  bench->hold(false);
}

TEST_CASE("a look-up may end after everybody has gone") {
  const auto bench = std::make_shared<Bench>();
  bench->hold(true);
  {
    net::io_context loop(1);
    Names names(options(bench));
    CHECK_FALSE(test::run(loop, names.find("registry.test", 1ms)));
  }
  bench->hold(false);  // The thread finds neither the loop nor Names, and does not look for them.
}

TEST_CASE("the system's own resolver knows localhost") {
  net::io_context loop(1);
  Names names(Names::Options{});
  const auto found = test::run(loop, names.find("localhost", 10s));
  REQUIRE(found);
  const auto first = found->front();
  CHECK((first == address("127.0.0.1") || first == address("::1")));
}

}  // namespace
}  // namespace archway::proxy
