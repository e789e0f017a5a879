// What an interrupted transfer left is not fetched again.

#include "cache/cache.hpp"
#include "cache/fill_writer.hpp"
#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <span>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::digest_of;
using testing::open_cache;

constexpr std::size_t whole_bytes = 1'000'000;
constexpr std::size_t arrived_bytes = 600'000;
static_assert(arrived_bytes > BlobFillWriter::resumed_bytes_min);

Error cut() {
  return {.code = Errc::upstream_unreachable, .message = "a cut line", .retryable = true};
}

Cache::Access access_to(Cache& cache, const Digest& digest) {
  auto access = cache.open_or_join(digest, "docker.io/library/hi");
  REQUIRE(access.writer != nullptr);
  return access;
}

/// A transfer of these bytes that ends before its end.
void leave_a_part(Cache& cache, const Digest& digest, std::span<const std::uint8_t> bytes,
                  std::size_t arrived = arrived_bytes) {
  const auto access = access_to(cache, digest);
  REQUIRE(access.writer->begin(bytes.size()));
  REQUIRE(access.writer->append(bytes.first(arrived)));
  access.writer->fail(cut());
}

struct Interrupted {
  Interrupted() { leave_a_part(*cache, digest, bytes); }
  fs::path part() const { return dir / paths::part(digest); }

  testing::TempDir dir;
  testing::Bytes bytes = bytes_of(whole_bytes);
  Digest digest = digest_of(bytes);
  std::unique_ptr<Cache> cache = open_cache(dir.path());
};

/// Brings what is missing of the blob, and checks what comes out.
void bring_the_rest(Cache& cache, const testing::Bytes& bytes, std::size_t kept,
                    std::optional<std::uint64_t> announced) {
  const auto digest = digest_of(bytes);
  const auto access = access_to(cache, digest);
  CHECK(access.writer->resume() == kept);
  CHECK(access.writer->appended() == kept);
  CHECK_FALSE(access.fill->state().begun);
  REQUIRE(access.writer->begin(announced));
  CHECK(access.fill->state().released == releasable(kept, announced));
  REQUIRE(access.writer->append(std::span(bytes).subspan(kept)));
  const auto finished = access.writer->finish();
  if (!finished) FAIL(finished.error().context);
  CHECK(access.fill->state().verified);
  REQUIRE(cache.open_blob(digest));
  CHECK(testing::read_bytes(*cache.open_blob(digest)) == bytes);
  CHECK(cache.index().find_blob(digest)->size == bytes.size());
  CHECK(testing::entries(cache.directory() / "fills") == 0);
}

TEST_CASE("a transfer that was cut goes on where it stopped, also after a restart") {
  for (const bool restarted : {false, true}) {
    for (const bool announced : {false, true}) {
      CAPTURE(restarted);
      CAPTURE(announced);
      Interrupted i;
      if (restarted) {
        i.cache.reset();
        i.cache = open_cache(i.dir.path());
      }
      const auto size = announced ? std::optional<std::uint64_t>(whole_bytes) : std::nullopt;
      bring_the_rest(*i.cache, i.bytes, arrived_bytes, size);
    }
  }
}

