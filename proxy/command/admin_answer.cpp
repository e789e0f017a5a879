#include "proxy/command/admin_answer.hpp"

#include "proxy/http/message.hpp"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace archway::proxy {
namespace {

constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr std::string_view line_end = "\r\n";

using Answer = std::optional<AdminAnswer>;

Error nonsense(const std::string& what) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = "its answer makes no sense: " + what};
}

template <class T>
std::optional<T> number(std::string_view text, int base = 10) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<unsigned> status_in(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return std::nullopt;
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  const auto status = number<unsigned>(line.substr(9, 3));
  if (!status || *status < 200 || *status > 599) return std::nullopt;
  return status;
}

/// The value of a field, none when there is no such one.
std::optional<std::string_view> field_in(std::string_view head, std::string_view name) {
  for (auto at = head.find(line_end); at != std::string_view::npos;) {
    const auto next = head.find(line_end, at + 2);
    const auto line = head.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equal_without_case(line.substr(0, colon), name)) {
      auto value = line.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      while (value.ends_with(' ')) value.remove_suffix(1);
      return value;
    }
    at = next;
  }
  return std::nullopt;
}

/// The chunks' bytes; none when the last one is not there yet.
Result<std::optional<std::string>> chunks_in(std::string_view rest) {
  std::string body;
  for (;;) {
    const auto end = rest.find(line_end);
    if (end == std::string_view::npos) return std::optional<std::string>();
    const auto line = rest.substr(0, end);
    const auto size = number<std::uint64_t>(line.substr(0, line.find(';')), 16);
    if (!size) return nonsense("a chunk without its size");
    if (*size > admin_answer_bytes_max - body.size()) return nonsense("it is too large");
    if (*size == 0) return std::optional<std::string>(std::move(body));
    rest.remove_prefix(end + line_end.size());
    const auto whole = static_cast<std::size_t>(*size);
    if (rest.size() < whole + line_end.size()) return std::optional<std::string>();
    if (!rest.substr(whole).starts_with(line_end)) return nonsense("a chunk without its end");
    body += rest.substr(0, whole);
    rest.remove_prefix(whole + line_end.size());
  }
}

Result<Answer> with_body(unsigned status, std::string_view head, std::string_view rest,
                         bool ended) {
  if (const auto coding = field_in(head, "Transfer-Encoding")) {
    if (!equal_without_case(*coding, "chunked")) return nonsense("an unknown transfer coding");
    auto body = chunks_in(rest);
    if (!body) return body.error();
    if (!*body) return Answer();
    return Answer({.status = status, .body = **std::move(body)});
  }
  if (const auto length = field_in(head, "Content-Length")) {
    const auto size = number<std::uint64_t>(*length);
    if (!size) return nonsense("a length that is no number");
    if (*size > admin_answer_bytes_max) return nonsense("it is too large");
    if (rest.size() < *size) return Answer();
    return Answer(
        {.status = status, .body = std::string(rest.substr(0, static_cast<std::size_t>(*size)))});
  }
  if (rest.size() > admin_answer_bytes_max) return nonsense("it is too large");
  if (!ended) return Answer();
  return Answer({.status = status, .body = std::string(rest)});
}

}  // namespace

Result<Answer> read_admin_answer(std::string_view bytes, bool ended) {
  const auto cut_short = [&]() -> Result<Answer> {
    if (ended) return nonsense("it is cut short");
    return Answer();
  };
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() > head_bytes_max) return nonsense("a head without an end");
    return cut_short();
  }
  const auto head = bytes.substr(0, end);
  const auto status = status_in(head.substr(0, head.find(line_end)));
  if (!status) return nonsense("it is not HTTP");
  auto answer = with_body(*status, head, bytes.substr(end + 4), ended);
  if (!answer) return answer;
  if (!*answer) return cut_short();
  (*answer)->date = field_in(head, "Date").value_or("");
  return answer;
}

}  // namespace archway::proxy
