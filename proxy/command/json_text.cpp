#include "proxy/command/json_text.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace archway::proxy {

namespace json = boost::json;

namespace {

bool is_plain(const json::value& value) {
  return !value.is_object() && !value.is_array();
}

void write(const json::value& value, const std::string& indent, std::string& text);

void write_list(const json::array& list, const std::string& indent, std::string& text) {
  if (std::all_of(list.begin(), list.end(), is_plain)) {
    text += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      text += i == 0 ? "" : ", ";
      write(list[i], indent, text);
    }
    text += ']';
    return;
  }
  const std::string inner = indent + "  ";
  text += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + inner;
    write(list[i], inner, text);
  }
  text += "\n" + indent + "]";
}

void write(const json::value& value, const std::string& indent, std::string& text) {
  if (value.is_array()) {
    write_list(value.as_array(), indent, text);
  } else if (value.is_object() && !value.as_object().empty()) {
    const std::string inner = indent + "  ";
    const char* before = "{\n";
    for (const auto& member : value.as_object()) {
      text += before + inner + json::serialize(json::string(member.key())) + ": ";
      write(member.value(), inner, text);
      before = ",\n";
    }
    text += "\n" + indent + "}";
  } else {
    text += json::serialize(value);
  }
}

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

/// What a refusal says for people: registries' shape, else the bytes themselves.
std::string words_of(const AdminAnswer& answer) {
  json::error_code error;
  const auto value = json::parse(answer.body, error);
  if (!error && value.is_object()) {
    const auto& errors = list_in(value.as_object(), "errors");
    if (!errors.empty() && errors.front().is_object()) {
      return text_in(errors.front().as_object(), "message");
    }
    if (auto message = text_in(value.as_object(), "error"); !message.empty()) return message;
    return text_in(value.as_object(), "message");
  }
  constexpr std::size_t words_max = 500;
  auto text = answer.body.substr(0, words_max);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Error nonsense(std::string message) {
  return {.code = Errc::upstream_failed, .origin = Origin::upstream, .message = std::move(message)};
}

Error no_answer_of_ours() {
  return nonsense("the gateway's answer is not what was asked for; is that archway's admin port?");
}

Result<json::value> read_admin_value(const AdminAnswer& answer) {
  if (answer.status != 200) {
    return nonsense("the gateway answers " + std::to_string(answer.status) + ": " +
                    words_of(answer));
  }
  json::error_code error;
  auto value = json::parse(answer.body, error);
  if (error) return no_answer_of_ours();
  return value;
}

}  // namespace

std::string pretty_json(const json::value& value) {
  std::string text;
  write(value, "", text);
  return text + "\n";
}

Result<json::object> read_admin_json(const AdminAnswer& answer) {
  auto value = read_admin_value(answer);
  if (!value) return value.error();
  if (!value->is_object()) return no_answer_of_ours();
  return std::move(value->as_object());
}

Result<json::array> read_admin_list(const AdminAnswer& answer) {
  auto value = read_admin_value(answer);
  if (!value) return value.error();
  if (!value->is_array()) return no_answer_of_ours();
  return std::move(value->as_array());
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(view(value->as_string()));
}

std::uint64_t number_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return 0;
  if (value->is_uint64()) return value->as_uint64();
  if (value->is_int64())
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value->as_int64(), 0));
  return 0;
}

bool flag_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

const json::object& object_in(const json::object& object, std::string_view name) {
  static const json::object none;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? value->as_object() : none;
}

const json::array& list_in(const json::object& object, std::string_view name) {
  static const json::array none;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_array() ? value->as_array() : none;
}

std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  for (const json::value& value : list_in(object, name)) {
    if (value.is_string()) texts.emplace_back(view(value.as_string()));
  }
  return texts;
}

}  // namespace archway::proxy
