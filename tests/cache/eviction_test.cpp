#include "cache/eviction.hpp"

#include "tests/cache/numbered.hpp"

#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <initializer_list>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace archway::cache {
namespace {

using testing::numbered;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

bool anybody(const Digest&) {
  return true;
}
bool nobody(const Digest&) {
  return false;
}

void add(Eviction& eviction, std::uint32_t number, std::uint64_t size = mib,
         Rank rank = Rank::ordinary) {
  eviction.add({.digest = numbered(number), .size = size, .rank = rank});
}

void add_all(Eviction& eviction, std::uint32_t first, std::uint32_t end) {
  for (auto number = first; number < end; ++number) add(eviction, number);
}

/// The numbers of the next `count` that go; fewer when no more go. Numbers are below 10'000.
std::vector<std::uint32_t> next(Eviction& eviction, std::size_t count,
                                const Eviction::MayGo& may_go = anybody) {
  static const auto numbers = [] {
    std::map<Digest, std::uint32_t> all;
    for (std::uint32_t number = 0; number < 10'000; ++number) all[numbered(number)] = number;
    return all;
  }();
  std::vector<std::uint32_t> gone;
  while (gone.size() < count) {
    const auto victim = eviction.victim(may_go);
    if (!victim) break;
    gone.push_back(numbers.at(victim->digest));
  }
  return gone;
}

using Numbers = std::vector<std::uint32_t>;

TEST_CASE("nothing goes where nothing is") {
  Eviction eviction;
  eviction.hit(numbered(1));
  eviction.remove(numbered(1));
  CHECK_FALSE(eviction.victim(anybody));
  CHECK(eviction.bytes() == 0);
  CHECK(eviction.count() == 0);
}

TEST_CASE("what nobody asked for again goes in the order in which it came") {
  Eviction eviction;
  add_all(eviction, 0, 5);
  CHECK(eviction.bytes() == 5 * mib);
  CHECK(next(eviction, 9) == Numbers{0, 1, 2, 3, 4});
  CHECK(eviction.bytes() == 0);
  CHECK(eviction.count() == 0);
}

TEST_CASE("one hit is enough to stay when all others go") {
  Eviction eviction;
  add_all(eviction, 0, 20);
  eviction.hit(numbered(3));
  const auto gone = next(eviction, 19);
  CHECK(std::count(gone.begin(), gone.end(), 3U) == 0);
  CHECK(next(eviction, 9) == Numbers{3});
}

TEST_CASE("each hit of those that stay earns one more round, three at most") {
  Eviction eviction;
  add_all(eviction, 0, 30);
  for (std::uint32_t number = 0; number < 30; ++number) eviction.hit(numbered(number));
  next(eviction, 1);  // All move to the main queue, and the first of them goes.
  for (int i = 0; i < 9; ++i) eviction.hit(numbered(5));
  eviction.hit(numbered(6));
  const auto gone = next(eviction, 29);
  REQUIRE(gone.size() == 29);
  const auto turn_of = [&](std::uint32_t number) {
    return std::find(gone.begin(), gone.end(), number) - gone.begin();
  };
  CHECK(turn_of(4) < turn_of(7));
  CHECK(turn_of(7) < turn_of(6));
  CHECK(turn_of(26) < turn_of(6));
  CHECK(gone.back() == 5);
}

TEST_CASE("a scan of everything passes through and leaves what is in use") {
  Eviction eviction;
  add_all(eviction, 0, 50);
  for (std::uint32_t number = 0; number < 50; ++number) eviction.hit(numbered(number));
  for (std::uint32_t number = 1'000; number < 3'000; ++number) {
    add(eviction, number);
    const auto gone = next(eviction, number < 1'010 ? 0 : 1);
    for (const auto one : gone) REQUIRE(one >= 1'000);
  }
  CHECK(eviction.count() == 60);
}

TEST_CASE("who is asked for again soon after it went is not new any more") {
  Eviction eviction;
  add_all(eviction, 0, 50);
  for (std::uint32_t number = 0; number < 50; ++number) eviction.hit(numbered(number));
  add_all(eviction, 100, 110);
  CHECK(next(eviction, 1) == Numbers{100});
  add(eviction, 100);
  add_all(eviction, 110, 120);
  const auto gone = next(eviction, 15);
  CHECK(std::count(gone.begin(), gone.end(), 100U) == 0);
  CHECK(std::count(gone.begin(), gone.end(), 101U) == 1);
}

TEST_CASE("of the same age the large one goes, and small ones stay while there are large ones") {
  Eviction eviction;
  for (std::uint32_t number = 0; number < 20; ++number) add(eviction, number, 4 * kib);
  for (std::uint32_t number = 100; number < 120; ++number) add(eviction, number, 64 * mib);
  const auto gone = next(eviction, 19);
  for (const auto number : gone) CHECK(number >= 100);
  CHECK(next(eviction, 30).size() == 21);
}

TEST_CASE("what is excluded goes before everything else, whatever was asked for") {
  Eviction eviction;
  add(eviction, 1, 64 * mib);
  add(eviction, 2, kib, Rank::excluded);
  add(eviction, 3, kib, Rank::excluded);
  eviction.hit(numbered(2));
  auto victim = eviction.victim(anybody);
  REQUIRE(victim);
  CHECK(*victim == Evictable{numbered(2), kib, Rank::excluded});
  CHECK(next(eviction, 9) == Numbers{3, 1});
}

TEST_CASE("one that is refused stays, and the next one is asked") {
  Eviction eviction;
  add_all(eviction, 0, 4);
  const auto not_0_or_2 = [](const Digest& digest) {
    return digest != numbered(0) && digest != numbered(2);
  };
  CHECK(next(eviction, 9, not_0_or_2) == Numbers{1, 3});
  CHECK(eviction.count() == 2);
  CHECK(eviction.bytes() == 2 * mib);
  CHECK(next(eviction, 9) == Numbers{0, 2});
}

TEST_CASE("when none may go each one is asked once") {
  Eviction eviction;
  for (std::uint32_t number = 0; number < 40; ++number) {
    add(eviction, number, 1 + number * 10 * kib, number % 5 == 0 ? Rank::excluded : Rank::ordinary);
    for (std::uint32_t i = 0; i < number % 4; ++i) eviction.hit(numbered(number));
  }
  std::multiset<Digest> asked;
  CHECK_FALSE(eviction.victim([&](const Digest& digest) {
    asked.insert(digest);
    return false;
  }));
  CHECK(asked.size() == 40);
  CHECK(std::set<Digest>(asked.begin(), asked.end()).size() == 40);
  CHECK(eviction.count() == 40);
  CHECK(next(eviction, 99).size() == 40);
}

TEST_CASE("an excluded one that was refused is still the first to go later") {
  Eviction eviction;
  add(eviction, 1);
  add(eviction, 2, mib, Rank::excluded);
  CHECK_FALSE(eviction.victim(nobody));
  CHECK(*eviction.victim(anybody) == Evictable{numbered(2), mib, Rank::excluded});
  CHECK(next(eviction, 9) == Numbers{1});
}

TEST_CASE("added again it takes the new size and rank") {
  Eviction eviction;
  CHECK(eviction.add({.digest = numbered(1), .size = mib}));
  add(eviction, 2);
  CHECK_FALSE(eviction.add({.digest = numbered(2), .size = 3 * mib, .rank = Rank::excluded}));
  CHECK(eviction.bytes() == 4 * mib);
  CHECK(eviction.count() == 2);
  CHECK(next(eviction, 1) == Numbers{2});
  add(eviction, 3, kib, Rank::excluded);
  add(eviction, 3, kib, Rank::ordinary);
  CHECK(eviction.victim(anybody)->rank == Rank::ordinary);
}

TEST_CASE("what was removed is neither a victim nor remembered") {
  Eviction eviction;
  add_all(eviction, 0, 3);
  eviction.remove(numbered(1));
  CHECK(eviction.count() == 2);
  CHECK(eviction.bytes() == 2 * mib);
  CHECK(next(eviction, 9) == Numbers{0, 2});
}

TEST_CASE("sizes from nothing to more than any disk are counted") {
  Eviction eviction;
  const std::vector<std::uint64_t> sizes{0, 1, 3, 4, kib, mib, mib * kib, mib * mib};
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < sizes.size(); ++i) {
    add(eviction, i, sizes[i]);
    sum += sizes[i];
  }
  CHECK(eviction.bytes() == sum);
  while (const auto victim = eviction.victim(anybody)) sum -= victim->size;
  CHECK(sum == 0);
  CHECK(eviction.count() == 0);
}

/// A random sequence of calls, checked against a plain map; gives back who went.
std::vector<Digest> random_calls(std::uint32_t seed) {
  Eviction eviction;
  std::map<Digest, std::uint64_t> there;
  std::vector<Digest> gone;
  std::mt19937 random(seed);
  const auto may_go = [&](const Digest& digest) { return digest.bytes()[1] % 4 != 0; };
  for (int step = 0; step < 20'000; ++step) {
    const auto digest = numbered(static_cast<std::uint32_t>(random() % 1'500));
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        const auto size = std::uint64_t{random()} >> random() % 32;
        const auto rank = random() % 10 == 0 ? Rank::excluded : Rank::ordinary;
        const bool is_new = eviction.add({.digest = digest, .size = size, .rank = rank});
        REQUIRE(is_new == !there.contains(digest));
        there[digest] = size;
        break;
      }
      case 3:
        eviction.remove(digest);
        there.erase(digest);
        break;
      case 4: {
        const auto victim = eviction.victim(may_go);
        if (!victim) break;
        REQUIRE(there.contains(victim->digest));
        REQUIRE(there[victim->digest] == victim->size);
        REQUIRE(may_go(victim->digest));
        there.erase(victim->digest);
        gone.push_back(victim->digest);
        break;
      }
      default: eviction.hit(digest);
    }
    REQUIRE(eviction.count() == there.size());
  }
  std::uint64_t sum = 0;
  for (const auto& [digest, size] : there) sum += size;
  CHECK(eviction.bytes() == sum);
  return gone;
}

TEST_CASE("it always knows what is there, and the same calls give the same victims") {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    const auto gone = random_calls(seed);
    CHECK(gone.size() > 1'000);
    CHECK(gone == random_calls(seed));
  }
}

TEST_CASE("hits may come from any thread while others come and go") {
  Eviction eviction;
  std::atomic<bool> over = false;
  std::vector<std::thread> clients;
  for (std::uint32_t i = 0; i < 3; ++i) {
    clients.emplace_back([&, i] {
      for (auto number = i; !over; number = (number + 7) % 500) eviction.hit(numbered(number));
    });
  }
  std::uint64_t gone = 0;
  for (std::uint32_t number = 0; number < 5'000; ++number) {
    add(eviction, number % 500, kib);
    if (number % 2 != 0 && eviction.victim(anybody)) ++gone;
  }
  over = true;
  for (auto& client : clients) client.join();
  CHECK(gone == 2'500);
  CHECK(eviction.bytes() == eviction.count() * kib);
}

}  // namespace
}  // namespace archway::cache
