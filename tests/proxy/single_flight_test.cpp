#include "proxy/single_flight.hpp"

#include "tests/support/run.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <stdexcept>
#include <thread>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using Flight = SingleFlight<int>;

net::awaitable<Result<int>> work_until(std::shared_ptr<Wakeup> end, std::atomic<int>* runs) {
  const int number = ++*runs;
  co_await end->wait(1h);
  co_return number;
}

net::awaitable<Result<int>> throws() {
  throw std::runtime_error("a bug");
  co_return 0;
}

net::awaitable<void> ask(Flight* flight, Flight::Work work, std::atomic<int>* sum) {
  const auto result = co_await flight->run("key", std::move(work), 1h);
  if (result) *sum += *result;
}

void ignore(std::exception_ptr) {}

TEST_CASE("one piece of work serves every waiter on every thread") {
  constexpr int per_loop = 50;
  Flight flight(nullptr);
  std::atomic<int> runs{0};
  std::atomic<int> sum{0};
  net::io_context first(1);
  net::io_context second(1);
  const auto end = Wakeup::make(first.get_executor());
  const Flight::Work work = [end, &runs] { return work_until(end, &runs); };
  for (int i = 0; i < per_loop; ++i) {
    net::co_spawn(first, ask(&flight, work, &sum), &ignore);
    net::co_spawn(second, ask(&flight, work, &sum), &ignore);
  }
  first.poll();   // The first to ask is of this loop: the work waits in it now.
  second.poll();  // All the others have joined.
  end->fire();
  std::thread other([&] { second.run(); });
  first.run();
  other.join();
  CHECK(runs == 1);
  CHECK(sum == 2 * per_loop);
}

TEST_CASE("nothing is kept: who asks later has the work done again") {
  Flight flight(nullptr);
  std::atomic<int> runs{0};
  net::io_context loop(1);
  const auto end = Wakeup::make(loop.get_executor());
  end->fire();
  const Flight::Work work = [end, &runs] { return work_until(end, &runs); };
  CHECK(*test::run(loop, flight.run("key", work, 1h)) == 1);
  CHECK(*test::run(loop, flight.run("key", work, 1h)) == 2);
  CHECK(*test::run(loop, flight.run("other", work, 1h)) == 3);
}

TEST_CASE("a waiter that leaves does not end the work for the others") {
  Flight flight(nullptr);
  std::atomic<int> runs{0};
  std::atomic<int> sum{0};
  net::io_context loop(1);
  const auto end = Wakeup::make(loop.get_executor());
  const Flight::Work work = [end, &runs] { return work_until(end, &runs); };
  const auto impatient = test::run(loop, flight.run("key", work, 0ms));
  REQUIRE_FALSE(impatient);
  CHECK(impatient.error().code == Errc::overloaded);
  CHECK(impatient.error().retryable);
  net::co_spawn(loop, ask(&flight, work, &sum), &ignore);
  loop.restart();
  loop.poll();
  end->fire();
  loop.run();
  CHECK(runs == 1);
  CHECK(sum == 1);
}

TEST_CASE("work that throws gives its waiters an error and does not block the key") {
  Flight flight(nullptr);
  net::io_context loop(1);
  const auto broken = test::run(loop, flight.run("key", Flight::Work(&throws), 1h));
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == Errc::overloaded);
  std::atomic<int> runs{0};
  const auto end = Wakeup::make(loop.get_executor());
  end->fire();
  const Flight::Work work = [end, &runs] { return work_until(end, &runs); };
  CHECK(test::run(loop, flight.run("key", work, 1h)));
}

TEST_CASE("work whose loop dies wakes the waiters of other loops") {
  Flight flight(nullptr);
  std::atomic<int> runs{0};
  std::atomic<int> sum{0};
  net::io_context other(1);
  auto dying = std::make_unique<net::io_context>(1);
  const auto end = Wakeup::make(dying->get_executor());
  const Flight::Work work = [end, &runs] { return work_until(end, &runs); };
  net::co_spawn(*dying, ask(&flight, work, &sum), &ignore);
  dying->poll();
  net::co_spawn(other, ask(&flight, work, &sum), &ignore);
  other.poll();
  dying.reset();
  other.restart();
  other.run();  // Ends: the waiter was woken.
  CHECK(runs == 1);
  CHECK(sum == 0);
}

}  // namespace
}  // namespace archway::proxy
