#include "tests/support/second_reader.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace archway::test {

namespace http = boost::beast::http;

namespace {

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::string disagreement(std::string_view block, const proxy::Request& request) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(64 * 1024);
  boost::system::error_code error;
  const auto used = parser.put(boost::asio::buffer(block.data(), block.size()), error);
  // A method that is not read on may come with any body: its connection ends behind the answer.
  const bool framed =
      request.fields.contains("Content-Length") || request.fields.contains("Transfer-Encoding");
  if (request.method == proxy::Method::other && framed) return {};
  if (error) return "refused: " + error.message();
  if (used != block.size()) return "ends earlier";
  if (!parser.is_done()) return "expects a body";
  const auto& message = parser.get();
  const auto method = view(message.method_string());
  const auto known = method == "GET"      ? proxy::Method::get
                     : method == "HEAD"   ? proxy::Method::head
                     : method == "PUT"    ? proxy::Method::put
                     : method == "DELETE" ? proxy::Method::del
                                          : proxy::Method::other;
  if (known != request.method) return "method " + std::string(method);
  if (view(message.target()) != request.target) return "target " + std::string(message.target());
  if ((message.version() == 10) != request.http_1_0) return "version";
  // Beast keeps lines of one name together, so the order of different names may differ.
  const auto count = std::distance(message.begin(), message.end());
  if (static_cast<std::size_t>(count) != request.fields.size()) return "number of fields";
  for (const auto& [name, value] : request.fields) {
    const auto ours = request.fields.all(name);
    std::vector<std::string_view> theirs;
    for (const auto& field : message) {
      if (proxy::equal_without_case(view(field.name_string()), name)) {
        theirs.push_back(view(field.value()));
      }
    }
    if (ours != theirs) return "field " + name;
  }
  return {};
}

}  // namespace archway::test
