#include "proxy/command/admin_answer.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("an answer is read however its end is told") {
  struct Row {
    const char* why;
    std::string bytes;
    bool ended;
    unsigned status;
    const char* body;
  };
  const Row rows[] = {
      {"by its length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, 200, "hi"},
      {"names in any case", "HTTP/1.1 200 OK\r\ncontent-LENGTH:2 \r\n\r\nhi", false, 200, "hi"},
      {"more than its length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", false, 200, "hi"},
      {"without a body", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false, 404, ""},
      {"by the end", "HTTP/1.1 503 Busy\r\nA: b\r\n\r\nhi", true, 503, "hi"},
      {"without a reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, 200, ""},
      {"by chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA;x=y\r\n0123456789\r\n"
       "0\r\n\r\n",
       false, 200, "hi0123456789"},
      {"the first field of a name counts",
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", false, 200, "h"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto answer = read_admin_answer(row.bytes, row.ended);
    REQUIRE(answer);
    REQUIRE(answer->has_value());
    CHECK((*answer)->status == row.status);
    CHECK((*answer)->body == row.body);
  }
}

TEST_CASE("an answer's date is kept") {
  const auto answer = read_admin_answer(
      "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n", false);
  REQUIRE(answer);
  REQUIRE(answer->has_value());
  CHECK((*answer)->date == "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_CASE("a beginning asks for more, and is an error when no more comes") {
  const std::string whole =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\nyou\r\n0\r\n\r\n";
  const std::string measured = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyou";
  // Of the chunked one the last five bytes say nothing new: the last chunk's line decides.
  for (const auto& bytes : {whole.substr(0, whole.size() - 4), measured}) {
    for (std::size_t length = 0; length + 1 < bytes.size(); ++length) {
      CAPTURE(bytes.substr(0, length));
      const auto more = read_admin_answer(bytes.substr(0, length), false);
      REQUIRE(more);
      CHECK_FALSE(more->has_value());
      const auto cut = read_admin_answer(bytes.substr(0, length), true);
      REQUIRE_FALSE(cut);
      CHECK(cut.error().code == Errc::upstream_failed);
      CHECK(cut.error().message == "its answer makes no sense: it is cut short");
    }
  }
}

TEST_CASE("what is no answer is refused") {
  struct Row {
    const char* why;
    std::string bytes;
    const char* want;
  };
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const Row rows[] = {
      {"another protocol", "SSH-2.0-OpenSSH\r\n\r\n", "it is not HTTP"},
      {"another version", "HTTP/2 200 OK\r\n\r\n", "it is not HTTP"},
      {"no number", "HTTP/1.1 2xx OK\r\n\r\n", "it is not HTTP"},
      {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", "it is not HTTP"},
      {"an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", "it is not HTTP"},
      {"a long head", std::string(70'000, 'a'), "a head without an end"},
      {"a length in words", head + "Content-Length: two\r\n\r\n", "a length that is no number"},
      {"a negative length", head + "Content-Length: -1\r\n\r\n", "a length that is no number"},
      {"too long", head + "Content-Length: 16777217\r\n\r\n", "it is too large"},
      {"another coding", head + "Transfer-Encoding: gzip\r\n\r\n", "an unknown transfer coding"},
      {"a chunk's size in words", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       "a chunk without its size"},
      {"a chunk too long", head + "Transfer-Encoding: chunked\r\n\r\n1000001\r\n",
       "it is too large"},
      {"a chunk longer than it says", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
       "a chunk without its end"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto answer = read_admin_answer(row.bytes, false);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().message == "its answer makes no sense: " + std::string(row.want));
  }
  const auto endless = head + "\r\n" + std::string(admin_answer_bytes_max + 1, 'a');
  CHECK_FALSE(read_admin_answer(endless, false));
}

}  // namespace
}  // namespace archway::proxy
