#include "proxy/admin/admin.hpp"

#include "tests/proxy/admin/bench.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("the operator's port answers what is asked of it and nothing else") {
  test::AdminBench bench;
  bench.cache->counted.totals.blob_bytes = 1000;
  bench.cache->counted.totals.blobs = 2;
  struct Row {
    const char* target;
    Method method;
    std::uint16_t status;
    const char* begins;
  };
  for (const auto& row : std::vector<Row>{
           {"/healthz", Method::get, 200, "alive"},
           {"/healthz?full=1", Method::get, 200, "alive"},
           {"/readyz", Method::get, 200, "ready"},
           {"/readyz", Method::head, 200, "ready"},
           {"/metrics", Method::get, 200, "bytes 1000 blobs 2"},
           {"/metrics?name=x", Method::get, 200, "bytes 1000 blobs 2"},
           {"/metrics/", Method::get, 404, "Not here."},
           {"/", Method::get, 404, "Not here."},
           {"/v2/", Method::get, 404, "Not here."},
           {"/apis/v1/status", Method::get, 404, "Not here."},
           {"/metrics", Method::other, 405, "Only GET and HEAD"},
           {"/metrics", Method::put, 405, "Only GET and HEAD"},
           {"/healthz", Method::del, 405, "Only GET and HEAD"},
       }) {
    CAPTURE(row.target);
    CAPTURE(static_cast<int>(row.method));
    const auto answer = bench.ask(row.target, row.method);
    CHECK(answer.status == row.status);
    CHECK(answer.body.starts_with(row.begins));
    CHECK(answer.body.ends_with('\n'));
    CHECK(answer.fields.find("Cache-Control") == "no-store");
    CHECK(answer.fields.find("Content-Type").starts_with("text/plain"));
    CHECK(answer.close == (row.status == 405));
    CHECK((answer.fields.find("Allow") == "GET, HEAD") == (row.status == 405));
  }
}

TEST_CASE("the exposition has what the cache and the log say now") {
  test::AdminBench bench;
  auto& counted = bench.cache->counted;
  counted.totals = {.blobs = 2, .blob_bytes = 1000, .manifests = 3, .tags = 4};
  counted.fills_in_progress = 5;
  counted.quarantined = 6;
  counted.damaged = {1, 2, 3, 4, 5};
  counted.refusals = {6, 7, 8, 9, 10};
  counted.read_only = true;
  counted.scrubbed_bytes = 11;
  bench.log.dropped_lines = 7;
  const auto answer = bench.ask("/metrics");
  CHECK(answer.body ==
        "bytes 1000 blobs 2 manifests 3 tags 4 fills 5 quarantined 6 dropped 7 "
        "size 1 recheck 2 scrub 3 serving 4 verify 5 enospc 6 edquot 7 eio 8 erofs 9 other 10 "
        "read-only scrubbed 11\n");
  CHECK(answer.fields.find("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
}

TEST_CASE("a server that drains is alive but not ready") {
  test::AdminBench bench;
  bench.draining = true;
  CHECK(bench.ask("/healthz").status == 200);
  const auto answer = bench.ask("/readyz");
  CHECK(answer.status == 503);
  CHECK(answer.body.starts_with("draining"));
}

TEST_CASE("what the operator's client gets wrong is told in plain text and ends the connection") {
  test::AdminBench bench;
  const auto response = bench.admin->refuse(431, "Too long.");
  CHECK(response.status == 431);
  CHECK(response.close);
  CHECK(*std::get<BytesBody>(response.body) == "Too long.\n");
}

TEST_CASE("its targets may be as long as the digests that can be asked for at once") {
  test::AdminBench bench;
  const std::size_t one = std::string("&digest=sha256%3A").size() + 64;
  CHECK(bench.admin->target_max() > 256 * one + 1024);
  CHECK(bench.admin->target_max() < header_block_bytes_max - 4096);
}

}  // namespace
}  // namespace archway::proxy
