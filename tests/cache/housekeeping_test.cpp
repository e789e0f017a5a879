#include "cache/housekeeping.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <latch>
#include <new>

namespace archway::cache {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds at_once{0};
constexpr std::chrono::hours never{1'000};

TEST_CASE("every chore gets its turn, and one that wants to go on at once keeps none from theirs") {
  std::latch busy(100);
  std::latch calm(1);
  std::atomic<int> done = 0;
  {
    const Housekeeping keeping({[&] {
                                  if (++done <= 100) busy.count_down();
                                  return at_once;
                                },
                                [&] {
                                  calm.count_down();
                                  return milliseconds(never);
                                }});
    busy.wait();
    calm.wait();
  }
  const int before = done;
  CHECK(before >= 100);
  CHECK(done == before);
}

TEST_CASE("it ends while it waits for a time that is far away, and without any chore") {
  std::latch called(1);
  {
    const Housekeeping keeping({[&] {
      called.count_down();
      return milliseconds(never);
    }});
    called.wait();
  }
  const Housekeeping nothing_to_do({});
}

TEST_CASE("a chore that runs out of memory ends neither the others nor the process") {
  std::latch thrown(1);
  std::latch calm(1);
  std::atomic<int> calls = 0;
  {
    const Housekeeping keeping({[&]() -> milliseconds {
                                  thrown.count_down();
                                  throw std::bad_alloc();
                                },
                                [&] {
                                  if (++calls == 3) calm.count_down();
                                  return at_once;
                                }});
    thrown.wait();
    calm.wait();
  }
}

}  // namespace
}  // namespace archway::cache
