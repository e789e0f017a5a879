#include "cache/index_rescue.hpp"

#include "cache/lmdb.hpp"
#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <functional>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::commit;
using testing::image;
using testing::open_cache;
using testing::tag;

using Generator = std::mt19937;
using Spoil = std::function<void(std::string& bytes, Generator& generator)>;

std::size_t below(std::size_t bound, Generator& generator) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(generator);
}

Digest named(std::uint32_t seed) {
  return testing::digest_of(testing::bytes_of(8, seed));
}

ImageName image_of(std::uint32_t number) {
  return image("library/image" + std::to_string(number));
}

/// Tags with manifests of many sizes, and what goes with them.
Changes pulls(std::uint32_t first, std::uint32_t count) {
  Changes changes;
  for (std::uint32_t i = first; i < first + count; ++i) {
    changes.tags.push_back({{image_of(i), tag("latest")}, {.digest = named(i)}});
    changes.manifests.push_back(
        {named(i),
         {.media_type = "m", .bytes = std::string(i % 10 == 0 ? i * 97 % 9'000 : 90, 'b')}});
    changes.blobs.push_back({named(i + 100'000), {.size = i}});
    changes.grants.emplace_back(image_of(i), named(i), "linux/arm64");
  }
  return changes;
}

/// A cache directory as a process leaves it that is killed in the middle of its work, some time
/// after a snapshot.
class Killed {
 public:
  static constexpr std::uint32_t in_snapshot = 300;

  Killed() : blob_bytes(testing::bytes_of(3'000)) {
    const testing::TempDir dir(testing::in_memory());
    const auto cache = open_cache(dir.path(), false);
    blob = testing::publish(*cache, blob_bytes);
    REQUIRE(commit(cache->index(), pulls(0, in_snapshot)));
    Changes gone;
    for (std::uint32_t i = 0; i < 100; ++i) gone.blobs_gone.push_back(named(i + 100'000));
    REQUIRE(commit(cache->index(), gone));  // So that there are free pages.
    REQUIRE(cache->index().snapshot());
    for (std::uint32_t i = 0; i < 20; ++i) {
      REQUIRE(commit(cache->index(), pulls(in_snapshot + i * 5, 5)));
    }
    data = testing::read_text(dir / "index/data.mdb");
    snapshot = testing::read_text(dir / "index/snapshot.mdb");
  }

  /// The same in another place, with this for an index.
  void put(const fs::path& directory, const std::string& index) const {
    fs::create_directories(directory / "index");
    testing::write_text(directory / "index/data.mdb", index);
    testing::write_text(directory / "index/snapshot.mdb", snapshot);
    const auto file = directory / paths::blob(blob);
    fs::create_directories(file.parent_path());
    testing::write_text(file, std::string(blob_bytes.begin(), blob_bytes.end()));
  }

  testing::Bytes blob_bytes;
  Digest blob = named(0);
  std::string data;
  std::string snapshot;
};

const Killed& killed() {
  static const Killed once;
  return once;
}

/// What the snapshot had is known, whichever index it is; and what is written is found again.
void check_it_serves(const fs::path& directory) {
  const auto cache = open_cache(directory, false);
  auto& index = cache->index();
  int missing = 0;
  for (std::uint32_t i = 0; i < Killed::in_snapshot; ++i) {
    const bool known = index.find_tag(image_of(i), tag("latest")) &&
                       index.find_manifest(named(i)) && index.granted(image_of(i), named(i));
    missing += known ? 0 : 1;
  }
  CHECK(missing == 0);
  CHECK(index.damaged() == 0);
  const auto access = cache->open_or_join(killed().blob, "docker.io/library/hi");
  CHECK(access.writer == nullptr);
  if (access.fill) CHECK(testing::end_of(*access.fill).verified);
  for (std::uint32_t i = 0; i < 3; ++i) {  // Several: freed pages are used again.
    Changes more = pulls(1'000 + i * 40, 40);
    more.blobs_gone.push_back(named(100'200 + i));
    REQUIRE(commit(index, more));
  }
  CHECK(index.granted(image_of(1'000), named(1'000)));
  CHECK(index.find_manifest(named(1'119)));
}

/// How often, in a short run; ARCHWAY_TORTURE makes it that many times more.
int trials(int short_run) {
  const char* const factor = std::getenv("ARCHWAY_TORTURE");
  return short_run * (factor == nullptr ? 1 : std::max(1, std::atoi(factor)));
}

void spoil_and_serve(int count, const Spoil& spoil) {
  for (int trial = 0; trial < count; ++trial) {
    CAPTURE(trial);
    Generator generator(static_cast<std::uint32_t>(trial));
    auto bytes = killed().data;
    spoil(bytes, generator);
    const testing::TempDir dir(testing::in_memory());
    killed().put(dir.path(), bytes);
    check_it_serves(dir.path());
    check_it_serves(dir.path());
    CHECK(testing::entries_with(dir / "index", "index.bad-") <= 1);
  }
}

void flip(std::string& bytes, Generator& generator) {
  const auto at = below(bytes.size(), generator);
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8, generator)));
}

TEST_CASE("an index with flipped bits never ends the process, and costs at most what is new") {
  spoil_and_serve(trials(40), [](std::string& bytes, Generator& generator) {
    for (auto flips = below(8, generator) + 1; flips > 0; --flips) flip(bytes, generator);
  });
}

TEST_CASE("nor do bits flipped in what LMDB says of itself: its first pages and the pages' heads") {
  spoil_and_serve(trials(40), [](std::string& bytes, Generator& generator) {
    const auto page =
        below(2, generator) == 0 ? below(2, generator) : below(bytes.size() / 4096, generator);
    auto& byte = bytes[page * 4096 + below(page < 2 ? 160 : 24, generator)];
    byte = static_cast<char>(byte ^ (1 << below(8, generator)));
  });
}

TEST_CASE("nor does a page of zeros, or of another page's bytes") {
  spoil_and_serve(trials(40), [](std::string& bytes, Generator& generator) {
    const auto pages = bytes.size() / 4096;
    const auto at = below(pages, generator) * 4096;
    const auto from = below(pages, generator) * 4096;
    const bool zeros = below(2, generator) == 0;
    bytes.replace(at, 4096, zeros ? std::string(4096, '\0') : bytes.substr(from, 4096));
  });
}

TEST_CASE("nor does a file cut anywhere, of no length, or of garbage") {
  spoil_and_serve(trials(15), [](std::string& bytes, Generator& generator) {
    bytes.resize(below(bytes.size(), generator));
  });
  spoil_and_serve(1, [](std::string& bytes, Generator&) { bytes.clear(); });
  spoil_and_serve(trials(5), [](std::string& bytes, Generator& generator) {
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(generator()); });
  });
}

/// The same index with this header.
std::string with_header(const std::string& bytes, const std::string& header) {
  const testing::TempDir dir(testing::in_memory());
  testing::write_text(dir / "data.mdb", bytes);
  {
    auto opened = lmdb::Environment::open(dir.path(), 1 << 24);
    REQUIRE(opened.environment->find_tables() == 0);
    lmdb::WriteTxn txn(*opened.environment);
    txn.put(lmdb::Table::meta, codec::header_key(), header);
    REQUIRE(txn.commit() == 0);
  }
  return testing::read_text(dir / "data.mdb");
}

TEST_CASE("an index of another word size, byte order or format is set aside for the snapshot") {
  const auto header = [](std::uint32_t format, std::uint8_t word, std::uint8_t order) {
    return codec::ValueWriter()
        .text("archway index")
        .u32(format)
        .u8(word)
        .u8(order)
        .u8(0)
        .text("boot")
        .seal(codec::header_key());
  };
  const auto order = std::uint8_t{std::endian::native == std::endian::little ? 1 : 2};
  const auto word = std::uint8_t{sizeof(void*)};
  const std::string headers[] = {
      header(codec::index_format, static_cast<std::uint8_t>(12 - word), order),
      header(codec::index_format, word, static_cast<std::uint8_t>(3 - order)),
      header(codec::index_format - 1, word, order)};
  for (const auto& foreign : headers) {
    const testing::TempDir dir(testing::in_memory());
    killed().put(dir.path(), with_header(killed().data, foreign));
    check_it_serves(dir.path());
    CHECK(testing::entries_with(dir / "index", "index.bad-") == 1);
  }
}

TEST_CASE("a damaged index that was closed in order is not trusted either") {
  const testing::TempDir closed(testing::in_memory());
  killed().put(closed.path(), killed().data);
  check_it_serves(closed.path());
  const auto sound = testing::read_text(closed / "index/data.mdb");
  for (std::uint32_t trial = 0; trial < 15; ++trial) {
    CAPTURE(trial);
    Generator generator(trial);
    auto bytes = sound;
    for (int i = 0; i < 20; ++i) flip(bytes, generator);
    const testing::TempDir dir(testing::in_memory());
    killed().put(dir.path(), bytes);
    check_it_serves(dir.path());
  }
}

TEST_CASE("a sound index is left alone, and so is its snapshot") {
  const testing::TempDir dir(testing::in_memory());
  killed().put(dir.path(), killed().data);
  const auto rescued = rescue_index(dir / "index");
  REQUIRE(rescued);
  CHECK_FALSE(rescued->set_aside);
  CHECK_FALSE(rescued->from_snapshot);
  CHECK(testing::read_text(dir / "index/data.mdb") == killed().data);
  CHECK(testing::read_text(dir / "index/snapshot.mdb") == killed().snapshot);
}

TEST_CASE("a file cannot be the index when it is not plain, and the snapshot must be sound, too") {
  struct Row {
    const char* why;
    std::function<void(const fs::path& index)> spoil;
    bool aside;
    bool from_snapshot;
  };
  const auto garbage = std::string(9'999, 'g');
  const auto spoil_snapshot = [&](const fs::path& index) {
    testing::write_text(index / "snapshot.mdb", garbage);
  };
  const Row rows[] = {
      {"no index", [](auto& index) { fs::remove(index / "data.mdb"); }, false, true},
      {"a directory",
       [](auto& index) {
         fs::remove(index / "data.mdb");
         fs::create_directory(index / "data.mdb");
       },
       true, true},
      {"a link to the snapshot",
       [](auto& index) {
         fs::remove(index / "data.mdb");
         fs::create_symlink("snapshot.mdb", index / "data.mdb");
       },
       true, true},
      {"both garbage",
       [&](auto& index) {
         testing::write_text(index / "data.mdb", garbage);
         spoil_snapshot(index);
       },
       true, false},
      {"no index, and a snapshot of garbage",
       [&](auto& index) {
         fs::remove(index / "data.mdb");
         spoil_snapshot(index);
       },
       false, false},
      {"garbage, and no snapshot",
       [&](auto& index) {
         testing::write_text(index / "data.mdb", garbage);
         fs::remove(index / "snapshot.mdb");
       },
       true, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir(testing::in_memory());
    killed().put(dir.path(), killed().data);
    row.spoil(dir / "index");
    const auto rescued = rescue_index(dir / "index");
    REQUIRE(rescued);
    CHECK(rescued->set_aside.has_value() == row.aside);
    CHECK(rescued->why.empty() != row.aside);
    CHECK(rescued->from_snapshot == row.from_snapshot);
    CHECK(fs::exists(dir / "index/data.mdb") == row.from_snapshot);
  }
}

}  // namespace
}  // namespace archway::cache
