#include "metrics/metrics.hpp"

#include <doctest/doctest.h>
#include <string>
#include <thread>
#include <vector>

namespace archway::metrics {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST_CASE("a request is counted with its labels, bytes and time") {
  const auto metrics = Metrics::make("1.2.3");
  for (const std::uint64_t bytes : {100U, 23U}) {
    metrics->request({.kind = "blob",
                      .outcome = Outcome::hit,
                      .upstream = "docker.io",
                      .platform = "linux/arm64",
                      .status = 206,
                      .bytes = bytes,
                      .seconds = 0.003});
  }
  metrics->request({.outcome = Outcome::refused, .status = 400});
  metrics->request({.kind = "blob", .outcome = Outcome::failed, .upstream = "ghcr.io"});
  const std::string text = metrics->exposition({});
  for (
      const char* line : {
          R"(archway_requests_total{kind="blob",outcome="hit",platform="linux/arm64",status="2xx",upstream="docker.io"} 2)",
          R"(archway_client_bytes_total{kind="blob",outcome="hit",platform="linux/arm64",upstream="docker.io"} 123)",
          R"(archway_request_seconds_count{kind="blob",outcome="hit"} 2)",
          R"(archway_request_seconds_bucket{kind="blob",outcome="hit",le="0.0025"} 0)",
          R"(archway_request_seconds_bucket{kind="blob",outcome="hit",le="0.005"} 2)",
          R"(archway_requests_total{kind="unknown",outcome="refused",platform="unknown",status="4xx",upstream="unknown"} 1)",
          R"(archway_requests_total{kind="blob",outcome="failed",platform="unknown",status="none",upstream="ghcr.io"} 1)",
          R"(archway_build_info{version="1.2.3"} 1)",
          "# TYPE archway_requests_total counter",
          "# TYPE archway_request_seconds histogram",
      }) {
    CAPTURE(line);
    CAPTURE(text);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("upstreams, fills and connections have their series") {
  const auto metrics = Metrics::make("1");
  metrics->upstream_known("docker.io");
  CHECK(has_line(
      metrics->exposition({}),
      R"(archway_upstream_errors_total{reason="upstream_failed",upstream="docker.io"} 0)"));
  metrics->upstream_bytes("docker.io", 1000);
  metrics->upstream_bytes("docker.io", 24);
  metrics->upstream_bytes("ghcr.io", 5);
  metrics->upstream_answer("docker.io", 200, 0.02);
  metrics->upstream_answer("docker.io", 777, 0.02);
  metrics->upstream_error("docker.io", "upstream_unreachable");
  metrics->digest_mismatch("ghcr.io");
  metrics->fill_joined();
  metrics->fill_ended("complete");
  metrics->platform_conflict();
  metrics->prefetched("fetched");
  metrics->connection_opened();
  metrics->connection_opened();
  metrics->connection_closed();
  const std::string text = metrics->exposition({});
  for (const char* line : {
           R"(archway_upstream_bytes_total{upstream="docker.io"} 1024)",
           R"(archway_upstream_bytes_total{upstream="ghcr.io"} 5)",
           R"(archway_upstream_answers_total{status="200",upstream="docker.io"} 1)",
           R"(archway_upstream_answers_total{status="other",upstream="docker.io"} 1)",
           R"(archway_upstream_seconds_count{upstream="docker.io"} 2)",
           R"(archway_upstream_errors_total{reason="upstream_unreachable",upstream="docker.io"} 1)",
           R"(archway_digest_mismatches_total{upstream="ghcr.io"} 1)",
           "archway_fills_joined_total 1",
           R"(archway_fills_total{outcome="complete"} 1)",
           "archway_platform_conflicts_total 1",
           R"(archway_prefetch_total{result="fetched"} 1)",
           R"(archway_prefetch_total{result="failed"} 0)",
           "archway_connections 1",
       }) {
    CAPTURE(line);
    CAPTURE(text);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("the snapshot is what is scraped, every time anew") {
  const auto metrics = Metrics::make("1");
  CHECK(has_line(metrics->exposition({.cache_bytes = 7}), "archway_cache_bytes 7"));
  const std::string text = metrics->exposition({.cache_bytes = 1,
                                                .cache_limit = 11,
                                                .cache_reserved = 12,
                                                .cache_evicted_blobs = 13,
                                                .cache_evicted_bytes = 14,
                                                .cache_blobs = 2,
                                                .cache_manifests = 3,
                                                .cache_tags = 4,
                                                .fills_in_progress = 5,
                                                .quarantined = 6,
                                                .log_lines_dropped = 8,
                                                .cache_damaged = {{"scrub", 9}, {"size", 10}},
                                                .cache_write_errors = {{"enospc", 11}},
                                                .cache_read_only = true,
                                                .cache_out_of_service = true,
                                                .cache_scrubbed_bytes = 12});
  for (const char* line :
       {"archway_cache_bytes 1", "archway_cache_limit_bytes 11", "archway_cache_reserved_bytes 12",
        "archway_cache_evicted_blobs_total 13", "archway_cache_evicted_bytes_total 14",
        R"(archway_cache_objects{kind="blob"} 2)", R"(archway_cache_objects{kind="manifest"} 3)",
        R"(archway_cache_objects{kind="tag"} 4)", R"(archway_cache_objects{kind="quarantined"} 6)",
        "archway_fills_in_progress 5", "archway_log_lines_dropped_total 8",
        "# TYPE archway_log_lines_dropped_total counter",
        R"(archway_cache_damaged_total{found_by="scrub"} 9)",
        R"(archway_cache_damaged_total{found_by="size"} 10)",
        R"(archway_cache_write_errors_total{reason="enospc"} 11)", "archway_cache_read_only 1",
        "archway_cache_out_of_service 1", "archway_cache_scrubbed_bytes_total 12"}) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
  CHECK(count(text, "# TYPE archway_cache_bytes ") == 1);
}

TEST_CASE("an upstream's URLs are scraped as they are, with a rate limit where one was said") {
  const auto metrics = Metrics::make("1");
  const std::string text = metrics->exposition(
      {.upstreams = {{.name = "a", .url = "https://a", .limit = 100, .remaining = 7},
                     {.name = "b", .url = "http://b", .answers = false, .held_s = 30}}});
  for (const char* line : {R"(archway_upstream_up{upstream="a",url="https://a"} 1)",
                           R"(archway_upstream_up{upstream="b",url="http://b"} 0)",
                           R"(archway_upstream_held_seconds{upstream="b",url="http://b"} 30)",
                           R"(archway_upstream_rate_limit{upstream="a",url="https://a"} 100)",
                           R"(archway_upstream_rate_remaining{upstream="a",url="https://a"} 7)"}) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
  CHECK(text.find("archway_upstream_rate_limit{upstream=\"b\"") == std::string::npos);
  CHECK(metrics->exposition({}).find("archway_upstream_up") == std::string::npos);
}

TEST_CASE("clients cannot make series without end") {
  const auto metrics = Metrics::make("1");
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) {
      const std::string platform = "linux/made-up-" + std::to_string(i);
      metrics->request({.kind = "manifest", .outcome = Outcome::hit, .platform = platform});
    }
  }
  const std::string text = metrics->exposition({});
  CHECK(count(text, "\narchway_requests_total{") == 65);
  CHECK(count(text, "\narchway_client_bytes_total{") == 65);
  CHECK(has_line(text, R"(archway_requests_total{kind="manifest",outcome="hit",platform="other",)"
                       R"(status="none",upstream="unknown"} 1872)"));
}

TEST_CASE("threads that count together lose nothing") {
  const auto metrics = Metrics::make("1");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 500; ++i) {
        const std::string platform = "linux/p" + std::to_string(i % 8);
        metrics->request({.kind = "blob", .outcome = Outcome::hit, .platform = platform});
        metrics->upstream_bytes("docker.io", 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics->exposition({});
  CHECK(has_line(text, R"(archway_upstream_bytes_total{upstream="docker.io"} 2000)"));
  CHECK(has_line(text, R"(archway_request_seconds_count{kind="blob",outcome="hit"} 2000)"));
}

TEST_CASE("every outcome has a word of its own") {
  std::string all;
  for (const auto outcome : {Outcome::hit, Outcome::miss, Outcome::joined, Outcome::stale,
                             Outcome::pass, Outcome::refused, Outcome::failed, Outcome::none}) {
    CHECK(count(all, std::string(name(outcome)) + " ") == 0);
    all += std::string(name(outcome)) + " ";
  }
  CHECK(all == "hit miss joined stale pass refused failed none ");
}

}  // namespace
}  // namespace archway::metrics
