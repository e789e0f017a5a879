// Any bytes as a token service's answer: what comes of them can be sent in a header and ends in
// time, and reads the same when it is written properly.

#include "proxy/upstream/token_answer.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>

using archway::fuzz::must;
namespace proxy = archway::proxy;

namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

void check(const std::string& json, const proxy::Token& token) {
  must(!token.value.empty() && token.value.size() <= proxy::token_bytes_max,
       "a token has a length that can be sent");
  must(archway::fuzz::printable(token.value) && token.value.find(' ') == std::string::npos,
       "a token is one word of a header");
  must(token.value.size() < json.size(), "a token stands in its answer");
  must(token.valid_for.count() > 0 && token.valid_for <= proxy::token_valid_max,
       "a token is good for a while, and not for ever");
  const auto again =
      proxy::read_token(R"({"access_token": ")" + escaped(token.value) + R"(", "expires_in": )" +
                        std::to_string(token.valid_for.count()) + "}");
  must(again && again->value == token.value && again->valid_for == token.valid_for,
       "a token reads back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string json(archway::fuzz::text_of(data, size));
  const auto token = proxy::read_token(json);
  if (token) {
    check(json, *token);
  } else {
    must(archway::fuzz::printable(token.error().message), "a message is for people");
    must(token.error().message.size() + token.error().context.size() < 1'000,
         "a message repeats no answer");
  }
  return 0;
}
