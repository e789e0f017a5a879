#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What a client saw of an answer.
struct Answer {
  int status = 0;
  Headers headers = {};
  std::string body = {};
  bool complete = false;  ///< framed to its end: Content-Length reached, or the last chunk seen

  /// The first of that name, case ignored; "" when there is none.
  std::string header(std::string_view name) const;
};

/// One blocking HTTP/1.1 connection to loopback, small and literal: it reports what came, whole or
/// not. Every wait ends after ten seconds at the latest, as a failure.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  void send(std::string_view method, std::string_view target, const Headers& headers = {});
  void send_raw(std::string_view bytes);

  /// The status line and header block of the next answer.
  Answer read_head();
  /// Reads until at least `size` bytes of the body are there (or no more come); gives all of them
  /// so far. Only for answers with a Content-Length.
  std::string_view read_body(Answer& answer, std::size_t size);
  /// The rest of it.
  void read_rest(Answer& answer, bool head_only = false);

  /// Goes away as a killed client does: by RST.
  void abort();

 private:
  bool fill();  ///< one more read into input_; false when nothing more comes

  int fd_;
  std::string input_;
};

/// A whole exchange on a connection of its own.
Answer fetch(std::uint16_t port, std::string_view target, const Headers& headers = {},
             std::string_view method = "GET");

}  // namespace archway::test
