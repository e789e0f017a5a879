// The writer's bodies that do without the disk, or have to do without it from some byte on.

#include "proxy/http/byte_source.hpp"
#include "proxy/http/writer.hpp"
#include "tests/support/writing.hpp"

#include <algorithm>
#include <cstring>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::growing;
using test::RawClient;
using test::Writing;

constexpr std::size_t mebibyte = 1024 * 1024;

/// Gives what it has, then an end or an error.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text, bool fails = false)
      : text_(std::move(text)), fails_(fails) {}

  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
    const auto gives = std::min(size, text_.size() - at_);
    std::memcpy(buffer, text_.data() + at_, gives);
    at_ += gives;
    if (gives == 0 && fails_) {
      co_return Error{.code = Errc::upstream_failed, .message = "cut"};
    }
    co_return gives;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
  bool fails_;
};

Error disk_error(bool retryable = false) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = "full",
          .retryable = retryable};
}

TEST_CASE("a relay leaves as it comes, whatever the framing") {
  const auto bytes = test::noise(mebibyte);
  struct Row {
    const char* why;
    bool known;
    bool http_1_0;
  };
  for (const auto& row : std::vector<Row>{{"of known length", true, false},
                                          {"in chunks", false, false},
                                          {"until close", false, true}}) {
    CAPTURE(row.why);
    RelayBody body{.source = std::make_shared<TextSource>(bytes)};
    if (row.known) body.length = bytes.size();
    Writing writing(Response{.body = std::move(body)},
                    Framing{.keep_alive = !row.http_1_0, .http_1_0 = row.http_1_0});
    auto answer = writing.client.hear_answer();
    if (row.http_1_0) answer.body += writing.client.hear_rest().bytes;
    CHECK((answer.body == bytes));
    CHECK(answer.field("Transfer-Encoding") == (row.known || row.http_1_0 ? "" : "chunked"));
    const auto sent = test::take(std::move(writing.sent));
    CHECK(sent.complete);
    CHECK(sent.body_bytes == bytes.size());
  }
}

TEST_CASE("a relay that fails, or is not as long as was promised, resets") {
  struct Row {
    const char* why;
    std::size_t gives;
    bool fails;
    std::optional<std::uint64_t> length;
  };
  for (const auto& row : std::vector<Row>{{"it fails", 500, true, 1000},
                                          {"it fails at once", 0, true, 1000},
                                          {"it fails, in chunks", 500, true, {}},
                                          {"it is too short", 999, false, 1000},
                                          {"it is too long", 1001, false, 1000}}) {
    CAPTURE(row.why);
    RelayBody body{.source = std::make_shared<TextSource>(std::string(row.gives, 'x'), row.fails),
                   .length = row.length};
    Writing writing(Response{.body = std::move(body)});
    const auto heard = writing.client.hear_rest();
    CHECK(heard.end == RawClient::End::reset);
    CHECK(!heard.bytes.ends_with("0\r\n\r\n"));
    CHECK(!test::take(std::move(writing.sent)).complete);
  }
}

