#include "proxy/http/envelope.hpp"

#include <algorithm>
#include <optional>

namespace archway::proxy {
namespace {

bool token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), token_char);
}

/// Visible ASCII and, in values, blanks: bytes that every reader reads alike.
bool value_char(char c) {
  return c == '\t' || (c >= ' ' && c != 0x7f) || static_cast<unsigned char>(c) >= 0x80;
}
bool target_char(char c) {
  return c > ' ' && c < 0x7f && c != '#' && c != '\\' && c != '"' && c != '<' && c != '>';
}
bool host_char(char c) {
  return token_char(c) ? std::string_view("!#$&'*+^`|~").find(c) == std::string_view::npos
                       : c == ':' || c == '[' || c == ']';
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

BadRequest bad(std::string why) {
  return {.status = 400, .why = std::move(why)};
}

/// Takes the next line off `rest`; none when it does not end with CRLF or holds a bare CR or LF.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r') return std::nullopt;
  const auto line = rest.substr(0, end - 1);
  if (line.find('\r') != std::string_view::npos) return std::nullopt;
  rest.remove_prefix(end + 1);
  return line;
}

Method method_of(std::string_view word) {
  if (word == "GET") return Method::get;
  if (word == "HEAD") return Method::head;
  if (word == "PUT") return Method::put;
  return word == "DELETE" ? Method::del : Method::other;
}

std::optional<BadRequest> read_request_line(std::string_view line, std::size_t target_max,
                                            Request& request) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return bad("The request line is not METHOD TARGET HTTP/1.1.");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!token(method)) return bad("The request's method is not a token.");
  if (target.size() > target_max) {
    return BadRequest{
        414, "The request's target is longer than " + std::to_string(target_max / 1024) + " KiB."};
  }
  if (target.empty() || target.front() != '/' ||
      !std::all_of(target.begin(), target.end(), target_char)) {
    return bad(
        "The request's target must be a path that starts with / and has visible ASCII only.");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.starts_with("HTTP/")) return BadRequest{505, "Only HTTP/1.1 is spoken here."};
    return bad("The request line does not end with HTTP/1.1.");
  }
  request.method = method_of(method);
  request.target = std::string(target);
  request.http_1_0 = version == "HTTP/1.0";
  return std::nullopt;
}

std::optional<BadRequest> read_field(std::string_view line, Request& request) {
  if (line.front() == ' ' || line.front() == '\t') return bad("A header line is folded.");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return bad("A header line has no colon.");
  const auto name = line.substr(0, colon);
  if (!token(name)) return bad("A header's name has characters that names cannot have.");
  const auto value = trim(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), value_char)) {
    return bad("The header " + std::string(name) + " has control characters.");
  }
  request.fields.add(name, value);
  return std::nullopt;
}

/// Tokens with commas between them; empty places are allowed (RFC 9110 section 5.6.1).
bool token_list(std::string_view list) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto item = trim(list.substr(0, comma));
    if (!item.empty() && !token(item)) return false;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return true;
}

/// True when a comma-separated list has this word, without case.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (equal_without_case(trim(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool has_body(const Fields& fields) {
  return fields.contains("Transfer-Encoding") ||
         (fields.contains("Content-Length") && fields.find("Content-Length") != "0");
}

/// The rules that look at all the fields together.
std::optional<BadRequest> check_fields(Request& request) {
  for (const auto* once :
       {"Host", "Content-Length", "Transfer-Encoding", "Range", "If-Range", "Authorization"}) {
    if (request.fields.all(once).size() > 1) {
      return bad("The header " + std::string(once) + " is there twice.");
    }
  }
  // Other methods are refused, body and all, and their connection ends: what follows is not read.
  // PUT and DELETE with a body are such, too: they are not meant for whoever takes them without.
  const bool body = has_body(request.fields);
  const bool reads = request.method == Method::get || request.method == Method::head;
  if (body && reads) return bad("A request here has no body: GET and HEAD are all that is read.");
  if (body) request.method = Method::other;
  const bool read_on = request.method != Method::other;
  const auto host = request.fields.find("Host");
  if (!request.http_1_0 && !request.fields.contains("Host"))
    return bad("The header Host is missing.");
  if (!std::all_of(host.begin(), host.end(), host_char))
    return bad("The header Host is not a host name.");
  for (const auto* list : {"Connection", "Proxy-Connection"}) {
    for (const auto line : request.fields.all(list)) {
      if (!token_list(line)) return bad("The header " + std::string(list) + " is not a list.");
    }
  }
  request.keep_alive = !request.http_1_0;
  for (const auto line : request.fields.all("Connection")) {
    if (lists(line, "close")) {
      request.keep_alive = false;
      break;
    }
    if (request.http_1_0 && lists(line, "keep-alive")) request.keep_alive = true;
  }
  if (!read_on) request.keep_alive = false;
  return std::nullopt;
}

}  // namespace

std::size_t header_block_end(std::string_view bytes) {
  for (auto end = bytes.find('\n'); end != std::string_view::npos;
       end = bytes.find('\n', end + 1)) {
    const bool bare = end == 0 || bytes[end - 1] != '\r';
    const bool empty = end == 1 || (end > 2 && bytes[end - 2] == '\n');
    if (bare || empty) return end + 1;
  }
  return std::string_view::npos;
}

std::variant<Request, BadRequest> read_envelope(std::string_view block, std::size_t target_max) {
  Request request;
  auto rest = block;
  const auto first = next_line(rest);
  if (!first) return bad("The request line does not end with CR LF.");
  if (auto wrong = read_request_line(*first, target_max, request)) return *std::move(wrong);
  for (;;) {
    const auto line = next_line(rest);
    if (!line) return bad("A header line does not end with CR LF, or has one inside.");
    if (line->empty()) break;
    if (request.fields.size() == header_lines_max)
      return BadRequest{431, "More than 100 header lines."};
    if (auto wrong = read_field(*line, request)) return *std::move(wrong);
  }
  if (!rest.empty()) return bad("Bytes follow the empty line.");
  if (auto wrong = check_fields(request)) return *std::move(wrong);
  return request;
}

}  // namespace archway::proxy
