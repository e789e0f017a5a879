#include "proxy/http/envelope.hpp"

#include "tests/support/bad_heads.hpp"
#include "tests/support/second_reader.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const std::string host = "Host: registry\r\n";

/// GET / with these further header lines.
std::string with(const std::string& lines) {
  return "GET /v2/ HTTP/1.1\r\n" + host + lines + "\r\n";
}

std::string asking(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\n" + host + "\r\n";
}

std::string repeated(const std::string& line, int times) {
  std::string lines;
  for (int i = 0; i < times; ++i) lines += line;
  return lines;
}

struct Good {
  const char* why;
  std::string block;
  Method method = Method::get;
  const char* target = "/v2/";
  bool keep_alive = true;
};

std::vector<Good> good_blocks() {
  const std::string line = "/v2/ HTTP/1.1\r\n" + host;
  return {
      {"the shortest", with("")},
      {"HEAD", "HEAD " + line + "\r\n", Method::head},
      {"PUT", "PUT " + line + "\r\n", Method::put},
      {"PUT with a body of no bytes", "PUT " + line + "Content-Length: 0\r\n\r\n", Method::put},
      {"PUT that is the last", "PUT " + line + "Connection: close\r\n\r\n", Method::put, "/v2/",
       false},
      {"DELETE", "DELETE " + line + "\r\n", Method::del},
      {"DELETE in HTTP/1.0", "DELETE /v2/ HTTP/1.0\r\n\r\n", Method::del, "/v2/", false},
      {"any other method is only named so", "POST " + line + "\r\n", Method::other, "/v2/", false},
      {"put has case, too", "put " + line + "\r\n", Method::other, "/v2/", false},
      {"methods have case: get is none that we know", "get " + line + "\r\n", Method::other, "/v2/",
       false},
      {"an invented method", "M-SEARCH " + line + "\r\n", Method::other, "/v2/", false},
      {"POST with a body ends its connection", "POST " + line + "Content-Length: 5\r\n\r\n",
       Method::other, "/v2/", false},
      {"PATCH in chunks, too", "PATCH " + line + "Transfer-Encoding: chunked\r\n\r\n",
       Method::other, "/v2/", false},
      {"whatever it asks for",
       "POST /v2/ HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", Method::other,
       "/v2/", false},
      {"a query", asking("/v2/a/tags/list?n=1&last=b"), Method::get, "/v2/a/tags/list?n=1&last=b"},
      {"percent signs stay what they are", asking("/v2/%2e%2e/%00"), Method::get, "/v2/%2e%2e/%00"},
      {"a double slash is not ours to judge", asking("//x"), Method::get, "//x"},
      {"the longest target", asking("/" + std::string(target_bytes_max - 1, 'a')), Method::get,
       nullptr},
      {"an empty value", with("X:\r\n")},
      {"blanks around a value", with("X: \t a b \t\r\n")},
      {"no blank before a value", with("X:y\r\n")},
      {"a tab inside a value", with("X: a\tb\r\n")},
      {"bytes above ASCII in a value", with("X: \xc3\xa9\xff\r\n")},
      {"a name of all token characters", with("!#$%&'*+-.^_`|~09azAZ: 1\r\n")},
      {"six Accept lines", with(repeated("Accept: a/b\r\n", 6))},
      {"two Cookie lines", with(repeated("Cookie: a\r\n", 2))},
      {"a body of no bytes", with("Content-Length: 0\r\n")},
      {"one Range", with("Range: bytes=0-\r\n")},
      {"as many lines as allowed", with(repeated("X: 1\r\n", header_lines_max - 1))},
      {"a token of 16 KiB", with("Authorization: Bearer " + std::string(16384, 'x') + "\r\n")},
      {"an empty Host", "GET /v2/ HTTP/1.1\r\nHost:\r\n\r\n"},
      {"an IPv6 Host", "GET /v2/ HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n"},
      {"close", with("Connection: close\r\n"), Method::get, "/v2/", false},
      {"close, in capitals and among others", with("Connection: TE , CLOSE\r\n"), Method::get,
       "/v2/", false},
      {"close on a second line", with("Connection: TE\r\nConnection: close\r\n"), Method::get,
       "/v2/", false},
      {"a word with close in it", with("Connection: closed\r\n")},
      {"HTTP/1.0 closes", "GET /v2/ HTTP/1.0\r\n\r\n", Method::get, "/v2/", false},
      {"HTTP/1.0 may stay", "GET /v2/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"},
      {"HTTP/1.0 with both: closes", "GET /v2/ HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
       Method::get, "/v2/", false},
  };
}

