#include "proxy/admin/query.hpp"

#include <algorithm>
#include <openssl/asn1.h>

namespace archway::proxy {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// True for UTF-8 (RFC 3629) without control characters: fit for a header line and for JSON.
bool is_printable(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  auto left = static_cast<int>(text.size());
  while (left > 0) {
    unsigned long character = 0;
    const int length = UTF8_getc(at, left, &character);
    if (length <= 0 || character < 0x20 || (character >= 0x7f && character < 0xa0)) return false;
    if (character > 0x10ffff) return false;
    at += length;
    left -= length;
  }
  return true;
}

Error not_allowed(std::string_view name, const std::vector<Parameter>& allowed) {
  std::string list;
  for (const auto& parameter : allowed) {
    list += (list.empty() ? "" : ", ") + std::string(parameter.name);
  }
  return {.code = Errc::request_invalid,
          .message = "there is no parameter " + shown(name) + " here; " +
                     (list.empty() ? "none is allowed" : "allowed: " + list)};
}

}  // namespace

Error bad_parameter(std::string_view name, std::string_view why) {
  return {.code = Errc::request_invalid,
          .message = "the parameter " + std::string(name) + ": " + std::string(why)};
}

std::string shown(std::string_view text) {
  constexpr std::size_t shown_max = 100;
  std::string result;
  for (const char c : text.substr(0, shown_max)) result += c >= 0x20 && c <= 0x7e ? c : '?';
  return "\"" + result + (text.size() > shown_max ? "…\"" : "\"");
}

std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_printable(result)) return std::nullopt;
  return result;
}

Result<Query> Query::parse(std::string_view target, const std::vector<Parameter>& allowed) {
  Query query;
  auto text = target.substr(std::min(target.find('?'), target.size()));
  if (!text.empty()) text.remove_prefix(1);
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    if (piece.empty()) continue;
    const auto name = piece.substr(0, piece.find('='));
    const auto parameter = std::find_if(allowed.begin(), allowed.end(),
                                        [&](const Parameter& one) { return one.name == name; });
    if (parameter == allowed.end()) return not_allowed(name, allowed);
    if (!parameter->repeats && query.find(name)) {
      return bad_parameter(name, "it stands there twice; once is allowed");
    }
    auto value = decoded(piece.substr(std::min(name.size() + 1, piece.size())));
    if (!value) {
      return bad_parameter(name,
                           "its value is not percent-encoded UTF-8 without control characters");
    }
    query.values_.emplace_back(name, *std::move(value));
  }
  return query;
}

std::optional<std::string> Query::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : values_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

Result<std::string> Query::need(std::string_view name, std::string_view example) const {
  auto value = find(name);
  if (value && !value->empty()) return *std::move(value);
  return bad_parameter(
      name, "it is missing; write it like " + std::string(name) + "=" + std::string(example));
}

Result<bool> Query::flag(std::string_view name) const {
  const auto value = find(name);
  if (!value || *value == "0") return false;
  if (value->empty() || *value == "1") return true;
  return bad_parameter(name, "found " + shown(*value) + "; allowed: 0 and 1");
}

}  // namespace archway::proxy
