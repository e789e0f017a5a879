#include "proxy/pull/seen.hpp"

#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

using cache::SeenRecord;

constexpr std::int64_t noon = 1'800'000'000;
constexpr std::int64_t hour = 3600;

const ImageName golang{.upstream = "docker.io", .repository = *Repository::parse("library/golang")};
const Tag tag = *Tag::parse("1.22");
const Platform arm64{.os = "linux", .architecture = "arm64"};
const Platform amd64{.os = "linux", .architecture = "amd64"};

Platform made_up(std::size_t number) {
  return {.os = "linux", .architecture = "arm", .variant = "v" + std::to_string(number)};
}

/// The table of an index, in memory, with how often it was written.
class SeenTable : public cache::Index {
 public:
  std::optional<cache::TagRecord> find_tag(const ImageName&, const Tag&) const override {
    return std::nullopt;
  }
  std::optional<cache::ManifestRecord> find_manifest(const Digest&) const override {
    return std::nullopt;
  }
  std::optional<cache::BlobRecord> find_blob(const Digest&) const override { return std::nullopt; }
  std::optional<cache::GrantRecord> find_grant(const ImageName&, const Digest&) const override {
    return std::nullopt;
  }
  std::vector<SeenRecord> all_seen(std::size_t max) const override {
    std::vector<SeenRecord> all;
    for (const auto& [key, record] : records) {
      if (all.size() < max) all.push_back(record);
    }
    return all;
  }
  std::vector<VirtualImage> all_images(std::size_t) const override { return {}; }
  std::vector<cache::PinRecord> all_pins(std::size_t) const override { return {}; }
  std::vector<cache::TagEntry> tags_after(const std::optional<std::pair<ImageName, Tag>>&,
                                          std::size_t) const override {
    return {};
  }
  std::vector<cache::BlobEntry> blobs_after(const std::optional<Digest>&,
                                            std::size_t) const override {
    return {};
  }
  std::vector<cache::ManifestEntry> manifests_after(const std::optional<Digest>&,
                                                    std::size_t) const override {
    return {};
  }
  std::vector<cache::GrantEntry> grants_after(const std::optional<std::pair<ImageName, Digest>>&,
                                              std::size_t) const override {
    return {};
  }
  void commit(cache::Changes changes, Done) override {
    writes += changes.seen.size();
    for (auto& record : changes.seen) {
      const auto key = std::pair(record.image, record.tag);
      records.insert_or_assign(key, std::move(record));
    }
    for (const auto& key : changes.seen_gone) gone += records.erase(key);
  }
  Totals totals() const override { return {}; }
  std::uint64_t damaged() const override { return 0; }

  std::map<std::pair<ImageName, Tag>, SeenRecord> records;
  std::size_t writes = 0;
  std::size_t gone = 0;
};

std::vector<std::string> platforms_since(const Seen& seen, std::int64_t time) {
  std::vector<std::string> platforms;
  for (const auto& entry : seen.pulled_since(time)) {
    for (const auto& platform : entry.platforms) platforms.push_back(platform.str());
  }
  return platforms;
}

TEST_CASE("a tag is seen with the platforms that pulled it lately, the latest first") {
  SeenTable table;
  Seen seen(&table);
  seen.load();
  seen.note(golang, tag, amd64, noon);
  seen.note(golang, tag, arm64, noon + 10);
  const auto all = seen.pulled_since(noon);
  REQUIRE(all.size() == 1);
  CHECK(all[0].image == golang);
  CHECK(all[0].tag == tag);
  CHECK(all[0].platforms == std::vector{arm64, amd64});
  CHECK(platforms_since(seen, noon + 1) == std::vector<std::string>{"linux/arm64"});
  CHECK(seen.pulled_since(noon + 11).empty());
  seen.note(golang, tag, amd64, noon + 20);
  CHECK(seen.pulled_since(noon)[0].platforms == std::vector{amd64, arm64});
}

TEST_CASE("a pull is written when it is the first of its platform, and then once an hour") {
  struct Row {
    const char* why;
    Platform platform;
    std::int64_t time;
    std::size_t writes;  ///< in all, after it
  };
  const Row rows[] = {{"the first", amd64, noon, 1},
                      {"again", amd64, noon + 1, 1},
                      {"another platform", arm64, noon + 2, 2},
                      {"the first one again", amd64, noon + 3, 2},
                      {"just before the hour", amd64, noon + 2 + hour - 1, 2},
                      {"after an hour", amd64, noon + 2 + hour, 3},
                      {"and again", amd64, noon + 2 + hour + 1, 3},
                      {"the clock was set back", amd64, noon, 4},
                      {"and stays there", amd64, noon + 1, 4}};
  SeenTable table;
  Seen seen(&table);
  seen.load();
  for (const auto& row : rows) {
    CAPTURE(row.why);
    seen.note(golang, tag, row.platform, row.time);
    CHECK(table.writes == row.writes);
  }
  CHECK(table.records.at({golang, tag}).pullers.size() == 2);
}

