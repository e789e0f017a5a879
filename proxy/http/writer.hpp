#pragma once

#include "proxy/http/message.hpp"
#include "proxy/http/stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

namespace archway::proxy {

/// How the connection wants an answer framed.
struct Framing {
  bool head_only = false;  ///< HEAD: everything but the body
  bool keep_alive = true;
  bool http_1_0 = false;  ///< no chunked coding: a body of unknown length ends with the connection
};

/// The status line (with what error_field says) and header block of an answer, framing fields
/// included. Values with control characters lose them: nothing that came from outside can split an
/// answer.
std::string head_text(const Response& response, const Framing& framing);

/// Its two parts: what stays the same when the answer is given again, and what does not.
std::string head_start(const Response& response, const Framing& framing);
void append_head_end(std::string& head, const Framing& framing);

/// Writes a whole answer. A growing body is followed to its end; when its fill fails the connection
/// is reset, so that a client sees a broken transfer and never a whole lie. `stall` bounds every
/// wait for the client; the waits for a fill are bounded by the fill itself.
boost::asio::awaitable<Sent> write_response(Stream* stream, Response response, Framing framing,
                                            std::chrono::milliseconds stall);

}  // namespace archway::proxy
