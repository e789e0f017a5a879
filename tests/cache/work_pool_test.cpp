#include "cache/work_pool.hpp"

#include <doctest/doctest.h>
#include <latch>
#include <new>
#include <vector>

namespace archway::cache {
namespace {

TEST_CASE("work is done in the order it was asked for, on as many threads as there are") {
  std::vector<int> order;
  std::latch done(100);
  {
    WorkPool one(1);
    for (int i = 0; i < 100; ++i) {
      one.submit([&, i](const std::atomic<bool>&) {
        order.push_back(i);
        done.count_down();
      });
    }
    done.wait();
  }
  for (int i = 0; i < 100; ++i) CHECK(order.at(static_cast<std::size_t>(i)) == i);

  std::latch together(2);  // Each waits for the other.
  WorkPool two(2);
  for (int i = 0; i < 2; ++i) {
    two.submit([&](const std::atomic<bool>&) { together.arrive_and_wait(); });
  }
  together.wait();
}

TEST_CASE("a pool that ends tells what is under way, and still calls what is queued") {
  std::latch begun(1);
  std::atomic<int> told = 0;
  {
    WorkPool pool(1);
    pool.submit([&](const std::atomic<bool>& ending) {
      begun.count_down();
      while (!ending) std::this_thread::yield();
      ++told;
    });
    for (int i = 0; i < 3; ++i) {
      pool.submit([&](const std::atomic<bool>& ending) { told += ending ? 1 : 0; });
    }
    begun.wait();
  }
  CHECK(told == 4);
}

TEST_CASE("work that runs out of memory ends alone") {
  std::latch done(1);
  WorkPool pool(1);
  pool.submit([](const std::atomic<bool>&) { throw std::bad_alloc(); });
  pool.submit([&](const std::atomic<bool>&) { done.count_down(); });
  done.wait();
}

}  // namespace
}  // namespace archway::cache
