#include "proxy/admin/endpoints.hpp"

#include "tests/proxy/admin/bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

TEST_CASE("a path that is not there is answered with those that are") {
  test::AdminBench bench;
  for (const std::string target :
       {"/api", "/api/", "/api/v1/", "/api/v2/status", "/api/v1/explain/", "/api/v1/image",
        "/api/v1/images/", "/api?x=1"}) {
    CAPTURE(target);
    const auto answer = bench.ask(target);
    CHECK(answer.status == 404);
    for (const std::string path :
         {"GET /api/v1/explain", "PUT /api/v1/images/NAME[:TAG]",
          "DELETE /api/v1/images/NAME[:TAG]", "GET /api/v1/cached", "GET /api/v1/upstreams",
          "GET /api/v1/listeners", "GET /api/v1/status"}) {
      CAPTURE(path);
      CHECK(answer.error().find(path) != std::string::npos);
    }
    CHECK(answer.fields.find("Content-Type") == "application/json");
    CHECK(answer.fields.find("Cache-Control") == "no-store");
  }
}

TEST_CASE("a method that a path does not know is answered with those that it does") {
  test::AdminBench bench;
  struct Row {
    std::string target;
    Method method;
    std::string allow;
  };
  for (const auto& row : std::vector<Row>{{"/api/v1/status", Method::put, "GET, HEAD"},
                                          {"/api/v1/explain?image=a", Method::del, "GET, HEAD"},
                                          {"/api/v1/images", Method::other, "GET, HEAD"},
                                          {"/api/v1/images/a", Method::get, "PUT, DELETE"},
                                          {"/api/v1/images/a", Method::other, "PUT, DELETE"}}) {
    CAPTURE(row.target);
    const auto answer = bench.ask(row.target, row.method);
    CHECK(answer.status == 405);
    CHECK(answer.fields.find("Allow") == row.allow);
    CHECK(answer.error().find(row.allow) != std::string::npos);
    CHECK(answer.close);
  }
}

TEST_CASE("HEAD asks like GET, and parameters that nobody knows are refused everywhere") {
  test::AdminBench bench;
  for (const std::string path :
       {"/api/v1/status", "/api/v1/listeners", "/api/v1/images", "/api/v1/upstreams"}) {
    CAPTURE(path);
    CHECK(bench.ask(path).status == 200);
    CHECK(bench.ask(path, Method::head).status == 200);
    const auto answer = bench.ask(path + "?nonsense=1");
    CHECK(answer.status == 400);
    CHECK(answer.error().find("\"nonsense\"") != std::string::npos);
  }
}

TEST_CASE("what changes something is not done for a web page") {
  test::AdminBench bench;
  const std::string target = "/api/v1/images/me/app?member=amd64=me/app:1";
  struct Row {
    const char* why;
    std::string host;
    std::string origin;
  };
  for (const auto& row : std::vector<Row>{{"of another host", "127.0.0.1:5001", "http://evil.test"},
                                          {"of a name that leads here", "evil.test:5001", ""}}) {
    CAPTURE(row.why);
    std::vector<std::pair<std::string, std::string>> fields{{"Host", row.host}};
    if (!row.origin.empty()) fields.emplace_back("Origin", row.origin);
    for (const auto method : {Method::put, Method::del}) {
      const auto answer = bench.ask(target, method, fields);
      CHECK(answer.status == 403);
      CHECK(answer.error().find("evil.test") != std::string::npos);
    }
    CHECK(bench.ask("/api/v1/images", Method::get, fields).status == 200);
  }
  CHECK(bench.shared->virtual_images.all().empty());
  CHECK(bench.upstream.requests().empty());
}

TEST_CASE("an image's name that cannot be read is refused") {
  test::AdminBench bench;
  CHECK(bench.put("/api/v1/images/a%zz?member=amd64=a").status == 400);
  CHECK(bench.put("/api/v1/images/a%0A?member=amd64=a").status == 400);
}

}  // namespace
}  // namespace archway::proxy
