#include "proxy/upstream/blob_stream.hpp"

#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

TEST_CASE("a content range is read strictly") {
  struct Row {
    const char* why;
    const char* text;
    bool good;
    std::uint64_t first;
    std::uint64_t last;
    std::optional<std::uint64_t> total;
  };
  const Row rows[] = {
      {"usual", "bytes 200-999/1000", true, 200, 999, 1000},
      {"a part in the middle", "bytes 1-1/3", true, 1, 1, 3},
      {"total not known", "bytes 1-5/*", true, 1, 5, {}},
      {"empty", "", false, 0, 0, {}},
      {"no unit", "200-999/1000", false, 0, 0, {}},
      {"another unit", "pages 1-2/3", false, 0, 0, {}},
      {"unsatisfied", "bytes */1000", false, 0, 0, {}},
      {"backwards", "bytes 5-4/10", false, 0, 0, {}},
      {"past the total", "bytes 5-10/10", false, 0, 0, {}},
      {"no last", "bytes 5-/10", false, 0, 0, {}},
      {"no total", "bytes 5-9", false, 0, 0, {}},
      {"empty total", "bytes 5-9/", false, 0, 0, {}},
      {"rest", "bytes 5-9/10 ", false, 0, 0, {}},
      {"several", "bytes 5-9/10, 1-2/10", false, 0, 0, {}},
      {"negative", "bytes -5-9/10", false, 0, 0, {}},
      {"2^64", "bytes 5-9/18446744073709551616", false, 0, 0, {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto range = read_content_range(row.text);
    REQUIRE(range.has_value() == row.good);
    if (!range) continue;
    CHECK(range->first == row.first);
    CHECK(range->last == row.last);
    CHECK(range->total == row.total);
  }
}

TEST_CASE("an answer becomes a stream only when it is to the question") {
  struct Row {
    const char* why;
    unsigned status;
    const char* content_range;
    std::uint64_t asked;
    bool good;
    std::uint64_t offset;
    std::optional<std::uint64_t> size;
    std::optional<std::uint64_t> length = {};
  };
  const Row rows[] = {
      // each has a body of five bytes
      {"whole", 200, "", 0, true, 0, 5},
      {"the rest", 206, "bytes 5-9/10", 5, true, 5, 10},
      {"a part of the rest", 206, "bytes 5-9/20", 5, true, 5, 20},
      {"the rest of nobody knows what", 206, "bytes 5-9/*", 5, true, 5, {}},
      {"the range was ignored", 200, "", 5, true, 0, 5},
      {"a part unasked", 206, "bytes 0-4/5", 0, false, 0, {}},
      {"another part", 206, "bytes 4-8/9", 5, false, 0, {}},
      {"no range", 206, "", 5, false, 0, {}},
      {"another length", 206, "bytes 5-10/11", 5, false, 0, {}},
      {"so many bytes", 206, "bytes 5-9/20", 5, true, 5, 20, 5},
      {"the first of them", 206, "bytes 0-4/20", 0, true, 0, 20, 5},
      {"fewer: there are no more", 206, "bytes 5-9/10", 5, true, 5, 10, 100},
      {"more than were asked for", 206, "bytes 5-9/20", 5, false, 0, {}, 4},
      {"so many bytes, and the range was ignored", 200, "", 5, true, 0, 5, 5},
      {"another success", 203, "", 0, false, 0, {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream upstream;
    auto& script = upstream.on("/").answer(row.status).body("hello");
    if (*row.content_range != '\0') script.header("Content-Range", row.content_range);
    ExchangeBench bench;
    auto answer = bench.ask(upstream.url() + "/");
    REQUIRE(answer);
    auto stream = blob_stream(*std::move(answer), row.asked, "test.registry", nullptr, row.length);
    REQUIRE(stream.has_value() == row.good);
    if (!row.good) {
      CHECK(stream.error().code == Errc::upstream_failed);
      continue;
    }
    CHECK((*stream)->offset() == row.offset);
    CHECK((*stream)->size() == row.size);
    std::string text(100, '\0');
    const auto got = test::run(bench.loop, (*stream)->read(text.data(), text.size()));
    REQUIRE(got);
    CHECK(*got == 5);
    CHECK(*test::run(bench.loop, (*stream)->read(text.data(), text.size())) == 0);
  }
}

}  // namespace
}  // namespace archway::proxy
