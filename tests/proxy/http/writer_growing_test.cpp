// The writer's bodies that are still on their way from an upstream.

#include "proxy/http/writer.hpp"
#include "tests/support/scripted_wire.hpp"
#include "tests/support/writing.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace archway::proxy {
namespace {

using test::growing;
using test::RawClient;
using test::Writing;
using namespace std::chrono_literals;

constexpr std::size_t mebibyte = 1024 * 1024;

TEST_CASE("a growing body is followed as it comes") {
  const auto bytes = test::noise(2 * mebibyte);
  struct Row {
    const char* why;
    bool known;
    std::uint64_t offset;
    std::uint64_t length;
  };
  for (const auto& row : std::vector<Row>{{"all, of known size", true, 0, bytes.size()},
                                          {"all, of unknown size", false, 0, bytes.size()},
                                          {"the middle", true, mebibyte / 2, mebibyte},
                                          {"the last byte", true, bytes.size() - 1, 1}}) {
    CAPTURE(row.why);
    const auto fill = std::make_shared<test::DrivenFill>(bytes.size());
    Writing writing(growing(fill, row.offset,
                            row.known ? std::optional<std::uint64_t>(row.length) : std::nullopt));
    std::thread driver([&] {
      for (std::size_t at = 0; at < bytes.size(); at += 100'000) {
        fill->release(std::string_view(bytes).substr(at, 100'000));
      }
      fill->verify();
    });
    const auto answer = writing.client.hear_answer();
    driver.join();
    CHECK(answer.field("Transfer-Encoding") == (row.known ? "" : "chunked"));
    CHECK((answer.body == bytes.substr(row.offset, row.length)));
    CHECK(answer.whole);
    const auto sent = test::take(std::move(writing.sent));
    CHECK(sent.complete);
    CHECK(sent.body_bytes == row.length);
  }
}

TEST_CASE("headers and every released byte leave before the next arrives") {
  const auto fill = std::make_shared<test::DrivenFill>(std::nullopt);
  Writing writing(growing(fill));
  CHECK(writing.client.hear_head().starts_with("HTTP/1.1 200 OK\r\n"));
  fill->release("a");
  CHECK(writing.client.hear(6) == "1\r\na\r\n");
  fill->release("0123456789abcdef");
  CHECK(writing.client.hear(22) == "10\r\n0123456789abcdef\r\n");
  fill->verify();
  CHECK(writing.client.hear(5) == "0\r\n\r\n");
  CHECK(test::take(std::move(writing.sent)).complete);
}

TEST_CASE("a part that is all there does not wait for the rest of the fill") {
  const auto fill = std::make_shared<test::DrivenFill>(1000);
  fill->release(std::string(100, 'x'));
  Writing writing(growing(fill, 10, 90));
  CHECK(writing.client.hear_answer().body == std::string(90, 'x'));
  CHECK(test::take(std::move(writing.sent)).complete);
}

TEST_CASE("an empty fill is an empty body") {
  for (const bool known : {true, false}) {
    CAPTURE(known);
    const auto fill = std::make_shared<test::DrivenFill>(0);
    Writing writing(growing(fill, 0, known ? std::optional<std::uint64_t>(0) : std::nullopt));
    CHECK(writing.client.hear_head() != "");
    fill->verify();
    CHECK(writing.client.hear_rest().bytes == (known ? "" : "0\r\n\r\n"));
    CHECK(test::take(std::move(writing.sent)).complete);
  }
}

TEST_CASE("a fill that fails, or ends short, resets: no client takes it for the whole") {
  enum class How { fails, ends_short, is_dropped };
  struct Row {
    const char* why;
    How how;
    bool known;
    bool http_1_0;
  };
  for (const auto& row : std::vector<Row>{
           {"a known size", How::fails, true, false},
           {"chunks", How::fails, false, false},
           {"until close", How::fails, false, true},
           {"verified with less than was promised", How::ends_short, true, false},
           {"the server ends, a known size", How::is_dropped, true, false},
           {"the server ends, until close", How::is_dropped, false, true},
       }) {
    CAPTURE(row.why);
    const auto fill = std::make_shared<test::DrivenFill>(1000);
    auto writing = std::make_unique<Writing>(
        growing(fill, 0, row.known ? std::optional<std::uint64_t>(1000) : std::nullopt),
        Framing{.keep_alive = !row.http_1_0, .http_1_0 = row.http_1_0});
    CHECK(writing->client.hear_head() != "");
    fill->release(std::string(999, 'x'));
    RawClient client(std::move(writing->client));
    CHECK(client.hear(100) != "");
    if (row.how == How::fails) fill->fail();
    if (row.how == How::ends_short) fill->verify();
    if (row.how == How::is_dropped) {
      writing.reset();
    } else {
      CHECK(!test::take(std::move(writing->sent)).complete);
    }
    const auto rest = client.hear_rest();
    CHECK(rest.end == RawClient::End::reset);
    CHECK(!rest.bytes.ends_with("0\r\n\r\n"));
  }
}

TEST_CASE("a client that takes nothing is given up, whatever the body") {
  const test::TempDir dir;
  const auto bytes = test::noise(8 * mebibyte);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  for (int kind = 0; kind < 3; ++kind) {
    CAPTURE(kind);
    Response response;
    const auto fill = std::make_shared<test::DrivenFill>(bytes.size());
    if (kind == 0) response.body = bytes_body(bytes);
    if (kind == 1) response.body = FileBody{.blob = blob, .length = bytes.size()};
    if (kind == 2) {
      fill->release(bytes);
      response = growing(fill, 0, bytes.size());
    }
    Writing writing(std::move(response), {}, 1ms);
    CHECK(!test::take(std::move(writing.sent)).complete);
    CHECK(writing.client.hear_rest().end == RawClient::End::reset);
  }
}

TEST_CASE("a client that takes a few bytes now and then is given up, too, whatever the body") {
  const test::TestCertificate certificate({});
  const auto context = TlsContext::server(certificate.certificate_file(), certificate.key_file());
  REQUIRE(context);
  const auto trusting = TlsContext::client(certificate.certificate_file());
  REQUIRE(trusting);
  const test::TempDir dir;
  const auto bytes = test::noise(2 * mebibyte);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  const FileBody file{.blob = blob, .length = bytes.size()};
  const auto fill = std::make_shared<test::DrivenFill>(bytes.size());
  fill->release(bytes);
  struct Row {
    const char* why;
    std::function<Response()> answer;
    std::shared_ptr<const TlsContext> tls = {};
  };
  for (const auto& row : std::vector<Row>{
           {"bytes", [&] { return Response{.body = bytes_body(bytes)}; }},
           {"a file", [&] { return Response{.body = file}; }},
           {"a file, over TLS", [&] { return Response{.body = file}; }, *context},
           {"a fill", [&] { return test::growing(fill, 0, bytes.size()); }},
       }) {
    CAPTURE(row.why);
    Writing writing(row.answer(), {}, 300ms, row.tls);
    if (row.tls) REQUIRE(writing.client.start_tls((*trusting)->native(), "localhost"));
    // Twenty-five thousand bytes a second: less than 64 KiB in the time that there is.
    for (int i = 0; i < 1000 && writing.sent.wait_for(5ms) != std::future_status::ready; ++i) {
      writing.client.hear(128);
    }
    CHECK(writing.sent.wait_for(0s) == std::future_status::ready);
    CHECK(!test::take(std::move(writing.sent)).complete);
    CHECK(writing.client.hear_rest().end == RawClient::End::reset);
  }
}

TEST_CASE("a slow fill does not count as a slow client") {
  const auto fill = std::make_shared<test::DrivenFill>(2);
  Writing writing(growing(fill, 0, 2), {}, 1ms);
  CHECK(writing.client.hear_head() != "");
  // Longer than the stall bound and a tick of the deadlines: a wait that is bounded from above.
  CHECK(writing.sent.wait_for(600ms) == std::future_status::timeout);
  fill->release("ab");
  fill->verify();
  CHECK(writing.client.hear(2) == "ab");
}

}  // namespace
}  // namespace archway::proxy
