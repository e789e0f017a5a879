// A process that is killed while it publishes loses nothing it said it has, and leaves nothing
// damaged under a final name.

#include "cache/cache.hpp"
#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <array>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <doctest/doctest.h>
#include <filesystem>
#include <random>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::digest_of;

constexpr int cycles = 20;
constexpr long longest_life_us = 40'000;
constexpr std::uint32_t seeds_a_cycle = 100'000;

testing::Bytes blob_of(std::uint32_t seed) {
  return bytes_of(1'000 + seed % 7 * 9'000, seed);
}

/// The kernel kills this process after so many microseconds, wherever it is then.
void die_in(long microseconds) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  const itimerspec when{.it_interval = {},
                        .it_value = {.tv_sec = 0, .tv_nsec = microseconds * 1'000}};
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) ::_exit(3);
  if (::timer_settime(timer, 0, &when, nullptr) != 0) ::_exit(3);
}

/// Publishes one blob after the other and tells each seed once its blob is a durable hit.
void publish_for_ever(Cache& cache, std::uint32_t seed, int acknowledgements) {
  for (;; seed += 2) {
    const auto bytes = blob_of(seed);
    const auto access = cache.open_or_join(digest_of(bytes), "docker.io/library/hi");
    if (!access.writer || !access.writer->begin(bytes.size())) ::_exit(4);
    if (!access.writer->append(bytes) || !access.writer->finish()) ::_exit(5);
    if (::write(acknowledgements, &seed, sizeof seed) != sizeof seed) ::_exit(6);
  }
}

[[noreturn]] void live_and_die(const fs::path& directory, std::uint32_t first_seed, long life_us,
                               int acknowledgements) {
  auto cache = Cache::open({.directory = directory}, nullptr);
  if (!cache) ::_exit(2);
  die_in(life_us);
  std::thread other([&] { publish_for_ever(**cache, first_seed + 1, acknowledgements); });
  publish_for_ever(**cache, first_seed, acknowledgements);
  ::_exit(7);
}

/// Runs a child until it is killed; the seeds it said were safe.
std::vector<std::uint32_t> run_child(const fs::path& directory, std::uint32_t first_seed,
                                     long life_us) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const auto child = ::fork();
  if (child == 0) live_and_die(directory, first_seed, life_us, pipe[1]);
  ::close(pipe[1]);
  std::vector<std::uint32_t> seeds;
  for (std::uint32_t seed = 0; ::read(pipe[0], &seed, sizeof seed) == sizeof seed;) {
    seeds.push_back(seed);
  }
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CAPTURE(status);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
  return seeds;
}

/// Every file at a final name has the content that its name says.
std::size_t check_every_file(const fs::path& directory) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory / "blobs")) {
    if (!entry.is_regular_file()) continue;
    ++count;
    const auto text = testing::read_text(entry.path());
    const auto* const data = reinterpret_cast<const std::uint8_t*>(text.data());
    CHECK(digest_of(std::span(data, text.size())).hex() == entry.path().filename().string());
  }
  return count;
}

TEST_CASE("a process killed at any moment loses no published blob and publishes no damaged one") {
  const testing::TempDir dir;
  std::mt19937 generator(20261122);
  std::size_t acknowledged = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    CAPTURE(cycle);
    const auto life_us = std::uniform_int_distribution<long>(100, longest_life_us)(generator);
    const auto first_seed = static_cast<std::uint32_t>(cycle) * seeds_a_cycle;
    const auto seeds = run_child(dir.path(), first_seed, life_us);
    acknowledged += seeds.size();

    const auto files = check_every_file(dir.path());
    CHECK(files >= acknowledged);
    const auto cache = testing::open_cache(dir.path());
    // What its two threads were at; no more.
    CHECK(testing::entries(dir / "fills") <= 2 * static_cast<std::size_t>(cycle + 1));
    CHECK_FALSE(fs::exists(dir / "index/index.bad-1"));
    CHECK(cache->stats().totals.blobs >= acknowledged);
    CHECK(cache->stats().totals.blobs <= files);
    for (const auto seed : seeds) {
      const auto bytes = blob_of(seed);
      const auto record = cache->index().find_blob(digest_of(bytes));
      REQUIRE(record);
      CHECK(record->size == bytes.size());
      const auto blob = cache->open_blob(digest_of(bytes));
      REQUIRE(blob);
      CHECK(testing::read_bytes(*blob) == bytes);
    }
    CHECK(cache->index().damaged() == 0);
  }
  CHECK(acknowledged > 0);
}

}  // namespace
}  // namespace archway::cache
