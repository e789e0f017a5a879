// What comes from outside and is no request: refused as it means, and nobody upstream hears of it.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"
#include "tests/support/bad_heads.hpp"
#include "tests/support/malformed_requests.hpp"
#include "tests/support/raw_client.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <filesystem>
#include <iterator>
#include <malloc.h>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace archway::test {
namespace {

std::string asking(const std::string& method, const std::string& target,
                   const std::string& lines = "") {
  return method + " " + target + " HTTP/1.1\r\nHost: archway\r\n" + lines + "\r\n";
}

TEST_CASE("a head that can be read in two ways is refused on the open port, which then closes") {
  ScriptedUpstream hub;
  Gateway gateway(hub);
  gateway.start();
  auto rows = bad_heads();
  rows.push_back({"a block of 32 KiB and more",
                  asking("GET", "/v2/", "X: " + std::string(33'000, 'x') + "\r\n"), 431});
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto client = RawClient::to_port(gateway.port());
    // What stands behind it must never be read as a request.
    client.say(row.block + asking("GET", "/v2/library/hi/manifests/1"));
    const auto answer = client.hear_answer();
    CHECK(answer.status() == row.status);
    CHECK(answer.field("Connection") == "close");
    CHECK(answer.field("Archway-Cache") == "refused");
    const auto id = answer.field("X-Request-Id");
    CHECK(!id.empty());
    CHECK(gateway.log_text().find("\"id\":\"" + id + "\"") != std::string::npos);
    const auto rest = client.hear_rest();
    CHECK(rest.bytes == "");
    CHECK(rest.end == RawClient::End::orderly);
  }
  CHECK(hub.connections() == 0);
}

TEST_CASE(
    "every answer names its request as the log does, and says what the cache had to do with it") {
  ScriptedUpstream hub;
  const auto image = make_image("linux/amd64", "layer");
  publish(hub, "library/hi", image);
  publish(hub, "library/hi", image.manifest, "1");
  Gateway gateway(hub);
  gateway.start();
  const auto layer = blob_path("library/hi", digest_of(image.layer));
  std::set<std::string> ids;
  struct Row {
    const char* method;
    std::string target;
    const char* cache;
  };
  const std::vector<Row> rows{
      {"GET", "/v2/", "none"},
      {"GET", "/v2/library/hi/manifests/1", "miss"},
      {"HEAD", "/v2/library/hi/manifests/1", "hit"},
      {"GET", layer, "miss"},
      {"GET", "/v2/library/hi/tags/list", "refused"},
      {"GET", "/v2/library/nothing/manifests/1", "refused"},
      {"GET", "/v2/evil.example/x/manifests/1", "refused"},
      {"GET", "/v2/library/HI/manifests/1", "refused"},
      {"GET", "/favicon.ico", "refused"},
      {"POST", "/v2/library/hi/blobs/uploads/", "refused"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.target);
    const auto got = fetch(gateway.port(), row.target, {}, row.method);
    CHECK(got.header("Archway-Cache") == row.cache);
    const auto id = got.header("X-Request-Id");
    CHECK(!id.empty());
    CHECK(gateway.wait_log("\"id\":\"" + id + "\""));
    ids.insert(id);
  }
  CHECK(ids.size() == rows.size());
  // A client's own name for its request is nobody's: it could forge another's.
  const auto forged = gateway.get("/v2/", {{"X-Request-Id", "mine"}});
  CHECK(forged.header("X-Request-Id") != "mine");
}

TEST_CASE("a path that names nothing of a registry, or tries to leave it, reaches nobody") {
  ScriptedUpstream hub;
  Gateway gateway(hub);
  gateway.start();
  struct Row {
    const char* why;
    std::string target;
    int status;
  };
  const std::string zeros(64, '0');
  for (const auto& row : std::vector<Row>{
           {"an escaped letter", "/v2/library/%68i/manifests/1", 404},
           {"an escaped NUL", "/v2/library/hi%00/manifests/1", 404},
           {"escaped dots", "/v2/%2e%2e/%2e%2e/etc/passwd", 404},
           {"an escaped slash", "/v2/library%2fhi/manifests/1", 404},
           {"an escaped tag", "/v2/library/hi/manifests/%31", 404},
           {"dots", "/v2/../../etc/passwd", 404},
           {"dots in a name", "/v2/library/../hi/manifests/1", 400},
           {"dots for a tag", "/v2/library/hi/manifests/..", 400},
           {"a dot", "/v2/./hi/manifests/1", 400},
           {"a path for a digest", "/v2/library/hi/blobs/sha256:../../../../etc/passwd", 404},
           {"a path for a platform", "/v2/platform/../hi/manifests/1", 400},
           {"a double slash", "/v2//library/hi/manifests/1", 400},
           {"a double slash inside", "/v2/library//hi/manifests/1", 400},
           {"a double slash in front", "//v2/library/hi/manifests/1", 404},
           {"a name of 300 characters", "/v2/" + std::string(300, 'a') + "/manifests/1", 400},
           {"a tag of 129 characters", "/v2/library/hi/manifests/" + std::string(129, 'a'), 400},
           {"a tag that starts with a dash", "/v2/library/hi/manifests/-1", 400},
           {"capitals in a digest", "/v2/library/hi/blobs/sha256:" + std::string(64, 'A'), 400},
           {"a digest too short", "/v2/library/hi/blobs/sha256:" + std::string(63, '0'), 400},
           {"a digest too long", "/v2/library/hi/blobs/sha256:" + std::string(65, '0'), 400},
           {"sha512 of sha256's length", "/v2/library/hi/blobs/sha512:" + zeros, 400},
           {"md5", "/v2/library/hi/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400},
           {"sha1", "/v2/library/hi/manifests/sha1:" + std::string(40, '0'), 400},
           {"an invented algorithm", "/v2/library/hi/blobs/sha256+b64:" + zeros, 400},
           {"a namespace with a path", "/v2/hi/manifests/1?ns=../../etc", 404},
           {"a namespace with a user", "/v2/hi/manifests/1?ns=user@docker.io", 404},
           {"a namespace as a number", "/v2/hi/manifests/1?ns=2130706433", 404},
           {"a namespace in octal", "/v2/hi/manifests/1?ns=0177.0.0.1", 404},
           {"a namespace in IPv6", "/v2/hi/manifests/1?ns=[::1]", 404},
           {"a namespace with a dot behind", "/v2/hi/manifests/1?ns=docker.io.", 404},
           {"a namespace of 2,000 characters", "/v2/hi/manifests/1?ns=" + std::string(2000, 'a'),
            400},
           {"a namespace said twice", "/v2/hi/manifests/1?ns=docker.io&ns=evil.example", 400},
           {"a namespace with a line end", "/v2/hi/manifests/1?ns=docker.io%0d%0aX:y", 400},
       }) {
    CAPTURE(row.why);
    const auto got = gateway.get(row.target);
    CHECK(got.status == row.status);
    CHECK(got.body.find("\"code\"") != std::string::npos);
    CHECK(got.body.find('\r') == std::string::npos);
  }
  CHECK(hub.connections() == 0);
}

TEST_CASE("every method but GET and HEAD is 405 with what is allowed, and the connection ends") {
  ScriptedUpstream hub;
  Gateway gateway(hub);
  gateway.start();
  for (const std::string method : {"OPTIONS", "PUT", "POST", "PATCH", "DELETE", "TRACE", "CONNECT",
                                   "PROPFIND", "get", "Head"}) {
    CAPTURE(method);
    auto client = RawClient::to_port(gateway.port());
    client.say(asking(method, "/v2/library/hi/manifests/1", "Content-Length: 7\r\n") + "GET /v2" +
               asking("GET", "/v2/library/hi/manifests/1"));
    const auto answer = client.hear_answer();
    CHECK(answer.status() == 405);
    CHECK(answer.field("Allow") == "GET, HEAD");
    CHECK(answer.body.find("UNSUPPORTED") != std::string::npos);
    CHECK(client.hear_rest().bytes == "");
  }
  CHECK(hub.connections() == 0);
}

std::size_t descriptors() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

/// Sends it and checks what came back; what cannot be refused yet is broken off.
void throw_at(const Gateway& gateway, const MalformedRequests::One& bad) {
  auto client = RawClient::to_port(gateway.port());
  client.say(bad.bytes);
  if (bad.whole) {
    const auto head = client.hear_head();
    const int status = head.size() < 12 ? 0 : std::stoi(head.substr(9, 3));
    const bool refused = (status >= 400 && status < 500) || status == 505;
    if (!refused) CAPTURE(bad.bytes);
    CHECK_MESSAGE(refused, bad.kind << " got " << head);
    const bool closes = head.find("Connection: close\r\n") != std::string::npos;
    CHECK_MESSAGE(closes >= bad.closes, bad.kind << " got " << head);
  }
  client.reset();
}

TEST_CASE("10,000 malformed requests: none reaches an upstream, and they leave nothing behind") {
  ScriptedUpstream hub;
  const auto image = make_image("linux/amd64", "layer");
  publish(hub, "library/hi", image);
  publish(hub, "library/hi", image.manifest, "1");
  Gateway gateway(hub);
  gateway.start();
  MalformedRequests requests(20'261);
  for (int i = 0; i < 500; ++i) throw_at(gateway, requests.next());
  REQUIRE(gateway.wait_metric("archway_connections", 1));  // The one that asks.
  const auto open_before = descriptors();
  const auto bytes_before = mallinfo2().uordblks;
  for (int i = 0; i < 10'000; ++i) throw_at(gateway, requests.next());
  CHECK(gateway.wait_metric("archway_connections", 1));
  // A connection stops counting a moment before its socket is gone; one that is lost stays for
  // ever.
  while (descriptors() > open_before) std::this_thread::yield();
  // What a thread of the allocator keeps at hand counts as used: a few buffers of that size.
  CHECK(mallinfo2().uordblks < bytes_before + 256 * 1024);
  CHECK(hub.connections() == 0);
  CHECK(gateway.get("/v2/library/hi/manifests/1").body == image.manifest.bytes);
}

}  // namespace
}  // namespace archway::test
