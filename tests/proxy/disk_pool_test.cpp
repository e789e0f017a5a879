#include "proxy/disk_pool.hpp"

#include "tests/support/run.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace archway::proxy {
namespace {

namespace net = boost::asio;

TEST_CASE("work runs on another thread, and its value comes back to the loop") {
  DiskPool pool(2);
  net::io_context context{1};
  const std::function<std::thread::id()> work = [] { return std::this_thread::get_id(); };
  CHECK(test::run(context, pool.run(work)) != std::this_thread::get_id());
}

TEST_CASE("work that throws throws for its waiter, and the pool works on") {
  DiskPool pool(1);
  net::io_context context{1};
  const std::function<int()> bad = []() -> int { throw std::bad_alloc(); };
  const std::function<int()> good = [] { return 7; };
  CHECK_THROWS_AS(test::run(context, pool.run(bad)), std::runtime_error);
  CHECK(test::run(context, pool.run(good)) == 7);
}

net::awaitable<std::string> begin_then_wait(DiskPool* pool, std::promise<void>* told) {
  const auto executor = co_await net::this_coro::executor;
  const std::function<std::string()> work = [told] {
    told->get_future().wait();
    return std::string("done");
  };
  const auto pending = pool->start(executor, work);
  told->set_value();  // The loop goes on while the work waits for it.
  co_return co_await DiskPool::wait(pending);
}

TEST_CASE("a coroutine goes on while its work is done, and waits for it later") {
  DiskPool pool(1);
  net::io_context context{1};
  std::promise<void> told;
  CHECK(test::run(context, begin_then_wait(&pool, &told)) == "done");
}

net::awaitable<int> run_one(DiskPool* pool, int value) {
  const std::function<int()> work = [value] { return value; };
  co_return co_await pool->run(work);
}

TEST_CASE("many waiters on several loops each get their own value") {
  DiskPool pool(4);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> loops;
  for (int loop = 0; loop < 3; ++loop) {
    loops.emplace_back([&pool, &wrong, loop] {
      net::io_context context{1};
      for (int i = 0; i < 200; ++i) {
        const int value = loop * 1000 + i;
        if (test::run(context, run_one(&pool, value)) != value) ++wrong;
      }
    });
  }
  for (auto& loop : loops) loop.join();
  CHECK(wrong == 0);
}

TEST_CASE("work that was begun ends although its waiter and the waiter's loop are gone") {
  std::promise<void> begun;
  std::promise<void> go;
  std::atomic<bool> ended = false;
  DiskPool pool(1);
  {
    net::io_context context{1};
    const std::function<int()> work = [&] {
      begun.set_value();
      go.get_future().wait();
      ended = true;
      return 1;
    };
    net::co_spawn(context, pool.run(work), [](std::exception_ptr, int) {});
    context.poll();
    begun.get_future().wait();
  }
  go.set_value();
  pool.stop();
  CHECK(ended);
}

TEST_CASE("what was queued behind the stop is dropped, with all that it owns") {
  const auto owned = std::make_shared<int>(1);
  {
    DiskPool pool(1);
    net::io_context context{1};
    pool.stop();
    const std::function<int()> work = [owned] { return *owned; };
    net::co_spawn(context, pool.run(work), [](std::exception_ptr, int) {});
    context.poll();
  }
  CHECK(owned.use_count() == 1);
}

}  // namespace
}  // namespace archway::proxy
