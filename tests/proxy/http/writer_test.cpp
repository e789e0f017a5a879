#include "proxy/http/writer.hpp"

#include "proxy/http/error_field.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/scripted_wire.hpp"
#include "tests/support/writing.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::growing;
using test::RawClient;
using test::Writing;

constexpr std::size_t mebibyte = 1024 * 1024;

std::string without_date(std::string head) {
  const auto at = head.find("Date: ");
  REQUIRE(at != std::string::npos);
  CHECK(head.substr(at).find(" GMT\r\n") == 31);
  return head.erase(at, 37);
}

TEST_CASE("a head has the status, the fields in order and the framing") {
  const auto fill = std::make_shared<test::DrivenFill>(std::nullopt);
  struct Row {
    const char* why;
    Response response;
    Framing framing;
    std::string head;
  };
  const std::vector<Row> rows{
      {"no body", Response{}, {}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"bytes",
       Response{.status = 404, .body = bytes_body("abc")},
       {},
       "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n"},
      {"HEAD says what GET says",
       Response{.body = bytes_body("abc")},
       {.head_only = true},
       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
      {"a part of a file",
       Response{.status = 206, .body = FileBody{.length = 1ULL << 40}},
       {},
       "HTTP/1.1 206 Partial Content\r\nContent-Length: 1099511627776\r\n\r\n"},
      {"a growing body of known size",
       growing(fill, 0, 7),
       {},
       "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"},
      {"a growing body of unknown size",
       growing(fill),
       {},
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"the same for HTTP/1.0",
       growing(fill),
       {.keep_alive = false, .http_1_0 = true},
       "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n"},
      {"the end of the connection",
       Response{.status = 503},
       {.keep_alive = false},
       "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
      {"HTTP/1.0 that stays",
       Response{},
       {.http_1_0 = true},
       "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
      {"304 says nothing of a length",
       Response{.status = 304},
       {},
       "HTTP/1.1 304 Not Modified\r\n\r\n"},
      {"a status without a name",
       Response{.status = 299},
       {},
       "HTTP/1.1 299 Status\r\nContent-Length: 0\r\n\r\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(without_date(head_text(row.response, row.framing)) == row.head);
  }
}

TEST_CASE("no value can split an answer") {
  struct Row {
    const char* why;
    std::string value;
    const char* left;
  };
  for (const auto& row : std::vector<Row>{
           {"CR LF", "a\r\nSet-Cookie: x", "aSet-Cookie: x"},
           {"LF", "a\nb", "ab"},
           {"NUL", std::string("a\0b", 3), "ab"},
           {"DEL and ESC", "a\x7f\x1b[0m", "a[0m"},
           {"bytes above ASCII stay", "\xc3\xa9", "\xc3\xa9"},
           {"blanks stay", "a b", "a b"},
       }) {
    CAPTURE(row.why);
    Response response;
    response.fields.add("X-One", row.value);
    response.fields.add("X-Two", "2");
    const auto head = head_text(response, {});
    CHECK(head.starts_with("HTTP/1.1 200 OK\r\nX-One: " + std::string(row.left) +
                           "\r\nX-Two: 2\r\nContent-Length: 0\r\n"));
  }
}

TEST_CASE("the status line says why, within bounds, and cannot be split either") {
  struct Row {
    const char* why;
    std::string said;
    std::string line;
  };
  for (const auto& row : std::vector<Row>{
           {"a sentence", "docker.io cannot be reached",
            "Bad Gateway: docker.io cannot be reached"},
           {"nothing", "", "Bad Gateway"},
           {"a line end", "a\r\nSet-Cookie: x", "Bad Gateway: aSet-Cookie: x"},
           {"very much", std::string(9'000, 'x'), "Bad Gateway: " + std::string(300, 'x')},
       }) {
    CAPTURE(row.why);
    Response response{.status = 502};
    response.fields.add(error_field, row.said);
    CHECK(head_text(response, {}).starts_with("HTTP/1.1 502 " + row.line + "\r\nArchway-Error: "));
  }
}

TEST_CASE("bytes leave whole, however small the sockets are") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, 65'000UL, 65'536UL, 3 * mebibyte + 1}) {
    CAPTURE(size);
    const auto body = test::noise(size);
    Writing writing(Response{.body = bytes_body(body)});
    const auto answer = writing.client.hear_answer();
    CHECK((answer.body == body));
    const auto sent = test::take(std::move(writing.sent));
    CHECK(sent.complete);
    CHECK(sent.body_bytes == size);
    CHECK(writing.client.hear_rest().bytes == "");
  }
}

TEST_CASE("HEAD leaves every kind of body out") {
  const auto fill = std::make_shared<test::DrivenFill>(5);
  for (int kind = 0; kind < 3; ++kind) {
    CAPTURE(kind);
    Response response;
    if (kind == 0) response.body = bytes_body("12345");
    if (kind == 1) response.body = FileBody{.length = 5};  // No file is needed to say its length.
    if (kind == 2) response = growing(fill, 0, 5);
    Writing writing(std::move(response), {.head_only = true});
    const auto rest = writing.client.hear_rest();
    CHECK(rest.bytes.find("Content-Length: 5\r\n") != std::string::npos);
    CHECK(rest.bytes.ends_with("\r\n\r\n"));
    const auto sent = test::take(std::move(writing.sent));
    CHECK(sent.complete);
    CHECK(sent.body_bytes == 0);
  }
}

TEST_CASE("a part of a file leaves as it is on disk, plain and over TLS") {
  const test::TempDir dir;
  const auto bytes = test::noise(3 * mebibyte);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  const test::TestCertificate certificate({});
  const auto context = TlsContext::server(certificate.certificate_file(), certificate.key_file());
  const auto trusting = TlsContext::client(certificate.certificate_file());
  REQUIRE(context);
  REQUIRE(trusting);
  struct Row {
    const char* why;
    std::uint64_t offset;
    std::uint64_t length;
  };
  for (const auto& row : std::vector<Row>{{"all", 0, bytes.size()},
                                          {"nothing", 7, 0},
                                          {"the first byte", 0, 1},
                                          {"the last byte", bytes.size() - 1, 1},
                                          {"the middle", mebibyte - 3, mebibyte + 5}}) {
    for (const bool tls : {false, true}) {
      CAPTURE(row.why);
      CAPTURE(tls);
      Writing writing(
          Response{.body = FileBody{.blob = blob, .offset = row.offset, .length = row.length}}, {},
          test::patience, tls ? *context : nullptr);
      if (tls) REQUIRE(writing.client.start_tls((*trusting)->native(), "localhost"));
      const auto answer = writing.client.hear_answer();
      CHECK((answer.body == bytes.substr(row.offset, row.length)));
      CHECK(answer.whole);
      const auto sent = test::take(std::move(writing.sent));
      CHECK(sent.complete);
      CHECK(sent.body_bytes == row.length);
    }
  }
}

TEST_CASE("a file that is shorter than promised breaks the transfer") {
  const test::TempDir dir;
  const cache::BlobFile blob{.file = test::file_of(dir, test::noise(1000)), .size = 1000};
  const test::TestCertificate certificate({});
  const auto context = TlsContext::server(certificate.certificate_file(), certificate.key_file());
  const auto trusting = TlsContext::client(certificate.certificate_file());
  REQUIRE(context);
  REQUIRE(trusting);
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    Writing writing(Response{.body = FileBody{.blob = blob, .offset = 500, .length = 501}}, {},
                    test::patience, tls ? *context : nullptr);
    if (tls) REQUIRE(writing.client.start_tls((*trusting)->native(), "localhost"));
    CHECK(writing.client.hear_head() != "");
    CHECK(writing.client.hear_rest().end == RawClient::End::reset);
    CHECK(!test::take(std::move(writing.sent)).complete);
  }
}

}  // namespace
}  // namespace archway::proxy
