// Any bytes as a request's header block: the envelope must neither crash nor accept what Beast
// reads differently, and what it accepts keeps its promises.

#include "proxy/http/envelope.hpp"
#include "tests/support/second_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

namespace {

[[noreturn]] void broken(const std::string& why) {
  std::fprintf(stderr, "envelope: %s\n", why.c_str());
  std::abort();
}

bool control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

void check(std::string_view block, const archway::proxy::Request& request) {
  if (request.target.empty() || request.target.front() != '/') broken("not origin form");
  for (const char c : request.target) {
    if (c <= ' ' || c >= 0x7f) broken("a target with a blank or a byte that is not ASCII");
  }
  for (const auto& [name, value] : request.fields) {
    for (const char c : name + value) {
      if (control(c)) broken("a control character in " + name);
    }
  }
  if (request.method == archway::proxy::Method::other) {
    if (request.keep_alive) broken("a body could be read as the next request");
  } else if (request.fields.contains("Transfer-Encoding") ||
             (request.fields.contains("Content-Length") &&
              request.fields.find("Content-Length") != "0")) {
    broken("a body");
  }
  const auto difference = archway::test::disagreement(block, request);
  if (!difference.empty()) broken("Beast differs: " + difference);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto end = archway::proxy::header_block_end(bytes);
  if (end != std::string_view::npos) {
    if (end > bytes.size() || end == 0) broken("an end outside");
    bytes = bytes.substr(0, end);
  }
  const auto read = archway::proxy::read_envelope(bytes);
  if (const auto* request = std::get_if<archway::proxy::Request>(&read)) {
    if (end == std::string_view::npos) broken("a block without an end was accepted");
    check(bytes, *request);
  }
  return 0;
}
