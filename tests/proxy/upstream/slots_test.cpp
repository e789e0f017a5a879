#include "proxy/upstream/slots.hpp"

#include "tests/support/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>
#include <optional>
#include <vector>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Taken {
  std::optional<Result<Slots::Slot>> slot;
};

net::awaitable<void> take(std::shared_ptr<Slots> slots, std::vector<int>* order, int who,
                          std::shared_ptr<Taken> taken) {
  auto slot = co_await slots->take(seconds(20));
  order->push_back(who);
  taken->slot.emplace(std::move(slot));
}

struct Bench {
  net::io_context loop{1};
  std::shared_ptr<Slots> slots = Slots::make(2, "docker.io");
  std::vector<int> order;
  std::vector<std::shared_ptr<Taken>> takers;

  void begin() {
    takers.push_back(std::make_shared<Taken>());
    net::co_spawn(loop, take(slots, &order, static_cast<int>(takers.size()), takers.back()),
                  [](std::exception_ptr) {});
    turn();
  }
  void end(std::size_t who) {
    takers.at(who - 1)->slot.reset();
    turn();
  }
  void turn() {
    loop.restart();
    loop.poll();
  }
};

TEST_CASE("who comes when all are taken waits in line, first come, first served") {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.begin();
  CHECK(bench.order == std::vector<int>{1, 2});
  bench.end(2);
  CHECK(bench.order == std::vector<int>{1, 2, 3});
  bench.end(1);
  bench.end(3);
  CHECK(bench.order == std::vector<int>{1, 2, 3, 4, 5});
  bench.end(4);
  bench.end(5);
  bench.begin();
  CHECK(bench.order.back() == 6);
}

TEST_CASE("who waits too long is told so, and its place goes to the next") {
  Bench bench;
  bench.begin();
  bench.begin();
  const auto late = test::run(bench.loop, bench.slots->take(milliseconds(1)));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::overloaded);
  CHECK(late.error().message.find("docker.io") != std::string::npos);
  bench.begin();
  bench.end(1);
  CHECK(bench.order == std::vector<int>{1, 2, 3});
}

TEST_CASE("the line has an end") {
  Bench bench;
  for (std::size_t i = 0; i < Slots::waiting_max + 2; ++i) bench.begin();
  CHECK(bench.order.size() == 2);
  const auto refused = test::run(bench.loop, bench.slots->take(seconds(20)));
  CHECK_FALSE(refused);
}

TEST_CASE("a slot that was given to somebody who is gone goes on to the next") {
  const auto slots = Slots::make(1, "docker.io");
  Result<Slots::Slot> first = Error{.code = Errc::overloaded, .message = ""};
  {
    net::io_context loop{1};
    first = test::run(loop, slots->take(seconds(1)));
    REQUIRE(first);
    std::vector<int> order;
    net::co_spawn(loop, take(slots, &order, 2, std::make_shared<Taken>()),
                  [](std::exception_ptr) {});
    loop.restart();
    loop.poll();
    *first = Slots::Slot();  // Given back: the waiter has it, and never hears of it.
  }
  net::io_context other{1};
  CHECK(test::run(other, slots->take(seconds(1))));
}

}  // namespace
}  // namespace archway::proxy
