#include "cache/eviction_slots.hpp"

#include "tests/cache/numbered.hpp"

#include <doctest/doctest.h>
#include <random>
#include <unordered_map>

namespace archway::cache {
namespace {

using testing::numbered;

TEST_CASE("what was put in is found, and its digest is whole") {
  for (const auto algorithm : {Digest::Algorithm::sha256, Digest::Algorithm::sha512}) {
    EvictionSlots slots;
    const auto digest = numbered(1, algorithm);
    CHECK(slots.find(digest) == EvictionSlots::none);
    const auto id = slots.insert(digest, 42);
    CHECK(slots.find(digest) == id);
    CHECK(slots.digest(id) == digest);
    CHECK(slots[id].size == 42);
    slots.erase(id);
    CHECK(slots.find(digest) == EvictionSlots::none);
  }
}

TEST_CASE("two hashes that differ in algorithm alone are two") {
  EvictionSlots slots;
  const auto short_one = numbered(1, Digest::Algorithm::sha256);
  const auto long_one = numbered(1, Digest::Algorithm::sha512);
  const auto first = slots.insert(short_one, 1);
  const auto second = slots.insert(long_one, 2);
  CHECK(first != second);
  CHECK(slots.digest(slots.find(short_one)) == short_one);
  CHECK(slots.digest(slots.find(long_one)) == long_one);
}

TEST_CASE("hits are counted up to three, and only of what is known") {
  EvictionSlots slots;
  slots.hit(numbered(1));
  const auto id = slots.insert(numbered(1), 1);
  for (const int want : {1, 2, 3, 3}) {
    slots.hit(numbered(1));
    slots.hit(numbered(2));
    CHECK(slots.hits(id) == want);
  }
  slots.set_hits(id, 1);
  CHECK(slots.hits(id) == 1);
}

TEST_CASE("a slot that was given up starts anew") {
  EvictionSlots slots;
  const auto id = slots.insert(numbered(1, Digest::Algorithm::sha512), 1);
  slots.hit(numbered(1, Digest::Algorithm::sha512));
  slots.erase(id);
  const auto again = slots.insert(numbered(1), 9);
  CHECK(again == id);
  CHECK(slots.hits(again) == 0);
  CHECK(slots.digest(again) == numbered(1));
}

TEST_CASE("after any sequence of coming and going exactly those who are there are found") {
  EvictionSlots slots;
  std::unordered_map<std::uint32_t, EvictionSlots::Id> there;
  std::mt19937 random(1);
  for (int step = 0; step < 20'000; ++step) {
    const auto number = static_cast<std::uint32_t>(random() % 2'000);
    const auto found = there.find(number);
    if (found == there.end()) {
      there[number] = slots.insert(numbered(number), number);
    } else if (random() % 3 != 0) {
      slots.erase(found->second);
      there.erase(found);
    }
  }
  for (std::uint32_t number = 0; number < 2'000; ++number) {
    CAPTURE(number);
    const auto found = there.find(number);
    const auto want = found == there.end() ? EvictionSlots::none : found->second;
    REQUIRE(slots.find(numbered(number)) == want);
    if (want != EvictionSlots::none) CHECK(slots[want].size == number);
  }
}

}  // namespace
}  // namespace archway::cache
