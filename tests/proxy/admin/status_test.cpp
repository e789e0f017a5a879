#include "proxy/admin/status.hpp"

#include "tests/proxy/admin/bench.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("the status has what the process is and what its cache holds") {
  test::AdminBench bench;
  auto& counted = bench.cache->counted;
  counted.totals = {.blobs = 2, .blob_bytes = 1000, .manifests = 3, .tags = 4};
  counted.fills_in_progress = 5;
  counted.quarantined = 6;
  counted.limits = {.max_size = 7, .keep_free = 8};
  counted.disk_free = 9;
  counted.space.evicted_blobs = 10;
  counted.damaged[static_cast<std::size_t>(cache::FoundBy::verify)] = 11;
  const auto document = bench.ask("/api/v1/status").json();
  CHECK(!document.at("version").as_string().empty());
  CHECK(document.at("uptime_seconds").to_number<long>() >= 0);
  CHECK(document.at("threads").to_number<int>() == 3);
  CHECK(!document.at("draining").as_bool());
  const auto& cache = document.at("cache");
  CHECK(std::string(cache.at("directory").as_string().c_str()) == bench.dir.path().string());
  CHECK(cache.at("blobs").to_number<int>() == 2);
  CHECK(cache.at("blob_bytes").to_number<int>() == 1000);
  CHECK(cache.at("manifests").to_number<int>() == 3);
  CHECK(cache.at("tags").to_number<int>() == 4);
  CHECK(cache.at("fills_in_progress").to_number<int>() == 5);
  CHECK(cache.at("quarantined").to_number<int>() == 6);
  CHECK(cache.at("max_size").to_number<int>() == 7);
  CHECK(cache.at("keep_free").to_number<int>() == 8);
  CHECK(cache.at("disk_free_bytes").to_number<int>() == 9);
  CHECK(cache.at("evicted_blobs").to_number<int>() == 10);
  CHECK(cache.at("damaged").at("verify").to_number<int>() == 11);
  CHECK(cache.at("damaged").at("scrub").to_number<int>() == 0);
  bench.draining = true;
  CHECK(bench.ask("/api/v1/status").json().at("draining").as_bool());
}

TEST_CASE("listeners are listed with what they say about their clients") {
  test::AdminBench bench;
  CHECK(bench.ask("/api/v1/listeners").body == "[]\n");
  const Settings::Tls plain{.certificate = "a", .key = "b"};
  auto asking = plain;
  asking.client_ca = "ca.pem";
  auto requiring = asking;
  requiring.client_required = true;
  bench.listeners = {{.endpoint = {.address = "0.0.0.0", .port = 5000}},
                     {.endpoint = {.address = "::", .port = 5443}, .tls = plain},
                     {.endpoint = {.address = "10.0.0.1", .port = 1}, .tls = asking},
                     {.endpoint = {.address = "10.0.0.1", .port = 2},
                      .tls = requiring,
                      .platform = *Platform::parse("arm/v7")}};
  CHECK(bench.ask("/api/v1/listeners").body ==
        R"([{"address":"0.0.0.0:5000","tls":false,"platform":null,"client_certificates":"none"},)"
        R"({"address":"[::]:5443","tls":true,"platform":null,"client_certificates":"none"},)"
        R"({"address":"10.0.0.1:1","tls":true,"platform":null,"client_certificates":"ask"},)"
        R"({"address":"10.0.0.1:2","tls":true,"platform":"linux/arm/v7",)"
        R"("client_certificates":"require"}])"
        "\n");
}

}  // namespace
}  // namespace archway::proxy
