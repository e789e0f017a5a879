#include "proxy/admin/admin.hpp"

#include "tests/support/fakes.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>

namespace archway::proxy {
namespace {

/// Only the numbers.
class CountedCache : public cache::Cache {
 public:
  cache::Index& index() override { throw std::logic_error("not asked for"); }
  std::optional<cache::BlobFile> open_blob(const Digest&) override { return {}; }
  Access open_or_join(const Digest&, const std::string&) override { return {}; }
  std::shared_ptr<cache::Fill> find_fill(const Digest&) const override { return nullptr; }
  Stats stats() const override {
    Stats stats;
    stats.totals.blobs = 2;
    stats.totals.blob_bytes = 1000;
    stats.totals.manifests = 3;
    stats.totals.tags = 4;
    stats.fills_in_progress = 5;
    stats.quarantined = 6;
    return stats;
  }
  const std::filesystem::path& directory() const override { return directory_; }

 private:
  std::filesystem::path directory_;
};

struct Fixture {
  CountedCache cache;
  test::QuietLog log;
  test::QuietMetrics metrics;
  std::atomic<bool> draining = false;
  Admin admin{&cache, &log, &metrics, &draining};

  Response ask(const std::string& target, Method method = Method::get) {
    auto request = std::make_shared<Request>();
    request->method = method;
    request->target = target;
    boost::asio::io_context context{1};
    return test::run(context, admin.handle(std::move(request)));
  }
};

std::string text_of(const Response& response) {
  return *std::get<BytesBody>(response.body);
}

TEST_CASE("the operator's port answers what is asked of it and nothing else") {
  Fixture fixture;
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
           {"/metrics", Method::other, 405, "Only GET and HEAD"},
       }) {
    CAPTURE(row.target);
    CAPTURE(static_cast<int>(row.method));
    const auto response = fixture.ask(row.target, row.method);
    CHECK(response.status == row.status);
    CHECK(text_of(response).starts_with(row.begins));
    CHECK(text_of(response).ends_with('\n'));
    CHECK(response.fields.find("Cache-Control") == "no-store");
    CHECK(response.fields.find("Content-Type").starts_with("text/plain"));
    CHECK(response.close == (row.status == 405));
  }
}

TEST_CASE("the exposition has what the cache and the log say now") {
  Fixture fixture;
  fixture.log.dropped_lines = 7;
  const auto response = fixture.ask("/metrics");
  CHECK(text_of(response) ==
        "bytes 1000 blobs 2 manifests 3 tags 4 fills 5 quarantined 6 dropped 7\n");
  CHECK(response.fields.find("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
}

TEST_CASE("a server that drains is alive but not ready") {
  Fixture fixture;
  fixture.draining = true;
  CHECK(fixture.ask("/healthz").status == 200);
  const auto response = fixture.ask("/readyz");
  CHECK(response.status == 503);
  CHECK(text_of(response).starts_with("draining"));
}

TEST_CASE("what the operator's client gets wrong is told in plain text and ends the connection") {
  Fixture fixture;
  const auto response = fixture.admin.refuse(431, "Too long.");
  CHECK(response.status == 431);
  CHECK(response.close);
  CHECK(text_of(response) == "Too long.\n");
}

}  // namespace
}  // namespace archway::proxy
