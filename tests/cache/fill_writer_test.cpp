#include "cache/fill_writer.hpp"

#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <new>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::Bytes;
using testing::bytes_of;
using testing::digest_of;

constexpr auto kept = Fill::withheld_bytes;

struct Filling {
  explicit Filling(const Digest& wanted) : cache(testing::open_cache(dir.path())), digest(wanted) {
    auto access = cache->open_or_join(wanted, "docker.io/library/hi");
    fill = access.fill;
    writer = std::move(access.writer);
    REQUIRE(writer != nullptr);
  }

  Bytes released() const {
    return testing::read_bytes(fill->file()->get(), fill->state().released);
  }
  /// The fill is over without success and has left no trace.
  void check_gone(Errc why) const {
    REQUIRE(fill->state().failed);
    CHECK(fill->state().failed->code == why);
    CHECK_FALSE(fill->state().verified);
    CHECK_FALSE(cache->open_blob(digest));
    CHECK_FALSE(cache->index().find_blob(digest));
    CHECK(cache->find_fill(digest) == nullptr);
    CHECK(cache->stats().fills_in_progress == 0);
    CHECK(testing::entries(dir / "fills") == 0);
    const auto next = cache->open_or_join(digest, "docker.io/library/hi");
    CHECK(next.writer != nullptr);
    CHECK(next.fill != fill);
  }

  testing::TempDir dir;
  std::unique_ptr<Cache> cache;
  Digest digest;
  std::shared_ptr<Fill> fill;
  std::unique_ptr<FillWriter> writer;
};

TEST_CASE("a blob of any size, announced or not, arrives whole, in pieces of any size") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kept - 1, kept, kept + 1, 5 * kept}) {
    for (const bool announced : {true, false}) {
      for (const std::size_t piece : {std::size_t{1'000}, std::size_t{70'000}, 5 * kept}) {
        CAPTURE(size);
        CAPTURE(announced);
        CAPTURE(piece);
        const auto bytes = bytes_of(size);
        Filling f(digest_of(bytes));
        REQUIRE(f.writer->begin(announced ? std::optional<std::uint64_t>(size) : std::nullopt));
        CHECK(f.fill->state().begun);
        for (std::size_t at = 0; at < size; at += piece) {
          const auto next = std::span(bytes).subspan(at, std::min(piece, size - at));
          REQUIRE(f.writer->append(next));
          const auto state = f.fill->state();
          CHECK(state.released <= (size > kept ? size - kept : 0));
          CHECK(state.released == releasable(f.writer->appended(), state.size));
          CHECK_FALSE(state.verified);
        }
        CHECK(f.writer->appended() == size);
        REQUIRE(f.writer->finish());
        CHECK(f.fill->state().verified);
        CHECK(f.fill->state().size == size);
        CHECK(f.released() == bytes);
        const auto blob = f.cache->open_blob(f.digest);
        REQUIRE(blob);
        CHECK(testing::read_bytes(*blob) == bytes);
        CHECK(f.cache->index().find_blob(f.digest)->size == size);
        CHECK(f.cache->stats().fills_in_progress == 0);
        CHECK(testing::entries(f.dir / "fills") == 0);
      }
    }
  }
}

