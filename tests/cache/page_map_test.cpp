#include "cache/page_map.hpp"

#include <array>
#include <cstring>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

constexpr std::size_t page_bytes = 256;
constexpr std::size_t head = sizeof(std::size_t) + 8;
constexpr std::size_t entry_head = 8;

/// A file's pages in memory, as LMDB lays them out: 0 and 1 say what it is, 2 is a leaf with two
/// entries, 3 and 4 hold one long value, 5 leads to the leaf, 6 and 7 are free.
class Pages {
 public:
  Pages() {
    number(2);
    u16(2, head - 6, 2);
    u16(2, head - 4, static_cast<std::uint16_t>(head + 2 * 2));
    u16(2, head - 2, 100);
    number(3);
    u16(3, head - 6, 4);
    const std::uint32_t two = 2;
    std::memcpy(page(3) + head - 4, &two, sizeof two);
    number(5);
    u16(5, head - 6, 1);
    u16(5, head - 4, static_cast<std::uint16_t>(head + 2));
    u16(5, head - 2, 200);
    u16(5, head, 200);
  }

  char* page(std::size_t i) { return base() + i * page_bytes; }
  void number(std::size_t i, std::size_t says = ~std::size_t{0}) {
    const auto text = says == ~std::size_t{0} ? i : says;
    std::memcpy(page(i), &text, sizeof text);
  }
  void u16(std::size_t i, std::size_t at, std::uint16_t value) {
    std::memcpy(page(i) + at, &value, sizeof value);
  }
  std::string_view at(std::size_t i, std::size_t offset, std::size_t length) {
    return {page(i) + offset, length};
  }

  /// What reading all of it tells; the second value is the long one.
  bool read(const std::vector<std::size_t>& free) {
    PageMap map(page_bytes, 8);
    map.entry(at(2, 150 + entry_head, 3), at(2, 150 + entry_head + 3, 20));
    map.entry(at(2, 100 + entry_head, 3), at(3, head, 300));
    map.table_ends();
    std::string list(reinterpret_cast<const char*>(free.data()), free.size() * sizeof(std::size_t));
    map.free_list(list);
    return map.whole(1);
  }

 private:
  char* base() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (page_bytes - address % page_bytes) % page_bytes;
  }

  std::array<char, 9 * page_bytes> memory_{};
};

TEST_CASE("pages that fit together are whole, with free ones or without") {
  CHECK(Pages().read({2, 7, 6}));
  CHECK(Pages().read({1, 6}));
  CHECK(Pages().read({0}));
  CHECK(Pages().read({0, 99}));  // Behind the count nothing counts.
}

TEST_CASE("a list of free pages that cannot be right is damage") {
  const std::vector<std::size_t> lists[] = {{},     {1},    {1, 1},    {1, 2},    {1, 3},
                                            {1, 4}, {1, 8}, {2, 6, 7}, {2, 6, 6}, {3, 7, 6}};
  for (const auto& list : lists) {
    CAPTURE(list.size());
    CAPTURE(list.empty() ? 0 : list.back());
    CHECK_FALSE(Pages().read(list));
  }
}

TEST_CASE("a page that says something else than its entries is damage") {
  struct Row {
    const char* why;
    void (*spoil)(Pages& pages);
  };
  const Row rows[] = {
      {"a leaf with another number", [](auto& pages) { pages.number(2, 6); }},
      {"a leaf with a number behind the last", [](auto& pages) { pages.number(2, 1 << 20); }},
      {"a leaf with more entries", [](auto& pages) { pages.u16(2, head - 4, head + 6); }},
      {"a leaf with fewer", [](auto& pages) { pages.u16(2, head - 4, head + 2); }},
      {"a leaf whose room reaches into its entries",
       [](auto& pages) { pages.u16(2, head - 2, 101); }},
      {"a leaf whose room ends before it begins", [](auto& pages) { pages.u16(2, head - 2, 10); }},
      {"a long value's page with another number", [](auto& pages) { pages.number(3, 4); }},
      {"a long value with another count", [](auto& pages) { pages.u16(3, head - 4, 3); }},
      {"a leaf that calls itself dirty", [](auto& pages) { pages.u16(2, head - 6, 0x12); }},
      {"a long value's page that calls itself a leaf",
       [](auto& pages) { pages.u16(3, head - 6, 2); }},
      {"a branch with another number", [](auto& pages) { pages.number(5, 6); }},
      {"a branch that calls itself dirty", [](auto& pages) { pages.u16(5, head - 6, 0x11); }},
      {"a branch whose room reaches into its entries",
       [](auto& pages) { pages.u16(5, head - 2, 201); }},
      {"a branch whose entry ends behind it", [](auto& pages) { pages.u16(5, head, 250); }},
      {"a branch whose list begins too early", [](auto& pages) { pages.u16(5, head - 4, 3); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Pages pages;
    row.spoil(pages);
    CHECK_FALSE(pages.read({2, 7, 6}));
  }
}

TEST_CASE("a page that two tables have is damage") {
  Pages pages;
  PageMap map(page_bytes, 8);
  map.entry(pages.at(2, 150 + entry_head, 3), pages.at(2, 150 + entry_head + 3, 20));
  map.entry(pages.at(2, 100 + entry_head, 3), pages.at(2, 100 + entry_head + 3, 2));
  map.table_ends();
  CHECK(map.fits());
  map.entry(pages.at(2, 150 + entry_head, 3), pages.at(2, 150 + entry_head + 3, 20));
  CHECK_FALSE(map.fits());
  CHECK_FALSE(map.whole(0));
}

}  // namespace
}  // namespace archway::cache
