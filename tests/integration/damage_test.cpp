// Files of the cache that are not what they were: no client gets a whole wrong answer, and the next
// one gets the right bytes.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace archway::test {
namespace {

namespace fs = std::filesystem;

std::string path_of(const std::string& bytes) {
  return blob_path("library/hi", digest_of(bytes));
}

/// The one file that was published.
fs::path blob_file(const Gateway& gateway) {
  for (const auto& entry :
       fs::recursive_directory_iterator(gateway.settings.cache.directory / "blobs")) {
    if (entry.is_regular_file()) return entry.path();
  }
  return {};
}

/// Fetches the blob and waits until it is a hit.
void warm(const Gateway& gateway, const std::string& blob) {
  CHECK((gateway.get(path_of(blob)).body == blob));
  REQUIRE(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
}

TEST_CASE("a file that is missing or of another size is never answered with 200 and wrong bytes") {
  const auto blob = noise(300'000);
  struct Row {
    const char* why;
    std::function<void(const fs::path&)> damage;
  };
  for (const auto& row : std::vector<Row>{
           {"it is gone", [](const auto& file) { fs::remove(file); }},
           {"it is empty", [](const auto& file) { fs::resize_file(file, 0); }},
           {"it is a byte short", [](const auto& file) { fs::resize_file(file, 299'999); }},
           {"it is a byte longer", [](const auto& file) { fs::resize_file(file, 300'001); }},
       }) {
    CAPTURE(row.why);
    ScriptedUpstream upstream;
    upstream.on(path_of(blob)).answer(200).body(blob);
    Gateway gateway(upstream);
    gateway.start();
    warm(gateway, blob);
    row.damage(blob_file(gateway));
    const auto again = gateway.get(path_of(blob));
    CHECK(again.status == 200);
    CHECK(again.complete);
    CHECK((again.body == blob));
    CHECK(again.header("Archway-Cache") == "miss");
    CHECK(upstream.count("GET", path_of(blob)) == 2);
  }
}

TEST_CASE(
    "a file that breaks while it is sent: a reset, a report, and the next client gets it all") {
  const auto blob = noise(64'000'000);  // More than the sockets hold.
  ScriptedUpstream upstream;
  upstream.on(path_of(blob)).answer(200).body(blob);
  Gateway gateway(upstream);
  gateway.start();
  warm(gateway, blob);
  HttpClient client(gateway.port());
  client.send("GET", path_of(blob));
  auto answer = client.read_head();
  CHECK(answer.status == 200);
  CHECK(answer.header("Archway-Cache") == "hit");
  fs::resize_file(blob_file(gateway), 1000);
  client.read_rest(answer);
  CHECK_FALSE(answer.complete);
  CHECK(gateway.wait_metric("archway_cache_damaged_total{found_by=\"serving\"}", 1));
  const auto healed = gateway.get(path_of(blob));
  CHECK(healed.complete);
  CHECK((healed.body == blob));
  CHECK(upstream.count("GET", path_of(blob)) == 2);
}

}  // namespace
}  // namespace archway::test