TEST_CASE("when the disk ends a fill, each client goes on from where it is") {
  const auto bytes = test::noise(mebibyte);
  struct Row {
    const char* why;
    bool known;
    std::uint64_t offset;
    std::uint64_t end;
    std::uint64_t released;
  };
  for (const auto& row : std::vector<Row>{
           {"nothing had come", true, 0, mebibyte, 0},
           {"in the middle", true, 0, mebibyte, 300'000},
           {"in the middle, of unknown size", false, 0, mebibyte, 300'000},
           {"a part, in its middle", true, 100'000, 900'000, 300'000},
           {"a part before its beginning", true, 500'000, 900'000, 300'000},
           {"the withheld end alone is missing", true, 0, mebibyte, mebibyte - 65536},
       }) {
    CAPTURE(row.why);
    const auto fill = std::make_shared<test::DrivenFill>(
        row.known ? std::optional<std::uint64_t>(mebibyte) : std::nullopt);
    fill->release(bytes.substr(0, row.released));
    std::uint64_t went_on_at = 0;
    GrowingBody body{.fill = fill, .offset = row.offset};
    if (row.known) body.length = row.end - row.offset;
    body.otherwise = [&](std::uint64_t at, const Error&) {
      went_on_at = at;
      return std::make_shared<TextSource>(bytes.substr(at, row.end - at));
    };
    Writing writing(Response{.body = std::move(body)});
    std::string head = writing.client.hear_head();
    fill->fail(disk_error());
    const auto rest = writing.client.hear_rest().bytes;
    const auto sent = test::take(std::move(writing.sent));
    CHECK(sent.complete);
    CHECK(sent.body_bytes == row.end - row.offset);
    CHECK(went_on_at == std::max(row.offset, row.released));
    if (row.known) CHECK((rest == bytes.substr(row.offset, row.end - row.offset)));
    if (!row.known) CHECK(rest.ends_with("\r\n0\r\n\r\n"));
  }
}

TEST_CASE("what was found damaged is not sent any further") {
  const auto fill = std::make_shared<test::DrivenFill>(1000);
  fill->fail(disk_error(true));
  fill->release(std::string(900, 'x'));
  GrowingBody body{.fill = fill, .length = 1000};
  body.otherwise = [](std::uint64_t at, const Error& why) {
    CHECK(at == 0);
    CHECK(why.retryable);
    return std::make_shared<TextSource>(std::string(1000, 'y'));
  };
  Writing writing(Response{.body = std::move(body)});
  CHECK(writing.client.hear_answer().body == std::string(1000, 'y'));
}

TEST_CASE("a fill that the disk ended and nobody goes on with resets") {
  struct Row {
    const char* why;
    bool there;
    Error error;
  };
  for (const auto& row : std::vector<Row>{
           {"nobody was named", false, disk_error()},
           {"nobody could", true, disk_error()},
           {"it was the upstream's fault",
            true,
            {.code = Errc::upstream_failed, .origin = Origin::upstream}},
       }) {
    CAPTURE(row.why);
    const auto fill = std::make_shared<test::DrivenFill>(1000);
    GrowingBody body{.fill = fill, .length = 1000};
    if (row.there) body.otherwise = [](auto, const auto&) { return nullptr; };
    Writing writing(Response{.body = std::move(body)});
    CHECK(writing.client.hear_head() != "");
    fill->fail(row.error);
    CHECK(writing.client.hear_rest().end == RawClient::End::reset);
    CHECK(!test::take(std::move(writing.sent)).complete);
  }
}

TEST_CASE("a file that breaks while it is sent is reported, and the answer is reset") {
  const test::TempDir dir;
  const auto file = test::file_of(dir, std::string(5000, 'x'));
  const cache::BlobFile blob{.file = file, .size = 8000};  // It was longer when it was opened.
  std::string reported;
  FileBody body{.blob = blob, .length = 8000};
  body.damaged = [&](const std::string& why) { reported = why; };
  Writing writing(Response{.body = std::move(body)});
  CHECK(writing.client.hear_rest().end == RawClient::End::reset);
  CHECK(!test::take(std::move(writing.sent)).complete);
  CHECK(reported == "it is shorter than it was");
}

TEST_CASE("a client that goes away is not the file's fault") {
  const test::TempDir dir;
  const auto bytes = test::noise(8 * mebibyte);
  const cache::BlobFile blob{.file = test::file_of(dir, bytes), .size = bytes.size()};
  bool reported = false;
  FileBody body{.blob = blob, .length = bytes.size()};
  body.damaged = [&](const std::string&) { reported = true; };
  Writing writing(Response{.body = std::move(body)}, {}, std::chrono::milliseconds(1));
  CHECK(!test::take(std::move(writing.sent)).complete);
  CHECK(!reported);
}

}  // namespace
}  // namespace archway::proxy