TEST_CASE("all that was written before a SIGKILL is there after it") {
  const testing::TempDir dir;
  const auto bytes = bytes_of(whole_bytes);
  const auto child = ::fork();
  if (child == 0) {
    auto cache = Cache::open({.directory = dir.path()}, nullptr);
    if (!cache) ::_exit(1);
    const auto access = (*cache)->open_or_join(digest_of(bytes), "docker.io/library/hi");
    if (!access.writer->begin(bytes.size())) ::_exit(2);
    if (!access.writer->append(std::span(bytes).first(arrived_bytes))) ::_exit(3);
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  bring_the_rest(*open_cache(dir.path()), bytes, arrived_bytes, whole_bytes);
}

TEST_CASE("a fill that knows nothing of what was left begins anew") {
  Interrupted i;
  CHECK(testing::publish(*i.cache, i.bytes) == i.digest);
  CHECK(testing::entries(i.dir / "fills") == 0);
}

TEST_CASE("a part that turns out wrong is gone; whoever asks again starts from nothing") {
  struct Row {
    const char* why;
    void (*spoil)(const Interrupted& i);
    bool begins;
  };
  const Row rows[] = {
      {"a byte is another one",
       [](const Interrupted& i) {
         std::fstream file(i.part(), std::ios::in | std::ios::out | std::ios::binary);
         file.seekp(1'000).put(static_cast<char>(i.bytes[1'000] ^ 1));
       },
       true},
      {"its end is zeros",
       [](const Interrupted& i) {
         fs::resize_file(i.part(), arrived_bytes - 5'000);
         fs::resize_file(i.part(), arrived_bytes);
       },
       true},
      {"it is longer than the whole",
       [](const Interrupted& i) { fs::resize_file(i.part(), whole_bytes + 1); }, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Interrupted i;
    row.spoil(i);
    auto access = access_to(*i.cache, i.digest);
    const auto kept = access.writer->resume();
    auto outcome = access.writer->begin(whole_bytes);
    CHECK(bool(outcome) == row.begins);
    if (outcome) {
      REQUIRE(access.writer->append(std::span(i.bytes).subspan(kept)));
      outcome = access.writer->finish();
    }
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == Errc::storage_failed);
    CHECK(outcome.error().origin == Origin::storage);
    CHECK(outcome.error().retryable);
    CHECK(access.fill->state().failed->retryable);
    CHECK(access.fill->state().released <= whole_bytes - Fill::withheld_bytes);
    CHECK_FALSE(fs::exists(i.part()));
    access = {};
    CHECK_FALSE(i.cache->open_blob(i.digest));
    bring_the_rest(*i.cache, i.bytes, 0, whole_bytes);
  }
}

TEST_CASE("a part that shrinks while it is taken over fails the fill") {
  Interrupted i;
  const auto access = access_to(*i.cache, i.digest);
  REQUIRE(access.writer->resume() == arrived_bytes);
  fs::resize_file(i.part(), 1'000);
  const auto begun = access.writer->begin(whole_bytes);
  REQUIRE_FALSE(begun);
  CHECK(begun.error().retryable);
  CHECK_FALSE(fs::exists(i.part()));
}

TEST_CASE("the whole may be there already") {
  const testing::TempDir dir;
  const auto cache = open_cache(dir.path());
  const auto bytes = bytes_of(whole_bytes);
  leave_a_part(*cache, digest_of(bytes), bytes, whole_bytes);
  const auto access = access_to(*cache, digest_of(bytes));
  REQUIRE(access.writer->resume() == whole_bytes);
  REQUIRE(access.writer->finish());
  CHECK(testing::read_bytes(*cache->open_blob(digest_of(bytes))) == bytes);
}

TEST_CASE("only what is worth going on with is left") {
  struct Row {
    const char* why;
    void (*end)(FillWriter& writer);
    std::size_t arrived;
    bool left;
  };
  const Row rows[] = {
      {"the line was cut", [](FillWriter& writer) { writer.fail(cut()); }, arrived_bytes, true},
      {"archway stopped", [](FillWriter&) {}, arrived_bytes, true},
      {"hardly anything had arrived", [](FillWriter& writer) { writer.fail(cut()); }, 1'000, false},
      {"the upstream's no",
       [](FillWriter& writer) { writer.fail({.code = Errc::denied, .message = "no"}); },
       arrived_bytes, false},
      {"the upstream changed its mind about the size",
       [](FillWriter& writer) { CHECK_FALSE(writer.begin(whole_bytes + 1)); }, arrived_bytes,
       false},
      {"wrong bytes",
       [](FillWriter& writer) {
         REQUIRE(writer.append(bytes_of(whole_bytes - arrived_bytes, 7)));
         CHECK_FALSE(writer.finish());
       },
       arrived_bytes, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const testing::TempDir dir;
    const auto cache = open_cache(dir.path());
    const auto bytes = bytes_of(whole_bytes);
    {
      const auto access = access_to(*cache, digest_of(bytes));
      REQUIRE(access.writer->begin(whole_bytes));
      REQUIRE(access.writer->append(std::span(bytes).first(row.arrived)));
      row.end(*access.writer);
    }
    CHECK(fs::exists(dir / paths::part(digest_of(bytes))) == row.left);
  }
}

TEST_CASE("a fill that never began leaves what an earlier one left") {
  Interrupted i;
  {
    const auto access = access_to(*i.cache, i.digest);
    REQUIRE(access.writer->resume() == arrived_bytes);
    access.writer->fail({.code = Errc::blob_unknown, .message = "not under this name"});
  }
  bring_the_rest(*i.cache, i.bytes, arrived_bytes, whole_bytes);
}

}  // namespace
}  // namespace archway::cache
