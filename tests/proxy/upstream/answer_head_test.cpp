#include "proxy/upstream/answer_head.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

Result<AnswerHead> read(const std::string& lines, bool to_head = false) {
  return read_answer_head(lines + "\r\n", to_head);
}

TEST_CASE("a plain head is read") {
  const auto head = read(
      "HTTP/1.1 200 OK\r\nContent-Type:  application/json \r\ncontent-length: 12\r\nX-Empty:\r\n"
      "Link: a\r\nLink: b\r\n");
  REQUIRE(head);
  CHECK(head->status == 200);
  CHECK(head->framing == Framing::length);
  CHECK(head->content_length == 12);
  CHECK(head->keep_alive);
  CHECK(head->fields.find("content-type") == "application/json");
  CHECK(head->fields.contains("X-Empty"));
  CHECK(head->fields.all("Link").size() == 2);
}

TEST_CASE("the framing of a body follows from the head") {
  struct Row {
    const char* why;
    const char* lines;
    bool to_head;
    Framing framing;
    bool keep_alive;
  };
  const Row rows[] = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", false, Framing::length, true},
      {"no bytes", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", false, Framing::length, true},
      {"close", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n", false,
       Framing::length, false},
      {"close among others", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, Close\r\n",
       false, Framing::length, false},
      {"close by the name for proxies",
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nProxy-Connection: close\r\n", false,
       Framing::length, false},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", false, Framing::chunked,
       true},
      {"chunked in capitals", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n", false,
       Framing::chunked, true},
      {"neither", "HTTP/1.1 200 OK\r\n", false, Framing::until_close, false},
      {"1.0 neither", "HTTP/1.0 200 OK\r\n", false, Framing::until_close, false},
      {"1.0 length", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", false, Framing::length, false},
      {"1.0 keep-alive", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n",
       false, Framing::length, true},
      {"1.0 keep-alive by the name for proxies",
       "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nProxy-Connection: keep-alive\r\n", false,
       Framing::length, true},
      {"head with length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", true, Framing::none, true},
      {"head with chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", true,
       Framing::none, true},
      {"head with nothing", "HTTP/1.1 200 OK\r\n", true, Framing::none, true},
      {"204", "HTTP/1.1 204 None\r\n", false, Framing::none, true},
      {"304", "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n", false, Framing::none, true},
      {"interim", "HTTP/1.1 103 Early\r\nLink: a\r\n", false, Framing::none, true},
      {"no reason", "HTTP/1.1 200 \r\nContent-Length: 5\r\n", false, Framing::length, true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto head = read(row.lines, row.to_head);
    REQUIRE_MESSAGE(head, head.error().context);
    CHECK(head->framing == row.framing);
    CHECK(head->keep_alive == row.keep_alive);
  }
}

TEST_CASE("a head that two readers could read differently is refused") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string huge(answer_head_bytes_max, 'x');
  std::string many;
  for (std::size_t i = 0; i <= answer_lines_max; ++i) many += "X-A: b\r\n";
  struct Row {
    const char* why;
    std::string lines;
  };
  const Row rows[] = {
      {"no status line", "Content-Length: 5\r\n"},
      {"empty status line", "\r\nContent-Length: 5\r\n"},
      {"HTTP/2", "HTTP/2 200 OK\r\n"},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n"},
      {"lower case", "http/1.1 200 OK\r\n"},
      {"two blanks", "HTTP/1.1  200 OK\r\n"},
      {"a tab", "HTTP/1.1\t200 OK\r\n"},
      {"two digits", "HTTP/1.1 20 OK\r\n"},
      {"four digits", "HTTP/1.1 2000 OK\r\n"},
      {"no digits", "HTTP/1.1 abc OK\r\n"},
      {"a sign", "HTTP/1.1 +20 OK\r\n"},
      {"status 000", "HTTP/1.1 000 OK\r\n"},
      {"status 099", "HTTP/1.1 099 OK\r\n"},
      {"status 600", "HTTP/1.1 600 OK\r\n"},
      {"status 999", "HTTP/1.1 999 OK\r\n"},
      {"nothing behind the status", "HTTP/1.1 200\r\n"},
      {"control byte in the reason", "HTTP/1.1 200 O\x01K\r\n"},
      {"folded", ok + "X-A: b\r\n c\r\n"},
      {"folded with a tab", ok + "X-A: b\r\n\tc\r\n"},
      {"first line folded", ok + " X-A: b\r\n"},
      {"blank before the colon", ok + "Content-Length : 5\r\n"},
      {"no colon", ok + "X-A\r\n"},
      {"no name", ok + ": b\r\n"},
      {"name with a blank", ok + "X A: b\r\n"},
      {"name with a control byte", ok + "X\x01: b\r\n"},
      {"name with a high byte", ok + "X\xe4: b\r\n"},
      {"bare LF", ok + "X-A: b\nX-C: d\r\n"},
      {"bare CR", ok + "X-A: b\rX-C: d\r\n"},
      {"bare LF behind the status", "HTTP/1.1 200 OK\nX-A: b\r\n"},
      {"zero byte in a value", ok + std::string("X-A: b\0c\r\n", 10)},
      {"delete in a value", ok + "X-A: \x7f\r\n"},
      {"escape in a value", ok + "X-A: \x1b[1m\r\n"},
      {"length twice", ok + "Content-Length: 5\r\nContent-Length: 5\r\n"},
      {"two lengths", ok + "Content-Length: 5\r\nContent-Length: 6\r\n"},
      {"length list", ok + "Content-Length: 5, 5\r\n"},
      {"empty length", ok + "Content-Length:\r\n"},
      {"negative length", ok + "Content-Length: -1\r\n"},
      {"signed length", ok + "Content-Length: +5\r\n"},
      {"hexadecimal length", ok + "Content-Length: 0x5\r\n"},
      {"length with rest", ok + "Content-Length: 5 bytes\r\n"},
      {"length of 2^63", ok + "Content-Length: 9223372036854775808\r\n"},
      {"length of 2^64", ok + "Content-Length: 18446744073709551616\r\n"},
      {"length and coding", ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
      {"coding and length", ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"},
      {"unknown coding", ok + "Transfer-Encoding: xchunked\r\n"},
      {"gzip", ok + "Transfer-Encoding: gzip\r\n"},
      {"identity", ok + "Transfer-Encoding: identity\r\n"},
      {"gzip, chunked", ok + "Transfer-Encoding: gzip, chunked\r\n"},
      {"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
      {"chunked, chunked", ok + "Transfer-Encoding: chunked, chunked\r\n"},
      {"vertical tab", ok + "Transfer-Encoding: \x0b"
                            "chunked\r\n"},
      {"empty coding", ok + "Transfer-Encoding:\r\n"},
      {"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"},
      {"two locations", ok + "Location: /a\r\nLocation: /b\r\n"},
      {"two types", ok + "Content-Type: a/b\r\nContent-Type: a/c\r\n"},
      {"two digests", ok + "Docker-Content-Digest: a\r\nDocker-Content-Digest: b\r\n"},
      {"too many lines", ok + many},
      {"too long", ok + "X-A: " + huge + "\r\n"},
      {"bytes behind", ok + "\r\nX-A: b\r\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto head = read(row.lines);
    REQUIRE_FALSE(head);
    CHECK(head.error().code == Errc::upstream_failed);
    CHECK(head.error().origin == Origin::upstream);
    CHECK_FALSE(head.error().context.empty());
  }
}

TEST_CASE("what repeats without changing is no contradiction") {
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n"));
}

TEST_CASE("the end of a head is behind its empty line") {
  CHECK(answer_head_end("HTTP/1.1 200 OK\r\n") == std::string_view::npos);
  CHECK(answer_head_end("HTTP/1.1 200 OK\r\n\r") == std::string_view::npos);
  CHECK(answer_head_end("HTTP/1.1 200 OK\n\n") == std::string_view::npos);
  CHECK(answer_head_end("HTTP/1.1 200 OK\r\n\r\nbody") == 19);
}

}  // namespace
}  // namespace archway::proxy
