#include "proxy/wakeup.hpp"

#include "tests/support/run.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <thread>

namespace archway::proxy {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

TEST_CASE("a wakeup that was fired before does not wait") {
  net::io_context loop(1);
  const auto wakeup = Wakeup::make(loop.get_executor());
  wakeup->fire();
  wakeup->fire();
  CHECK(wakeup->fired());
  CHECK(test::run(loop, wakeup->wait(0ms)));
  CHECK(test::run(loop, wakeup->wait(1h)));
}

TEST_CASE("a wakeup wakes its waiter from another thread") {
  net::io_context loop(1);
  for (int i = 0; i < 200; ++i) {
    const auto wakeup = Wakeup::make(loop.get_executor());
    std::thread other([wakeup] { wakeup->fire(); });
    CHECK(test::run(loop, wakeup->wait(1h)));
    other.join();
  }
}

TEST_CASE("a wakeup that nobody fires ends at its deadline and can be awaited again") {
  net::io_context loop(1);
  const auto wakeup = Wakeup::make(loop.get_executor());
  CHECK_FALSE(test::run(loop, wakeup->wait(1ms)));
  CHECK_FALSE(wakeup->fired());
  wakeup->fire();
  CHECK(test::run(loop, wakeup->wait(1h)));
}

net::awaitable<void> wait_long(std::shared_ptr<Wakeup> wakeup) {
  co_await wakeup->wait(1h);
}

TEST_CASE("a wakeup may be fired when its waiter is gone with its whole loop") {
  std::shared_ptr<Wakeup> wakeup;
  {
    net::io_context loop(1);
    wakeup = Wakeup::make(loop.get_executor());
    net::co_spawn(loop, wait_long(wakeup), [](std::exception_ptr) {});
    loop.poll();
  }
  wakeup->fire();  // Under the sanitizers this finds no trace of the loop.
  CHECK(wakeup->fired());
}

}  // namespace
}  // namespace archway::proxy
