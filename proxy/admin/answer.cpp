#include "proxy/admin/answer.hpp"

#include "proxy/pull/refusal.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace archway::proxy {

Response text_answer(std::uint16_t status, std::string body, std::string_view type) {
  Response response{.status = status};
  response.fields.add("Content-Type", type);
  response.fields.add("Cache-Control", "no-store");
  response.body = bytes_body(std::move(body));
  return response;
}

Response json_answer(std::uint16_t status, const boost::json::value& document) {
  return json_answer(status, boost::json::serialize(document));
}

Response json_answer(std::uint16_t status, std::string document) {
  if (!document.ends_with('\n')) document += '\n';
  return text_answer(status, std::move(document), "application/json");
}

Response error_answer(std::uint16_t status, std::string sentence) {
  boost::json::object document;
  document["error"] = std::move(sentence);
  return json_answer(status, boost::json::value(std::move(document)));
}

Response error_answer(const Error& error) {
  return error_answer(status_of(error), error.message);
}

}  // namespace archway::proxy
