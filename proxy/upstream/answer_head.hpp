#pragma once

#include "proxy/http/message.hpp"
#include "resolver/model/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace archway::proxy {

inline constexpr std::size_t answer_head_bytes_max = 64 * 1024;
inline constexpr std::size_t answer_lines_max = 200;
inline constexpr int interim_answers_max = 10;  ///< 1xx before the real one

/// How long a body is, and how one knows.
enum class Framing : std::uint8_t { none, length, chunked, until_close };

/// The head of an upstream's answer, copied out of the wire and never read again from there.
struct AnswerHead {
  unsigned status = 0;
  Fields fields = {};
  Framing framing = Framing::none;
  std::optional<std::uint64_t> content_length = {};  ///< as sent; of a HEAD the size there would be
  bool keep_alive = false;

  bool interim() const { return status < 200; }
};

/// Where a head ends (behind its empty line), or npos while it has not.
std::size_t answer_head_end(std::string_view bytes);

/// Reads a whole head, up to and with its empty line, by the strictest reading there is: CRLF only,
/// no folded lines, token names, no control bytes, at most one Content-Length, Transfer-Encoding
/// exactly `chunked`, alone and in HTTP/1.1 only. Beast's parser then has to come to the same
/// result. `to_head`: it answers a HEAD, so it has no body whatever it says.
///
/// Errors: Errc::upstream_failed; the context says what is wrong, never with the bytes themselves.
///
/// Source: RFC 9112 sections 4, 5 and 6; RFC 9110 section 15.2.
Result<AnswerHead> read_answer_head(std::string_view block, bool to_head);

/// An answer that makes no sense: Errc::upstream_failed, retryable; `why` is for the log.
Error nonsense(std::string why);

}  // namespace archway::proxy
