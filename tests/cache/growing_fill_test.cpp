#include "cache/growing_fill.hpp"

#include <condition_variable>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <thread>
#include <vector>

namespace archway::cache {
namespace {

constexpr auto kept = Fill::withheld_bytes;
const Digest digest = *Digest::parse("sha256:" + std::string(64, '1'));

TEST_CASE("the last 64 KiB are never released before the digest is right") {
  struct Row {
    const char* why;
    std::uint64_t appended;
    std::optional<std::uint64_t> size;
    std::uint64_t want;
  };
  const std::uint64_t big = 5'000'000'000;
  const Row rows[] = {
      {"an empty object", 0, 0, 0},
      {"one byte", 1, 1, 0},
      {"just below the piece", kept - 1, kept - 1, 0},
      {"the piece itself", kept, kept, 0},
      {"one more: the first byte alone", kept + 1, kept + 1, 1},
      {"one more, first byte in", 1, kept + 1, 1},
      {"one more, nothing in", 0, kept + 1, 0},
      {"big, the first byte comes through at once", 1, big, 1},
      {"big, half of it in", big / 2, big, big / 2},
      {"big, all but the piece in", big - kept, big, big - kept},
      {"big, all but a byte in", big - 1, big, big - kept},
      {"big, all in", big, big, big - kept},
      {"unknown size, nothing in", 0, std::nullopt, 0},
      {"unknown size, a byte in", 1, std::nullopt, 0},
      {"unknown size, a byte less than the piece in", kept - 1, std::nullopt, 0},
      {"unknown size, the piece in", kept, std::nullopt, 0},
      {"unknown size, a byte more in", kept + 1, std::nullopt, 1},
      {"unknown size, much in", big, std::nullopt, big - kept},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(releasable(row.appended, row.size) == row.want);
  }
}

TEST_CASE("a fill goes from nothing over begun and growing to verified") {
  GrowingFill fill(digest, "docker.io/library/hi");
  CHECK(fill.digest() == digest);
  CHECK(fill.state().version == 0);
  CHECK_FALSE(fill.state().begun);
  CHECK(fill.file() == nullptr);

  const auto file = std::make_shared<const FileHandle>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  fill.begin(file, 2 * kept);
  CHECK(fill.file() == file);
  CHECK(fill.state().begun);
  CHECK(fill.state().size == 2 * kept);
  CHECK(fill.state().version == 1);

  fill.arrive(1000);
  CHECK(fill.state().released == 1000);
  CHECK(fill.state().version == 2);
  fill.arrive(kept);
  fill.arrive(2 * kept);  // Releases nothing: nobody is told.
  CHECK(fill.state().released == kept);
  CHECK(fill.state().version == 3);
  CHECK_FALSE(fill.state().verified);

  fill.verify(2 * kept);
  CHECK(fill.state().released == 2 * kept);
  CHECK(fill.state().verified);
  CHECK(fill.state().version == 4);
}

TEST_CASE("a failed fill releases nothing more") {
  GrowingFill fill(digest, "docker.io/library/hi");
  fill.begin(nullptr, std::nullopt);
  fill.arrive(kept + 5);
  fill.fail({.code = Errc::upstream_failed, .message = "why"});
  const auto state = fill.state();
  REQUIRE(state.failed);
  CHECK(state.failed->message == "why");
  CHECK(state.released == 5);
  CHECK_FALSE(state.verified);
}

TEST_CASE("a waiter is woken once, when the version passes what it has seen") {
  GrowingFill fill(digest, "docker.io/library/hi");
  int at_once = 0;
  int next = 0;
  int later = 0;
  fill.begin(nullptr, 10 * kept);
  fill.when_past(0, [&] { ++at_once; });
  CHECK(at_once == 1);
  fill.when_past(1, [&] { ++next; });
  fill.when_past(2, [&] { ++later; });
  CHECK(next == 0);
  fill.arrive(1);
  CHECK(next == 1);
  CHECK(later == 0);
  fill.arrive(2);
  fill.arrive(3);
  CHECK(at_once == 1);
  CHECK(next == 1);
  CHECK(later == 1);
}

TEST_CASE("a waiter may ask the fill again while it is being woken") {
  GrowingFill fill(digest, "docker.io/library/hi");
  std::vector<std::uint64_t> seen;
  std::function<void()> wake = [&] {
    const auto state = fill.state();
    seen.push_back(state.released);
    if (!state.verified) fill.when_past(state.version, wake);
  };
  fill.when_past(0, wake);
  fill.begin(nullptr, kept + 2);
  fill.arrive(1);
  fill.arrive(2);
  fill.verify(kept + 2);
  CHECK(seen == std::vector<std::uint64_t>{0, 1, 2, kept + 2});
}

TEST_CASE("followers on many threads all come to the end") {
  GrowingFill fill(digest, "docker.io/library/hi");
  constexpr std::uint64_t size = 3 * kept;
  std::vector<std::thread> followers;
  std::vector<std::uint64_t> reached(8);
  for (auto& mine : reached) {
    followers.emplace_back([&fill, &mine] {
      std::mutex mutex;
      std::condition_variable changed;
      for (auto state = fill.state(); !state.verified; state = fill.state()) {
        bool woken = false;
        fill.when_past(state.version, [&] {
          const std::lock_guard lock(mutex);
          woken = true;
          changed.notify_one();
        });
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return woken; });
      }
      mine = fill.state().released;
    });
  }
  fill.begin(nullptr, size);
  for (std::uint64_t at = 512; at <= size; at += 512) fill.arrive(at);
  fill.verify(size);
  for (auto& follower : followers) follower.join();
  for (const auto mine : reached) CHECK(mine == size);
}

}  // namespace
}  // namespace archway::cache
