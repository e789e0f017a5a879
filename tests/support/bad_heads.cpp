#include "tests/support/bad_heads.hpp"

#include "proxy/http/envelope.hpp"

namespace archway::test {
namespace {

using proxy::header_lines_max;
using proxy::target_bytes_max;

const std::string host = "Host: registry\r\n";

/// GET /v2/ with these further header lines.
std::string with(const std::string& lines) {
  return "GET /v2/ HTTP/1.1\r\n" + host + lines + "\r\n";
}

std::string asking(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\n" + host + "\r\n";
}

std::string repeated(const std::string& line, std::size_t times) {
  std::string lines;
  for (std::size_t i = 0; i < times; ++i) lines += line;
  return lines;
}

std::vector<BadHead> bad_request_lines() {
  return {
      {"nothing", "\r\n\r\n"},
      {"an empty line first", "\r\n" + with("")},
      {"HTTP/0.9", "GET /v2/\r\n\r\n"},
      {"the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n"},
      {"HTTP/2 in a request line", "GET /v2/ HTTP/2.0\r\n" + host + "\r\n", 505},
      {"HTTP/1.2", "GET /v2/ HTTP/1.2\r\n" + host + "\r\n", 505},
      {"HTTP/1.10", "GET /v2/ HTTP/1.10\r\n" + host + "\r\n", 505},
      {"HTTP/01.1", "GET /v2/ HTTP/01.1\r\n" + host + "\r\n", 505},
      {"a lower-case protocol", "GET /v2/ http/1.1\r\n" + host + "\r\n"},
      {"another protocol", "GET /v2/ ICY/1.1\r\n" + host + "\r\n"},
      {"a blank behind the version", "GET /v2/ HTTP/1.1 \r\n" + host + "\r\n"},
      {"a blank before the method", " GET /v2/ HTTP/1.1\r\n" + host + "\r\n"},
      {"two blanks before the target", "GET  /v2/ HTTP/1.1\r\n" + host + "\r\n"},
      {"two blanks behind the target", "GET /v2/  HTTP/1.1\r\n" + host + "\r\n"},
      {"tabs for blanks", "GET\t/v2/\tHTTP/1.1\r\n" + host + "\r\n"},
      {"a method that is no token", "G(T /v2/ HTTP/1.1\r\n" + host + "\r\n"},
      {"no method", " /v2/ HTTP/1.1\r\n" + host + "\r\n"},
      {"no target", "GET HTTP/1.1\r\n" + host + "\r\n"},
      {"a blank in the target", asking("/v2/a b")},
      {"a tab in the target", asking("/v2/a\tb")},
      {"absolute form", asking("http://registry/v2/")},
      {"authority form", "CONNECT registry:443 HTTP/1.1\r\n" + host + "\r\n"},
      {"asterisk form", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n"},
      {"a relative target", asking("v2/")},
      {"a fragment", asking("/v2/#x")},
      {"a backslash", asking("/v2/\\x")},
      {"a quote", asking("/v2/\"x")},
      {"angle brackets", asking("/v2/<x>")},
      {"a byte above ASCII in the target", asking("/v2/\x80")},
      {"DEL in the target", asking("/v2/\x7f")},
      {"NUL in the target", asking(std::string("/v2/\0", 5))},
      {"a target of one byte too many", asking("/" + std::string(target_bytes_max, 'a')), 414},
      {"a bare LF behind the request line", "GET /v2/ HTTP/1.1\n" + host + "\r\n"},
      {"a bare CR in the request line", "GET /v2/\r HTTP/1.1\r\n" + host + "\r\n"},
  };
}

std::vector<BadHead> bad_fields() {
  return {
      {"obs-fold", with("X: a\r\n b\r\n")},
      {"obs-fold with a tab", with("X: a\r\n\tb\r\n")},
      {"obs-fold in the first header", "GET /v2/ HTTP/1.1\r\n " + host + "\r\n"},
      {"obs-fold in Transfer-Encoding", with("Transfer-Encoding:\r\n chunked\r\n")},
      {"a blank before the colon", with("X : a\r\n")},
      {"a tab before the colon", with("X\t: a\r\n")},
      {"no colon", with("X\r\n")},
      {"no name", with(": a\r\n")},
      {"a name with a bracket", with("X[: a\r\n")},
      {"a name above ASCII", with("X\xe9: a\r\n")},
      {"NUL in a name", with(std::string("X\0: a\r\n", 7))},
      {"NUL in a value", with(std::string("X: \0\r\n", 6))},
      {"a vertical tab in a value", with("X: a\x0b\r\n")},
      {"ESC in a value", with("X: a\x1b[0m\r\n")},
      {"DEL in a value", with("X: a\x7f\r\n")},
      {"a bare LF behind a header", with("X: a\nY: b\r\n")},
      {"a bare CR in a value", with("X: a\rY: b\r\n")},
      {"a bare CR before the line's end", with("X: a\r\r\n")},
      {"one line too many", with(repeated("X: 1\r\n", header_lines_max)), 431},
      {"no Host in HTTP/1.1", "GET /v2/ HTTP/1.1\r\n\r\n"},
      {"two Hosts", with(host)},
      {"two Hosts, one in capitals", with("HOST: other\r\n")},
      {"a list in Host", "GET /v2/ HTTP/1.1\r\nHost: a, b\r\n\r\n"},
      {"a user in Host", "GET /v2/ HTTP/1.1\r\nHost: a@b\r\n\r\n"},
      {"a path in Host", "GET /v2/ HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"a blank in Host", "GET /v2/ HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {"two Ranges", with(repeated("Range: bytes=0-0\r\n", 2))},
      {"two If-Ranges", with(repeated("If-Range: \"a\"\r\n", 2))},
      {"two Authorizations", with(repeated("Authorization: Basic eDp5\r\n", 2))},
      {"Connection that is no list of tokens", with("Connection: close now\r\n")},
      {"Connection with a quote", with("Connection: \"close\"\r\n")},
  };
}

std::vector<BadHead> bodies() {
  std::vector<BadHead> rows{
      {"equal lengths twice", with(repeated("Content-Length: 0\r\n", 2))},
      {"a length and chunked", with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")},
      {"chunked and a length", with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n")},
      {"a coding and a length", with("Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n")},
      {"a coding behind a vertical tab", with("Transfer-Encoding:\x0b"
                                              "chunked\r\n")},
      {"two codings", with(repeated("Transfer-Encoding: chunked\r\n", 2))},
      {"a coding in HTTP/1.0", "GET /v2/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"PUT with two lengths",
       "PUT /v2/ HTTP/1.1\r\n" + host + repeated("Content-Length: 5\r\n", 2) + "\r\n"},
      {"POST with two lengths",
       "POST /v2/ HTTP/1.1\r\n" + host + repeated("Content-Length: 5\r\n", 2) + "\r\n"},
      {"HEAD with a body", "HEAD /v2/ HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n"},
  };
  for (const char* length : {"5", "00", "+0", "-0", "-1", "0x0", "0, 0", "0,", "",
                             "18446744073709551616", "0 0", "\"0\"", "zero"}) {
    rows.push_back({length, with("Content-Length: " + std::string(length) + "\r\n")});
  }
  for (const char* coding : {"chunked", "xchunked", "identity", "chunked, identity", "gzip", "",
                             "CHUNKED", ",chunked", "chunked;q=1"}) {
    rows.push_back({coding, with("Transfer-Encoding: " + std::string(coding) + "\r\n")});
  }
  return rows;
}

}  // namespace

std::vector<BadHead> bad_heads() {
  auto rows = bad_request_lines();
  for (const auto& more : {bad_fields(), bodies()})
    rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

}  // namespace archway::test
