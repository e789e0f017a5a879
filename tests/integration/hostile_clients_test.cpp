// Clients that leave at any moment, ask for impossible parts, or for lists without end.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"
#include "tests/support/raw_client.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

std::string asking(const std::string& target, const std::string& lines = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: archway\r\n" + lines + "\r\n";
}

TEST_CASE("a client that resets at any stage costs nobody anything") {
  ScriptedUpstream hub;
  const auto image = make_image("linux/amd64", noise(4'000'000));
  publish(hub, "library/hi", image);
  publish(hub, "library/hi", image.manifest, "1");
  const auto layer = blob_path("library/hi", digest_of(image.layer));
  const auto slow = "/v2/library/hi/blobs/" + digest_of("slow");
  const auto gate = hub.gate();
  hub.on(slow).answer(200).body("slow").hang(gate);
  Gateway gateway(hub);
  gateway.start();
  CHECK(gateway.get(layer).body == image.layer);
  struct Row {
    const char* why;
    std::string says;
    std::size_t hears;
  };
  for (const auto& row : std::vector<Row>{
           {"before a word", "", 0},
           {"in the request line", "GET /v2/libr", 0},
           {"in a header", "GET /v2/ HTTP/1.1\r\nHost: arch", 0},
           {"before the answer", asking("/v2/library/hi/manifests/1"), 0},
           {"while the upstream is asked", asking(slow), 0},
           {"in the answer's head", asking(layer), 20},
           {"in the body", asking(layer), 100'000},
           {"in the middle of many", asking("/v2/") + asking(layer) + asking("/v2/"), 5000},
           {"behind a refusal", asking("/v2/", "Content-Length: 5\r\n"), 30},
           {"after FIN", asking("/v2/", "Connection: close\r\n"), 200},
       }) {
    CAPTURE(row.why);
    for (int i = 0; i < 3; ++i) {
      auto client = RawClient::to_port(gateway.port());
      client.say(row.says);
      CHECK(client.hear(row.hears).size() == row.hears);
      client.reset();
    }
  }
  gate->open();
  CHECK(gateway.wait_metric("archway_connections", 1));  // The one that asks.
  CHECK(gateway.get(layer).body == image.layer);
  CHECK(gateway.get(slow).body == "slow");
}

TEST_CASE("of a range nobody can be sure of, the whole comes; what is behind the end is 416") {
  ScriptedUpstream hub;
  const auto image = make_image("linux/amd64", noise(1000));
  publish(hub, "library/hi", image);
  publish(hub, "library/hi", image.manifest, "1");
  const auto layer = blob_path("library/hi", digest_of(image.layer));
  Gateway gateway(hub);
  gateway.start();
  CHECK(gateway.get(manifest_path("library/hi", "1")).status == 200);
  CHECK(gateway.get(layer).body == image.layer);
  std::string many = "bytes=0-0";
  for (int i = 1; i < 1000; ++i) many += "," + std::to_string(i) + "-" + std::to_string(i);
  struct Row {
    std::string range;
    int status;
    std::string content_range;
  };
  const auto part = [](const std::string& of) { return "bytes " + of + "/1000"; };
  for (const auto& row : std::vector<Row>{
           {"bytes=0-0", 206, part("0-0")},
           {"bytes=999-", 206, part("999-999")},
           {"bytes=-1", 206, part("999-999")},
           {"bytes=-5000", 206, part("0-999")},
           {"bytes=500-99999999999999999999999", 206, part("500-999")},
           {"bytes=0-18446744073709551615", 206, part("0-999")},
           {"bytes=1000-", 416, part("*")},
           {"bytes=18446744073709551615-", 416, part("*")},
           {"bytes=10000000000000000000000-", 416, part("*")},
           {"bytes=-0", 416, part("*")},
           {"bytes=0-0,1-1", 200, ""},
           {"bytes=0-500,200-700", 200, ""},
           {many, 200, ""},
           {"bytes=5-4", 200, ""},
           {"bytes = 0-", 200, ""},
           {"bytes=0 - 5", 200, ""},
           {"bytes=0-5;x", 200, ""},
           {"bytes=-", 200, ""},
           {"bytes=+1-2", 200, ""},
           {"bytes=0x1-2", 200, ""},
           {"bytes=1e1-", 200, ""},
           {"bits=0-5", 200, ""},
           {"", 200, ""},
       }) {
    CAPTURE(row.range.substr(0, 40));
    const auto got = gateway.get(layer, {{"Range", row.range}});
    CHECK(got.status == row.status);
    CHECK(got.header("Content-Range") == row.content_range);
    if (row.status == 200) CHECK(got.body == image.layer);
  }
  CHECK(gateway.get(layer, {{"Request-Range", "bytes=0-0"}}).status == 200);
  const auto etag = gateway.get(layer).header("ETag");
  CHECK(gateway.get(layer, {{"Range", "bytes=0-0"}, {"If-Range", etag}}).status == 206);
  for (const std::string other : {"\"x\"", "Mon, 23 Nov 2026 00:00:00 GMT", "*"}) {
    CHECK(gateway.get(layer, {{"Range", "bytes=0-0"}, {"If-Range", other}}).status == 200);
  }
}

TEST_CASE("a list of tags comes in pages of a thousand at most, and every one of them is there") {
  ScriptedUpstream hub;
  std::string tags;
  std::vector<std::string> all;
  for (int i = 0; i < 2500; ++i) {
    all.push_back("v" + std::to_string(10'000 + i));
    tags += (tags.empty() ? "\"" : ",\"") + all.back() + "\"";
  }
  hub.on("/v2/library/hi/tags/list")
      .answer(200)
      .json(R"({"name":"library/hi","tags":[)" + tags + "]}");
  Gateway gateway(hub);
  gateway.start();
  for (const std::string first : {"/v2/hi/tags/list", "/v2/hi/tags/list?n=1000000000"}) {
    CAPTURE(first);
    std::size_t seen = 0;
    std::string next = first;
    for (int page = 0; page < 3; ++page) {
      const auto got = gateway.get(next);
      REQUIRE(got.status == 200);
      CHECK(got.body.find(all[seen]) != std::string::npos);
      seen += page < 2 ? 1000 : 500;
      CHECK(got.body.find(all[seen - 1]) != std::string::npos);
      if (seen < all.size()) CHECK(got.body.find(all[seen]) == std::string::npos);
      const auto link = got.header("Link");
      CHECK(link.empty() == (page == 2));
      if (!link.empty()) next = link.substr(1, link.find('>') - 1);
    }
    CHECK(seen == all.size());
  }
  for (const auto& bad :
       std::vector<std::string>{"n=-1", "n=x", "n=1&n=2", "last=" + std::string(3000, 'a')}) {
    CAPTURE(bad.substr(0, 20));
    CHECK(gateway.get("/v2/hi/tags/list?" + bad).status == 400);
  }
  CHECK(gateway.get("/v2/hi/tags/list?last=" + std::string(100'000, 'a')).status == 431);
  CHECK(gateway.get("/v2/_catalog?n=1000000000").status == 405);
}

}  // namespace
}  // namespace archway::test