TEST_CASE("whoever states ever new platforms makes a bounded number of writes") {
  SeenTable table;
  Seen seen(&table);
  seen.load();
  for (std::size_t i = 0; i < 3 * cache::seen_platforms_max; ++i) {
    seen.note(golang, tag, made_up(i), noon);
  }
  CHECK(table.writes == cache::seen_platforms_max);
  const auto platforms = seen.pulled_since(noon)[0].platforms;
  CHECK(platforms.size() == cache::seen_platforms_max);
  CHECK(platforms.front() == made_up(3 * cache::seen_platforms_max - 1));
}

TEST_CASE("what was noted before the index was read is joined with what it remembers") {
  SeenTable table;
  table.records.emplace(std::pair(golang, tag),
                        SeenRecord{.image = golang,
                                   .tag = tag,
                                   .pullers = {{.platform = arm64, .last_pull = noon - hour},
                                               {.platform = amd64, .last_pull = noon - hour}}});
  Seen seen(&table);
  seen.note(golang, tag, amd64, noon);
  seen.note(golang, tag, made_up(1), noon + 1);
  seen.forget_before(noon + hour);  // Not yet: it does not know what there is.
  CHECK(table.writes == 0);
  CHECK(table.gone == 0);
  seen.load();
  CHECK(seen.pulled_since(0)[0].platforms == std::vector{made_up(1), amd64, arm64});
  CHECK(table.writes == 1);
  const auto& pullers = table.records.at({golang, tag}).pullers;
  REQUIRE(pullers.size() == 3);
  CHECK(pullers[0].last_pull == noon + 1);
  CHECK(pullers[1].last_pull == noon);
  CHECK(pullers[2].last_pull == noon - hour);
}

TEST_CASE("what nobody has pulled for long is forgotten, here and in the index") {
  SeenTable table;
  Seen seen(&table);
  seen.load();
  const auto other = *Tag::parse("other");
  seen.note(golang, other, amd64, noon);
  seen.note(golang, tag, amd64, noon);
  seen.note(golang, tag, arm64, noon + 10);
  seen.forget_before(noon);
  CHECK(table.records.size() == 2);
  seen.forget_before(noon + 10);
  CHECK(platforms_since(seen, 0) == std::vector<std::string>{"linux/arm64"});
  CHECK(table.records.size() == 1);
  CHECK(table.records.at({golang, tag}).pullers.size() == 1);
  seen.forget_before(noon + 11);
  CHECK(seen.pulled_since(0).empty());
  CHECK(table.records.empty());
}

TEST_CASE("when there are too many tags the ones that nobody pulled for longest go") {
  SeenTable table;
  Seen seen(&table);
  seen.load();
  const auto number = [](std::size_t i) { return *Tag::parse("t" + std::to_string(i)); };
  for (std::size_t i = 0; i < seen_tags_max; ++i) {
    seen.note(golang, number(i), amd64, noon + static_cast<std::int64_t>(i));
  }
  CHECK(table.gone == 0);
  seen.note(golang, number(0), amd64, noon + 2 * hour * 24);  // The oldest no longer.
  seen.note(golang, tag, arm64, noon + 2 * hour * 24);
  CHECK(table.gone > 0);
  CHECK(table.gone <= seen_tags_max / 8);
  CHECK(table.records.size() == seen_tags_max - table.gone + 1);
  CHECK(seen.pulled_since(0).size() == table.records.size());
  CHECK(table.records.contains({golang, number(0)}));
  CHECK_FALSE(table.records.contains({golang, number(1)}));
  CHECK(table.records.contains({golang, number(seen_tags_max - 1)}));
  CHECK(table.records.contains({golang, tag}));
}

TEST_CASE("a restart does not forget") {
  const test::TempDir dir;
  {
    const auto index = *cache::Index::open(dir.path());
    Seen seen(index.get());
    seen.load();
    seen.note(golang, tag, amd64, noon);
    seen.note(golang, tag, arm64, noon + 10);
  }
  const auto index = *cache::Index::open(dir.path());
  Seen seen(index.get());
  CHECK(seen.pulled_since(0).empty());
  seen.load();
  CHECK(seen.pulled_since(noon)[0].platforms == std::vector{arm64, amd64});
  seen.forget_before(noon + 1);
  std::promise<void> committed;
  index->commit({}, [&](const Result<void>&) { committed.set_value(); });
  committed.get_future().wait();
  REQUIRE(index->all_seen(9).size() == 1);
  CHECK(index->all_seen(9)[0].pullers.size() == 1);
}

}  // namespace
}  // namespace archway::proxy
