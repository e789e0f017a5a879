#include "cache/scrub.hpp"

#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <memory>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::bytes_of;
using testing::digest_of;

constexpr std::int64_t hour = 3'600;
constexpr std::chrono::hours period{1};

/// Files, an index, and a scrub whose clock and whose neighbours are the test's.
struct Scrubbed {
  explicit Scrubbed(std::chrono::seconds trusted_for = period)
      : store(std::make_shared<const FileHandle>(::open(dir.path().c_str(), O_RDONLY)), false,
              nullptr) {
    REQUIRE(store.open(dir.path()));
    index = *Index::open(dir / "index");
    keeper.emplace(&store, index.get());
    scrub.emplace(Scrub::Parts{.store = &store,
                               .keeper = &*keeper,
                               .index = index.get(),
                               .is_busy = [this] { return busy; },
                               .now = [this] { return now; }},
                  trusted_for);
  }
  ~Scrubbed() { index.reset(); }  // Before the keeper, which hears of its last commits.

  Digest put_file(const testing::Bytes& bytes) {
    const auto digest = digest_of(bytes);
    const auto part = store.create_part(digest, bytes.size());
    REQUIRE(part);
    const auto size = static_cast<ssize_t>(bytes.size());
    REQUIRE(::pwrite((*part)->get(), bytes.data(), bytes.size(), 0) == size);
    REQUIRE(store.publish(digest, **part, bytes.size()));
    return digest;
  }
  Digest put(const testing::Bytes& bytes, std::int64_t checked_at) {
    const auto digest = put_file(bytes);
    record(digest, {.size = bytes.size(), .arrived_at = 5, .checked_at = checked_at});
    return digest;
  }
  void record(const Digest& digest, BlobRecord blob) {
    REQUIRE(testing::commit(*index, {.blobs = {{digest, blob}}}));
  }
  void spoil(const Digest& digest) const {
    const auto path = dir / paths::blob(digest);
    fs::permissions(path, fs::perms::owner_all);
    testing::flip_bits(path, testing::read_text(path).substr(0, 16));
  }
  /// Goes on until it wants to rest; how long it has waited before.
  milliseconds run() {
    milliseconds sum{0};
    for (int i = 0; i < 100'000; ++i) {
      const auto pause = scrub->step();
      if (pause >= std::chrono::seconds(1)) break;
      sum += pause;
    }
    REQUIRE(testing::commit(*index, {}));
    return sum;
  }
  std::int64_t checked_at(const Digest& digest) const {
    return index->find_blob(digest)->checked_at;
  }

  testing::TempDir dir{testing::in_memory()};
  BlobStore store;
  std::unique_ptr<Index> index;
  std::optional<BlobKeeper> keeper;
  std::optional<Scrub> scrub;
  std::int64_t now = 100 * hour;
  bool busy = false;
};

TEST_CASE("what was last hashed long ago is hashed again, and nothing else") {
  Scrubbed s;
  const auto old = s.put(bytes_of(1'000, 1), 99 * hour);
  const auto fresh = s.put(bytes_of(2'000, 2), 99 * hour + 1);
  const auto empty = s.put({}, 0);
  s.run();
  CHECK(s.scrub->bytes() == 1'000);
  CHECK(s.checked_at(old) > 100 * hour);  // The real clock's time.
  CHECK(s.checked_at(empty) > 100 * hour);
  CHECK(s.checked_at(fresh) == 99 * hour + 1);
  CHECK(s.index->find_blob(old)->arrived_at == 5);
  s.run();
  CHECK(s.scrub->bytes() == 1'000);
  s.now += 2;
  s.run();
  CHECK(s.scrub->bytes() == 3'000);
}

TEST_CASE("damage goes to quarantine and is counted; the rest of the round goes on") {
  Scrubbed s;
  const auto right = s.put(bytes_of(1'000, 1), 2);
  const auto rotten = s.put(bytes_of(1'000, 2), 1);
  const auto short_one = s.put(bytes_of(1'000, 3), 3);
  s.put(bytes_of(1'000, 4), 4);
  s.spoil(rotten);
  fs::permissions(s.dir / paths::blob(short_one), fs::perms::owner_all);
  fs::resize_file(s.dir / paths::blob(short_one), 10);
  fs::remove(s.dir / paths::blob(digest_of(bytes_of(1'000, 4))));
  s.run();
  CHECK(s.keeper->damaged() == DamageCounts{1, 0, 1, 0, 0});
  CHECK(fs::exists(s.dir / paths::quarantined(rotten)));
  CHECK(s.keeper->open(right).blob);
  CHECK(s.index->totals().blobs == 1);
  CHECK(s.scrub->bytes() == 2'000);
}

TEST_CASE("it reads no more than its rate, and nothing while there is other work") {
  Scrubbed s;
  const auto bytes = bytes_of(3'000'000);
  s.put(bytes, 0);
  s.busy = true;
  CHECK(s.scrub->step() >= std::chrono::seconds(1));
  CHECK(s.scrub->bytes() == 0);
  s.busy = false;
  while (s.scrub->bytes() < 1'000'000) s.scrub->step();
  const auto before = s.scrub->bytes();
  s.busy = true;
  CHECK(s.scrub->step() >= std::chrono::seconds(1));
  CHECK(s.scrub->bytes() == before);
  s.busy = false;
  const auto waited = s.run();
  CHECK(s.scrub->bytes() == bytes.size());
  // But for what is counted after the last piece, and parts of milliseconds.
  const auto least = (bytes.size() - before) * 1'000 / Scrub::bytes_a_second;
  CHECK(waited >= milliseconds(least * 85 / 100));
  CHECK(s.keeper->damaged() == DamageCounts{});
}

TEST_CASE("of more than it keeps in mind the oldest come first, and all of them in the end") {
  Scrubbed s;
  constexpr std::uint32_t count = Scrub::due_max + 300;
  std::vector<Digest> digests;
  Changes changes;
  for (std::uint32_t i = 0; i < count; ++i) {
    digests.push_back(s.put_file(bytes_of(16, i)));
    changes.blobs.emplace_back(digests.back(), BlobRecord{.size = 16, .checked_at = i});
  }
  REQUIRE(testing::commit(*s.index, std::move(changes)));
  // The walk, then as many as it keeps in mind.
  while (s.scrub->bytes() < 16 * Scrub::due_max) s.scrub->step();
  REQUIRE(testing::commit(*s.index, {}));
  for (std::uint32_t i = 0; i < count; ++i) {
    CAPTURE(i);
    CHECK((s.checked_at(digests[i]) > 100 * hour) == (i < Scrub::due_max));
  }
  s.run();
  s.run();
  CHECK(s.scrub->bytes() == 16 * count);
}

TEST_CASE("without a period nothing is hashed") {
  Scrubbed s(std::chrono::seconds(0));
  s.put(bytes_of(1'000), 0);
  CHECK(s.scrub->step() >= std::chrono::minutes(1));
  CHECK(s.scrub->bytes() == 0);
}

}  // namespace
}  // namespace archway::cache
