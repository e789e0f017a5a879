#include "proxy/upstream/token_answer.hpp"

#include "proxy/upstream/answer_head.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <utility>

namespace archway::proxy {
namespace {

Error bad_token(std::string why) {
  Error error = nonsense(std::move(why));
  error.message = "its answer makes no sense: it holds no token that can be sent";
  return error;
}

}  // namespace

Result<Token> read_token(const std::string& json) {
  boost::json::error_code error;
  const auto value = boost::json::parse(json, error);
  if (error || !value.is_object()) return bad_token("the token's answer is not a JSON object");
  const auto& object = value.get_object();
  const auto* token = object.if_contains("token");
  if (token == nullptr || !token->is_string() || token->get_string().empty()) {
    token = object.if_contains("access_token");
  }
  if (token == nullptr || !token->is_string()) return bad_token("the answer holds no token");
  const auto& text = token->get_string();
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || text.size() > token_bytes_max || !visible) {
    return bad_token("the token cannot be sent in a header");
  }
  auto valid_for = token_valid_default;
  if (const auto* seconds = object.if_contains("expires_in")) {
    boost::json::error_code not_a_number;
    const auto given = seconds->to_number<std::int64_t>(not_a_number);
    if (!not_a_number && given > 0) {
      valid_for = std::chrono::seconds(std::min<std::int64_t>(given, token_valid_max.count()));
    }
  }
  return Token{.value = std::string(text), .valid_for = valid_for};
}

}  // namespace archway::proxy
