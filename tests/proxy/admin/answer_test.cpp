#include "proxy/admin/answer.hpp"

#include <boost/json/object.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

std::string text_of(const Response& response) {
  return *std::get<BytesBody>(response.body);
}

TEST_CASE("a document is one line of JSON that nobody may keep") {
  const auto response = json_answer(200, boost::json::value(boost::json::object{{"a", 1}}));
  CHECK(response.status == 200);
  CHECK(text_of(response) == "{\"a\":1}\n");
  CHECK(response.fields.find("Content-Type") == "application/json");
  CHECK(response.fields.find("Cache-Control") == "no-store");
  CHECK(text_of(json_answer(200, std::string("[]\n"))) == "[]\n");
}

TEST_CASE("an error is a sentence with the status that it means, and never its context") {
  const Error denied{.code = Errc::denied, .message = "say \"no\"", .context = "10.0.0.1 said"};
  const auto response = error_answer(denied);
  CHECK(response.status == 403);
  CHECK(text_of(response) == "{\"error\":\"say \\\"no\\\"\"}\n");
  CHECK(error_answer({.code = Errc::request_invalid, .message = "x"}).status == 400);
  CHECK(error_answer({.code = Errc::storage_failed, .message = "x"}).status == 500);
}

}  // namespace
}  // namespace archway::proxy
