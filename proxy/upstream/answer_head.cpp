#include "proxy/upstream/answer_head.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <exception>
#include <limits>
#include <utility>

namespace archway::proxy {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::uint64_t content_length_max = std::numeric_limits<std::int64_t>::max();

bool token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool text_char(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
}

bool all(std::string_view text, bool (*good)(char)) {
  return std::all_of(text.begin(), text.end(), good);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Fields that decide something here: two different values would be read differently by two
/// readers.
constexpr std::array<std::string_view, 5> said_once = {"Location", "Content-Type", "Content-Range",
                                                       "Content-Encoding", "Docker-Content-Digest"};

std::optional<std::string> read_status_line(std::string_view line, AnswerHead& head,
                                            bool& http_1_0) {
  http_1_0 = line.starts_with("HTTP/1.0 ");
  if (!http_1_0 && !line.starts_with("HTTP/1.1 ")) return "the status line is not one of HTTP/1.1";
  const auto rest = line.substr(9);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (rest.size() < 4 || !digit(rest[0]) || !digit(rest[1]) || !digit(rest[2]) || rest[3] != ' ') {
    return "the status is not three digits and a blank";
  }
  std::from_chars(rest.data(), rest.data() + 3, head.status);
  if (head.status < 100 || head.status > 599) return "the status is not between 100 and 599";
  if (!all(rest.substr(4), text_char)) return "the reason phrase has control bytes";
  return std::nullopt;
}

std::optional<std::string> read_field(std::string_view line, AnswerHead& head) {
  if (line.front() == ' ' || line.front() == '\t') return "a header line is folded";
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line has no colon";
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  if (name.empty() || !all(name, token_char)) return "a header name is not a token";
  if (!all(value, text_char)) return "a header value has control bytes";
  if (head.fields.size() >= answer_lines_max) return "there are too many header lines";
  head.fields.add(name, value);
  return std::nullopt;
}

std::optional<std::string> read_length(AnswerHead& head) {
  const auto lengths = head.fields.all("Content-Length");
  if (lengths.empty()) return std::nullopt;
  if (lengths.size() > 1) return "Content-Length is said more than once";
  const auto text = lengths.front();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      value > content_length_max) {
    return "Content-Length is not a number of bytes";
  }
  head.content_length = value;
  return std::nullopt;
}

std::optional<std::string> read_framing(AnswerHead& head, bool http_1_0, bool to_head) {
  if (auto wrong = read_length(head)) return wrong;
  const auto codings = head.fields.all("Transfer-Encoding");
  if (!codings.empty()) {
    if (head.content_length) return "Content-Length and Transfer-Encoding are both there";
    if (http_1_0) return "Transfer-Encoding is there in HTTP/1.0";
    if (codings.size() > 1 || !equal_without_case(codings.front(), "chunked")) {
      return "Transfer-Encoding is not exactly `chunked`";
    }
  }
  const bool no_body = to_head || head.interim() || head.status == 204 || head.status == 304;
  if (no_body) {
    head.framing = Framing::none;
  } else if (!codings.empty()) {
    head.framing = Framing::chunked;
  } else {
    head.framing = head.content_length ? Framing::length : Framing::until_close;
  }
  return std::nullopt;
}

bool says(std::string_view line, std::string_view option) {
  for (;;) {
    const auto comma = line.find(',');
    if (equal_without_case(trim(line.substr(0, comma)), option)) return true;
    if (comma == std::string_view::npos) return false;
    line.remove_prefix(comma + 1);
  }
}

/// Some servers still write Proxy-Connection, and Beast reads it as Connection.
bool says(const Fields& fields, std::string_view option) {
  for (const auto* const name : {"Connection", "Proxy-Connection"}) {
    for (const auto line : fields.all(name)) {
      if (says(line, option)) return true;
    }
  }
  return false;
}

std::optional<std::string> read_lines(std::string_view block, AnswerHead& head, bool& http_1_0) {
  bool first = true;
  for (;;) {
    const auto end = block.find("\r\n");
    if (end == std::string_view::npos) return "a line does not end with CRLF";
    const auto line = block.substr(0, end);
    block.remove_prefix(end + 2);
    if (line.find_first_of("\r\n") != std::string_view::npos) return "a line has a bare CR or LF";
    if (!first && line.empty()) break;
    auto wrong = first ? read_status_line(line, head, http_1_0) : read_field(line, head);
    if (wrong) return wrong;
    first = false;
  }
  if (!block.empty()) return "there are bytes behind the head";
  return std::nullopt;
}

/// A second reader, written by others. What it reads differently is not to be trusted.
bool beast_agrees(std::string_view block, const AnswerHead& head, bool to_head) {
  http::response_parser<http::empty_body> parser;
  parser.header_limit(answer_head_bytes_max + 1);
  parser.body_limit(boost::none);
  parser.skip(to_head);
  boost::beast::error_code error;
  std::size_t taken = 0;
  try {
    taken = parser.put(boost::asio::buffer(block.data(), block.size()), error);
  } catch (const std::exception&) {
    return false;
  }
  if (error || taken != block.size() || !parser.is_header_done()) return false;
  const auto& message = parser.get();
  if (message.result_int() != head.status || parser.keep_alive() != head.keep_alive) return false;
  if (head.framing == Framing::none) return true;
  if (parser.chunked() != (head.framing == Framing::chunked)) return false;
  const auto length = parser.content_length();
  return length.has_value() == head.content_length.has_value() &&
         (!length || *length == *head.content_length);
}

}  // namespace

Error nonsense(std::string why) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = "the upstream gave an answer that makes no sense",
          .context = std::move(why),
          .retryable = true};
}

std::size_t answer_head_end(std::string_view bytes) {
  const auto at = bytes.find(head_end);
  return at == std::string_view::npos ? at : at + head_end.size();
}

Result<AnswerHead> read_answer_head(std::string_view block, bool to_head) {
  if (block.size() > answer_head_bytes_max) return nonsense("the head is longer than 64 KiB");
  AnswerHead head;
  bool http_1_0 = false;
  if (auto wrong = read_lines(block, head, http_1_0)) return nonsense(*std::move(wrong));
  if (auto wrong = read_framing(head, http_1_0, to_head)) return nonsense(*std::move(wrong));
  for (const auto name : said_once) {
    const auto values = head.fields.all(name);
    if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end()) {
      return nonsense(std::string(name) + " is said twice, differently");
    }
  }
  head.keep_alive = http_1_0 ? says(head.fields, "keep-alive") : !says(head.fields, "close");
  if (head.framing == Framing::until_close) head.keep_alive = false;
  if (!beast_agrees(block, head, to_head)) return nonsense("two readers read the head differently");
  return head;
}

}  // namespace archway::proxy
