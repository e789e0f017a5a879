#include "tests/support/malformed_requests.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

namespace archway::test {
namespace {

const std::string wanted = "/v2/library/hi/manifests/1";

/// What a body hides from whoever does not see it as one.
const std::string hidden = "GET " + wanted + " HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

std::size_t MalformedRequests::below(std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
}

std::string MalformedRequests::one_of(std::initializer_list<const char*> words) {
  return words.begin()[below(words.size())];
}

std::string MalformedRequests::path() {
  const std::string digest = "sha256:" + std::string(64, "0123456789abcdef"[below(16)]);
  switch (below(4)) {
    case 0: return "/v2/library/hi/blobs/" + digest;
    case 1: return "/v2/library/hi/manifests/" + digest;
    case 2: return "/v2/library/hi/tags/list";
    default: return wanted;
  }
}

std::string MalformedRequests::lines() {
  std::string lines = "Host: archway\r\n";
  if (below(2) == 0) lines += "Accept: application/vnd.oci.image.index.v1+json\r\n";
  if (below(2) == 0) lines += "User-Agent: docker/20.10.24 os/linux arch/arm64\r\n";
  if (below(4) == 0) lines += "Authorization: Bearer " + std::string(below(2000), 'x') + "\r\n";
  return lines;
}

std::string MalformedRequests::head(const std::string& target, const std::string& more) {
  return one_of({"GET", "HEAD"}) + " " + target + " HTTP/1.1\r\n" + lines() + more + "\r\n";
}

MalformedRequests::One MalformedRequests::truncated() {
  const auto whole = head(path());
  return {"truncated", whole.substr(0, 1 + below(whole.size() - 1)), false};
}

MalformedRequests::One MalformedRequests::too_long() {
  switch (below(4)) {
    case 0: return {"a long target", head(path() + "?" + std::string(4096 + below(4096), 'a'))};
    case 1:
      return {"a long name", head("/v2/" + std::string(300 + below(3000), 'a') + "/manifests/1"),
              true, false};
    case 2:
      return {"a long line", head(path(), "X: " + std::string(33'000 + below(8000), 'y') + "\r\n")};
    default: break;
  }
  std::string more;
  for (std::size_t i = 100 + below(100); i > 0; --i) more += "X: y\r\n";
  return {"many lines", head(path(), more)};
}

MalformedRequests::One MalformedRequests::smuggling() {
  const auto length = "Content-Length: " + std::to_string(hidden.size()) + "\r\n";
  const auto coding = "Transfer-Encoding: " +
                      one_of({"chunked", "xchunked", "identity", "chunked, identity", "\tchunked",
                              "\x0b"
                              "chunked",
                              "CHUNKED", "chunked;a=b", "gzip, chunked", ""}) +
                      "\r\n";
  std::array<std::string, 9> ways{
      length,
      coding,
      length + coding,
      coding + length,
      length + "Content-Length: 0\r\n",
      "Content-Length : 0\r\n" + length,
      "Transfer-Encoding:\r\n chunked\r\n",
      "X: a\r\n\t" + coding,
      "Content-Length: " +
          one_of({"+5", "-1", "0x5", "5, 5", "00", "5 5", "18446744073709551621"}) + "\r\n",
  };
  return {"smuggling", head(path(), ways[below(ways.size())]) + hidden};
}

MalformedRequests::One MalformedRequests::line_ends() {
  auto whole = head(path());
  std::vector<std::size_t> ends;
  for (auto at = whole.find("\r\n"); at != std::string::npos; at = whole.find("\r\n", at + 2)) {
    ends.push_back(at);
  }
  // Not the last two: without them the head is not over.
  const auto at = ends[below(ends.size() - 2)];
  whole.replace(at, 2, one_of({"\n", "\r", "\r\r\n", "\n\r", "\x0b\r\n", "\r\n \r\n"}));
  return {"line ends", whole};
}

MalformedRequests::One MalformedRequests::foreign_byte() {
  std::string byte(1, static_cast<char>(below(256)));
  const bool in_target = below(2) == 0;
  const std::string plain = "\r\n\t ";
  // Bytes that are allowed where they would land are not foreign.
  if (in_target) {
    const auto where = path();
    if (static_cast<unsigned char>(byte[0]) > ' ' && static_cast<unsigned char>(byte[0]) < 0x7f) {
      byte = one_of({"\\", "\"", "<", ">", "#", "{", "|", "^", "`", "~"});
    }
    auto target = where;
    target.insert(4 + below(7), byte);
    const bool reads = byte.find_first_of("{|^`~") != std::string::npos;
    return {"a foreign byte in the target", head(target), true, !reads};
  }
  if (plain.find(byte) != std::string::npos || static_cast<unsigned char>(byte[0]) >= 0x20) {
    byte = one_of({"(", ")", "/", "@", "[", "]", "{", "}", ",", ";", "\"", "\x80", "\xff", "\x7f"});
    return {"a foreign byte in a name", head(path(), "X" + byte + "Y: z\r\n")};
  }
  return {"a control byte in a value", head(path(), "X: y" + byte + "z\r\n")};
}

MalformedRequests::One MalformedRequests::bad_escape() {
  const auto escape =
      one_of({"%", "%2", "%zz", "%00", "%2e%2e", "%2f", "%5c", "%25", "%u002e", "%c0%ae"});
  if (below(2) == 0) {
    auto target = path();
    target.insert(4 + below(target.size() - 4), escape);
    return {"an escape in the path", head(target), true, false};
  }
  const auto value = one_of({"%", "%2", "%zz", "%00", "%0d%0aHost:%20x", "%20", "%ff", "%7f"});
  return {"a bad escape in the query", head(path() + "?ns=" + value), true, false};
}

MalformedRequests::One MalformedRequests::wrong_name() {
  const auto name =
      one_of({"..", "library/..", "../library/hi", "library//hi", "/library/hi", "Library/hi",
              "library/hi.", "library/-hi", "library/hi/", "library/.hi", "library/__hi___a",
              "evil.example/hi", "127.0.0.1:80/hi", "[::1]/hi", "library/hi:1", "user@library/hi",
              "~root", "library/h\xc3\xad"});
  const bool foreign = name.find('\xc3') != std::string::npos;
  const auto object =
      one_of({"/manifests/1", "/tags/list", "/manifests/latest", "/referrers/sha256:0"});
  if (below(2) == 0) return {"a wrong name", head("/v2/" + name + object), true, foreign};
  const auto reference = one_of({"blobs/md5:d41d8cd98f00b204e9800998ecf8427e", "blobs/sha256:ABC",
                                 "blobs/sha256:", "blobs/../../../etc/passwd", "manifests/..",
                                 "manifests/-1", "manifests/a:b", "manifests/sha256:xyz",
                                 "blobs/uploads/", "blobs/sha512:00", "manifests/"});
  return {"a wrong reference", head("/v2/library/hi/" + reference), true,
          reference == "blobs/uploads/"};
}

MalformedRequests::One MalformedRequests::wrong_method() {
  const auto method = one_of({"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get",
                              "M-SEARCH", "GETT", "PROPFIND"});
  const auto length = "Content-Length: " + std::to_string(hidden.size()) + "\r\n";
  return {"a method", method + " " + path() + " HTTP/1.1\r\n" + lines() + length + "\r\n" + hidden};
}

MalformedRequests::One MalformedRequests::wrong_version() {
  const auto version = one_of({"HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/1.10", "http/1.1",
                               "HTTP/1.1 ", "HTTP/1,1", "HTTP/", "", "HTTPS/1.1", "HTTP/1.1x"});
  return {"a version", "GET " + path() + " " + version + "\r\n" + lines() + "\r\n"};
}

MalformedRequests::One MalformedRequests::noise() {
  std::string bytes;
  for (std::size_t i = 1 + below(2000); i > 0; --i) bytes += static_cast<char>(below(256));
  return {"noise", bytes + "\r\n\r\n"};
}

MalformedRequests::One MalformedRequests::next() {
  switch (below(10)) {
    case 0: return truncated();
    case 1: return too_long();
    case 2: return smuggling();
    case 3: return line_ends();
    case 4: return foreign_byte();
    case 5: return bad_escape();
    case 6: return wrong_name();
    case 7: return wrong_method();
    case 8: return wrong_version();
    default: return noise();
  }
}

}  // namespace archway::test