TEST_CASE("wrong bytes never become a whole object") {
  const auto right = bytes_of(4 * kept);
  struct Row {
    const char* why;
    std::optional<std::uint64_t> announced;
    std::size_t wrong_at;  ///< npos: nowhere
    std::size_t sent;
  };
  constexpr std::size_t nowhere = ~std::size_t{0};
  const auto size = right.size();
  const Row rows[] = {
      {"the first byte", size, 0, size},
      {"a byte in the middle", size, size / 2, size},
      {"the last byte", size, size - 1, size},
      {"the first byte, size unknown", std::nullopt, 0, size},
      {"the last byte, size unknown", std::nullopt, size - 1, size},
      {"a byte less than announced", size, nowhere, size - 1},
      {"nothing at all", size, nowhere, 0},
      {"announced short, and sent short", size - 1, nowhere, size - 1},
      {"cut short, size unknown", std::nullopt, nowhere, size - kept},
      {"nothing at all, size unknown", std::nullopt, nowhere, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto bytes = right;
    if (row.wrong_at != nowhere) bytes[row.wrong_at] ^= 1;
    bytes.resize(row.sent);
    Filling f(digest_of(right));
    REQUIRE(f.writer->begin(row.announced));
    REQUIRE(f.writer->append(bytes));
    const auto finished = f.writer->finish();
    REQUIRE_FALSE(finished);
    CHECK(finished.error().code == Errc::upstream_failed);
    CHECK(finished.error().origin == Origin::upstream);
    CHECK_FALSE(finished.error().context.empty());
    const auto released = f.fill->state().released;
    CHECK(released <= row.sent - std::min<std::uint64_t>(row.sent, row.announced ? 0 : kept));
    CHECK(released <= size - kept);
    f.check_gone(Errc::upstream_failed);
  }
}

TEST_CASE("a wrong digest says what was expected and what came") {
  Filling f(digest_of(bytes_of(10)));
  const auto other = bytes_of(10, 2);
  REQUIRE(f.writer->begin(std::nullopt));
  REQUIRE(f.writer->append(other));
  const auto finished = f.writer->finish();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().message.find("do not match the digest") != std::string::npos);
  CHECK(finished.error().context.find(f.digest.str()) != std::string::npos);
  CHECK(finished.error().context.find(digest_of(other).str()) != std::string::npos);
}

