#include "proxy/command/pull_progress.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

TEST_CASE("a bar is full when all is there, and not before") {
  struct Row {
    std::uint64_t done;
    std::uint64_t whole;
    const char* want;
  };
  const std::vector<Row> rows{{0, 100, "[>                             ]   0%"},
                              {50, 100, "[===============>              ]  50%"},
                              {9999, 10000, "[=============================>]  99%"},
                              {100, 100, "[==============================] 100%"},
                              {0, 0, "[==============================] 100%"}};
  for (const auto& row : rows) CHECK(progress_bar(row.done, row.whole) == row.want);
}

TEST_CASE("progress counts blobs and bytes, and how fast they come") {
  ManifestBench bench;
  const auto digest = *Digest::parse(test::digest_of("x"));
  const Descriptor blob{.media_type = "", .digest = digest, .size = 2048, .platform = {}};
  const std::vector<Transfer> all{
      {.where = *Repository::parse("a"), .blob = blob, .brought = 2048, .done = true},
      {.where = *Repository::parse("a"), .blob = blob, .brought = 0}};
  PullProgress progress("archway warm", bench.surroundings(), {}, &all);
  CHECK(progress.text(std::chrono::seconds(2)) ==
        "[===============>              ]  50%  1 of 2 blobs  2.0 KiB of 4.0 KiB  1.0 KiB/s");
  progress.moved();
  CHECK(bench.complained().empty());
}

}  // namespace
}  // namespace archway::proxy