TEST_CASE("PUT and DELETE with a body are like any other method: refused by whoever is asked") {
  for (const std::string method : {"PUT", "DELETE"}) {
    for (const std::string field :
         {"Content-Length: 5", "Content-Length: 00", "Transfer-Encoding: chunked",
          "Content-Length: 0\r\nTransfer-Encoding: chunked"}) {
      CAPTURE(method);
      CAPTURE(field);
      const auto read = read_envelope(method + " /v2/ HTTP/1.1\r\n" + host + field + "\r\n\r\n");
      REQUIRE(std::holds_alternative<Request>(read));
      CHECK(std::get<Request>(read).method == Method::other);
      CHECK_FALSE(std::get<Request>(read).keep_alive);
    }
  }
}

TEST_CASE("a header block that can be read in one way only is read") {
  for (const auto& row : good_blocks()) {
    CAPTURE(row.why);
    CHECK(header_block_end(row.block) == row.block.size());
    const auto read = read_envelope(row.block);
    if (const auto* bad = std::get_if<BadRequest>(&read)) {
      FAIL_CHECK(bad->why);
      continue;
    }
    const auto& request = std::get<Request>(read);
    CHECK(request.method == row.method);
    CHECK(request.keep_alive == row.keep_alive);
    if (row.target) CHECK(request.target == row.target);
    // Beast is the second reader: both must have read the same.
    CHECK(test::disagreement(row.block, request) == "");
  }
}

TEST_CASE("whatever two readers could read differently is refused with the status that says why") {
  auto rows = test::bad_heads();
  rows.push_back({"bytes behind the empty line", with("") + "x"});
  rows.push_back({"no empty line", "GET /v2/ HTTP/1.1\r\n" + host});
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CAPTURE(row.block.substr(0, 200));
    const auto read = read_envelope(row.block);
    const auto* bad = std::get_if<BadRequest>(&read);
    REQUIRE(bad != nullptr);
    CHECK(bad->status == row.status);
    CHECK(bad->why.size() > 10);
    CHECK(bad->why.ends_with('.'));
  }
}

TEST_CASE("whoever reads longer targets says so") {
  const auto block = asking("/" + std::string(2 * target_bytes_max - 1, 'a'));
  CHECK(std::holds_alternative<Request>(read_envelope(block, 2 * target_bytes_max)));
  const auto read = read_envelope(block, 2 * target_bytes_max - 1);
  REQUIRE(std::holds_alternative<BadRequest>(read));
  CHECK(std::get<BadRequest>(read).status == 414);
}

TEST_CASE("a block that arrives byte by byte ends with its last byte and no earlier") {
  for (const auto& row : good_blocks()) {
    CAPTURE(row.why);
    const auto block = row.block.substr(0, 400) == row.block ? row.block : with("X: y\r\n");
    for (std::size_t size = 0; size < block.size(); ++size) {
      CAPTURE(size);
      REQUIRE(header_block_end(std::string_view(block).substr(0, size)) == std::string_view::npos);
    }
    CHECK(header_block_end(block) == block.size());
    CHECK(header_block_end(block + "GET /next") == block.size());
  }
}

TEST_CASE("a line that ends without CR ends the block, so that nobody waits for the rest") {
  struct Row {
    const char* why;
    std::string bytes;
    std::size_t end;
  };
  for (const auto& row : std::vector<Row>{{"the first line", "GET / HTTP/1.1\nHost: a\n\n", 15},
                                          {"a header", "GET / HTTP/1.1\r\nHost: a\n", 24},
                                          {"the empty line", "GET / HTTP/1.1\r\n\n", 17},
                                          {"LF alone", "\n", 1},
                                          {"an empty line first", "\r\nGET", 2}}) {
    CAPTURE(row.why);
    CHECK(header_block_end(row.bytes) == row.end);
    const auto read = read_envelope(std::string_view(row.bytes).substr(0, row.end));
    CHECK(std::holds_alternative<BadRequest>(read));
  }
}

TEST_CASE("fields keep their order, their lines and their case, and are found without case") {
  const auto read = read_envelope(with("aCCept: one\r\nX: 1\r\nAccept: two , three\r\n"));
  const auto& fields = std::get<Request>(read).fields;
  REQUIRE(fields.size() == 4);
  CHECK(fields.all("ACCEPT") == std::vector<std::string_view>{"one", "two , three"});
  CHECK(fields.find("accept") == "one");
  CHECK(fields.begin()[1].first == "aCCept");
  CHECK(fields.contains("x"));
  CHECK(!fields.contains("y"));
  CHECK(fields.find("y") == "");
}

}  // namespace
}  // namespace archway::proxy