TEST_CASE("more than was announced ends the fill before it is written") {
  const auto bytes = bytes_of(1'001);
  Filling f(digest_of(std::span(bytes).first(1'000)));
  REQUIRE(f.writer->begin(1'000));
  REQUIRE(f.writer->append(std::span(bytes).first(999)));
  const auto appended = f.writer->append(std::span(bytes).last(2));
  REQUIRE_FALSE(appended);
  CHECK(appended.error().code == Errc::upstream_failed);
  f.check_gone(Errc::upstream_failed);
  CHECK_FALSE(f.writer->append(bytes));
  CHECK_FALSE(f.writer->begin(1'000));
  CHECK_FALSE(f.writer->finish());
}

TEST_CASE("a cut transfer goes on where it stopped, if it is still the same object") {
  const auto bytes = bytes_of(3 * kept);
  struct Row {
    const char* why;
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> second;
    bool goes_on;
  };
  const Row rows[] = {{"the same size", bytes.size(), bytes.size(), true},
                      {"no size the second time", bytes.size(), std::nullopt, true},
                      {"no size the first time", std::nullopt, bytes.size(), true},
                      {"another size", bytes.size(), bytes.size() + 1, false}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Filling f(digest_of(bytes));
    REQUIRE(f.writer->begin(row.first));
    REQUIRE(f.writer->append(std::span(bytes).first(kept)));
    CHECK(f.writer->appended() == kept);
    CHECK(bool(f.writer->begin(row.second)) == row.goes_on);
    if (!row.goes_on) {
      f.check_gone(Errc::upstream_failed);
      continue;
    }
    REQUIRE(f.writer->append(std::span(bytes).subspan(kept)));
    CHECK(f.writer->finish());
  }
}

TEST_CASE("a writer that is dropped fails the fill; one that fails it says why") {
  Filling dropped(digest_of(bytes_of(10)));
  REQUIRE(dropped.writer->begin(10));
  dropped.writer.reset();
  dropped.check_gone(Errc::upstream_failed);
  CHECK(dropped.fill->state().failed->retryable);

  Filling never_begun(digest_of(bytes_of(10)));
  never_begun.writer.reset();
  never_begun.check_gone(Errc::upstream_failed);

  Filling failed(digest_of(bytes_of(10)));
  REQUIRE(failed.writer->begin(10));
  failed.writer->fail({.code = Errc::upstream_unreachable, .message = "silence"});
  failed.writer->fail({.code = Errc::denied, .message = "too late"});
  CHECK(failed.fill->state().failed->message == "silence");
  failed.writer.reset();
  failed.check_gone(Errc::upstream_unreachable);
}

TEST_CASE("no room for the announced size fails the fill before the first byte") {
  Filling f(digest_of(bytes_of(10)));
  const auto begun = f.writer->begin(std::uint64_t{1} << 60);
  REQUIRE_FALSE(begun);
  CHECK(begun.error().message.find("full") != std::string::npos);
  f.check_gone(Errc::storage_failed);
}

/// No file may grow past this many bytes while it lives: a disk that is full, as write(2) sees it.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit_) == 0);
    const rlimit small{.rlim_cur = bytes, .rlim_max = limit_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  rlimit limit_{};
  void (*before_)(int);
};

TEST_CASE("a disk that fills up in the middle fails the fill, and the partial file goes away") {
  const auto bytes = bytes_of(4 * kept);
  Filling f(digest_of(bytes));
  REQUIRE(f.writer->begin(std::nullopt));
  REQUIRE(f.writer->append(std::span(bytes).first(kept)));
  {
    const SmallFiles full(2 * kept);
    const auto appended = f.writer->append(std::span(bytes).subspan(kept));
    REQUIRE_FALSE(appended);
    CHECK(appended.error().message.find("full") != std::string::npos);
    CHECK(appended.error().context.find(paths::part(f.digest)) != std::string::npos);
  }
  f.check_gone(Errc::storage_failed);
}

TEST_CASE("followers have their bytes when the disk fails after the digest was right") {
  const auto bytes = bytes_of(2 * kept);
  Filling f(digest_of(bytes));
  const auto shard = f.dir / paths::blob_directory(f.digest);
  fs::create_directories(shard.parent_path());
  testing::write_text(shard, "a file where a directory belongs");
  REQUIRE(f.writer->begin(bytes.size()));
  REQUIRE(f.writer->append(bytes));
  const auto finished = f.writer->finish();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().code == Errc::storage_failed);
  CHECK(f.fill->state().verified);
  CHECK_FALSE(f.fill->state().failed);
  CHECK(f.released() == bytes);
  CHECK_FALSE(f.cache->index().find_blob(f.digest));
  CHECK(f.cache->find_fill(f.digest) == nullptr);
  CHECK(testing::entries(f.dir / "fills") == 0);
  fs::remove(shard);  // Repaired: the next attempt succeeds.
  testing::publish(*f.cache, bytes);
  CHECK(f.cache->open_blob(f.digest));
}

TEST_CASE(
    "memory that runs out at the end of a fill leaves the place free, and the part for the next") {
  const testing::TempDir dir;
  bool no_memory = true;
  const auto excluded = [&no_memory](const std::string&) {
    if (no_memory) throw std::bad_alloc();
    return false;
  };
  const auto cache = *Cache::open({.directory = dir.path(), .excluded = excluded}, nullptr);
  const auto bytes = bytes_of(BlobFillWriter::resumed_bytes_min);
  const auto digest = digest_of(bytes);
  REQUIRE(testing::commit(cache->index(),
                          {.grants = {{testing::image("library/hi"), digest, "linux/386"}}}));
  {
    const auto access = cache->open_or_join(digest, "docker.io/library/hi");
    REQUIRE(access.writer->begin(bytes.size()));
    REQUIRE(access.writer->append(bytes));
    CHECK_THROWS_AS((void)access.writer->finish(), std::bad_alloc);
    CHECK(access.fill->state().verified);
    CHECK(cache->find_fill(digest) == nullptr);
  }
  CHECK(cache->stats().space.reserved == 0);
  no_memory = false;
  const auto next = cache->open_or_join(digest, "docker.io/library/hi");
  REQUIRE(next.writer);
  CHECK(next.writer->resume() == bytes.size());
  REQUIRE(next.writer->begin(bytes.size()));
  REQUIRE(next.writer->finish());
  CHECK(cache->open_blob(digest));
}

TEST_CASE("a blob whose final file is there already is published all the same") {
  const auto bytes = bytes_of(100);
  Filling f(digest_of(bytes));
  const auto path = f.dir / paths::blob(f.digest);
  fs::create_directories(path.parent_path());
  testing::write_text(path, std::string(bytes.begin(), bytes.end()));
  REQUIRE(f.writer->begin(100));
  REQUIRE(f.writer->append(bytes));
  CHECK(f.writer->finish());
  CHECK(f.cache->index().find_blob(f.digest)->size == 100);
  CHECK(testing::entries(f.dir / "fills") == 0);
}

TEST_CASE("followers read the file on after it was published, and after it is gone") {
  const auto bytes = bytes_of(kept + 100);
  Filling f(digest_of(bytes));
  REQUIRE(f.writer->begin(bytes.size()));
  REQUIRE(f.writer->append(bytes));
  REQUIRE(f.writer->finish());
  fs::remove(f.dir / paths::blob(f.digest));
  CHECK(f.released() == bytes);
}

}  // namespace
}  // namespace archway::cache
