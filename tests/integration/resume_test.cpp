// What an earlier archway had already got of a blob is not fetched again.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace archway::test {
namespace {

const std::string repository = "library/hi";
constexpr std::size_t whole_bytes = 1'000'000;
constexpr std::size_t kept_bytes = 600'000;
constexpr const char* fetched = R"(archway_upstream_bytes_total{upstream="docker.io"})";

/// The place of an unfinished transfer.
std::filesystem::path part_of(const ScratchDirectory& cache, const std::string& digest) {
  auto name = digest;
  name.replace(name.find(':'), 1, "-");
  return cache.path() / "cache" / "fills" / (name + ".part");
}

/// A cache in which an archway died while it had so many bytes of the blob.
std::shared_ptr<ScratchDirectory> left_behind(std::string_view bytes, const std::string& digest) {
  auto cache = std::make_shared<ScratchDirectory>();
  std::filesystem::create_directories(cache->path() / "cache" / "fills");
  std::ofstream(part_of(*cache, digest), std::ios::binary) << bytes;
  return cache;
}

TEST_CASE("after a restart an unfinished transfer goes on where it stopped") {
  ScriptedUpstream upstream;
  const auto blob = noise(whole_bytes);
  const auto digest = digest_of(blob);
  upstream.on(blob_path(repository, digest)).answer(200).body(blob).ranges();
  Gateway gateway(upstream, left_behind(blob.substr(0, kept_bytes), digest));
  gateway.start();
  const auto got = gateway.get(blob_path(repository, digest));
  CHECK(got.complete);
  CHECK(got.body == blob);
  CHECK(gateway.metric(fetched) == whole_bytes - kept_bytes);
  CHECK(gateway.wait_metric(R"(archway_cache_objects{kind="blob"})", 1));
  CHECK_FALSE(std::filesystem::exists(part_of(*gateway.cache(), digest)));
  CHECK(gateway.get(blob_path(repository, digest)).header("Archway-Cache") == "hit");
}

TEST_CASE("an upstream that knows no ranges sends all of it, and what was there is skipped") {
  ScriptedUpstream upstream;
  const auto blob = noise(whole_bytes);
  const auto digest = digest_of(blob);
  upstream.on(blob_path(repository, digest)).answer(200).body(blob);
  Gateway gateway(upstream, left_behind(blob.substr(0, kept_bytes), digest));
  gateway.start();
  const auto got = gateway.get(blob_path(repository, digest));
  CHECK(got.complete);
  CHECK(got.body == blob);
  CHECK(gateway.wait_metric(R"(archway_cache_objects{kind="blob"})", 1));
}

TEST_CASE("an archway that is stopped in the middle leaves what the next one goes on with") {
  ScriptedUpstream upstream;
  const auto blob = noise(whole_bytes);
  const auto digest = digest_of(blob);
  const auto path = blob_path(repository, digest);
  // Cut as often as a transfer is tried again without a byte more.
  upstream.on(path).answer(200).body(blob).ranges().cut_after(kept_bytes);
  for (int i = 0; i < 5; ++i) upstream.on(path).answer(503);
  upstream.on(path).answer(200).body(blob).ranges();
  auto cache = std::make_shared<ScratchDirectory>();
  {
    Gateway gateway(upstream, cache);
    gateway.settings.timeouts.retry_pause = std::chrono::milliseconds(1);
    gateway.start();
    CHECK_FALSE(gateway.get(path).complete);
    CHECK(gateway.wait_log("a blob could not be fetched"));
    gateway.stop();
  }
  REQUIRE(std::filesystem::file_size(part_of(*cache, digest)) == kept_bytes);
  Gateway gateway(upstream, cache);
  gateway.start();
  const auto got = gateway.get(path);
  CHECK(got.complete);
  CHECK(got.body == blob);
  CHECK(gateway.metric(fetched) == whole_bytes - kept_bytes);
}

TEST_CASE("a part that was spoilt is never the end of a whole answer, and is gone afterwards") {
  ScriptedUpstream upstream;
  const auto blob = noise(whole_bytes);
  const auto digest = digest_of(blob);
  upstream.on(blob_path(repository, digest)).answer(200).body(blob).ranges();
  auto spoilt = blob.substr(0, kept_bytes);
  spoilt[1'000] = static_cast<char>(spoilt[1'000] ^ 1);
  Gateway gateway(upstream, left_behind(spoilt, digest));
  gateway.start();
  CHECK_FALSE(gateway.get(blob_path(repository, digest)).complete);
  CHECK(gateway.wait_log("had kept of an interrupted transfer was damaged"));
  const auto got = gateway.get(blob_path(repository, digest));
  CHECK(got.complete);
  CHECK(got.body == blob);
}

}  // namespace
}  // namespace archway::test
