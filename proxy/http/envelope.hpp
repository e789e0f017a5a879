#pragma once

#include "proxy/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace archway::proxy {

inline constexpr std::size_t header_block_bytes_max = 32 * 1024;  // registry tokens exceed 8 KiB
inline constexpr std::size_t header_lines_max = 100;
inline constexpr std::size_t target_bytes_max = 4 * 1024;

/// Why a request head is not read any further; the connection ends with the answer.
struct BadRequest {
  std::uint16_t status;  ///< 400, 414, 431, 505
  std::string why;       ///< a sentence for the client
};

/// Where the header block ends (behind its empty line), or npos while it has not. A line that ends
/// without CR ends the block too: read_envelope() refuses it, and nobody waits for the rest.
std::size_t header_block_end(std::string_view bytes);

/// Reads a whole header block, up to and with its empty line, by the strictest reading there is:
/// CRLF only, no folded lines, token names, no doubled Host, Range or framing fields, origin form
/// only, no body of any kind. Whatever two readers could read differently is refused, so nothing
/// can be smuggled past whoever stands in front or behind.
///
/// `peer` is left empty. A method that is not one of Method's, and PUT or DELETE with a body, are
/// read as Method::other, which never keeps its connection alive: what follows is not read.
/// `target_max`: bytes.
///
/// Source: RFC 9112 sections 2.2, 3, 5 and 6; RFC 9110 section 5.
std::variant<Request, BadRequest> read_envelope(std::string_view block,
                                                std::size_t target_max = target_bytes_max);

}  // namespace archway::proxy
