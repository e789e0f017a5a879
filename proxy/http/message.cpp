#include "proxy/http/message.hpp"

#include "resolver/model/text.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

void Fields::add(std::string_view name, std::string_view value) {
  lines_.emplace_back(name, value);
}

std::string_view Fields::find(std::string_view name) const {
  for (const auto& [key, value] : lines_) {
    if (equal_without_case(key, name)) return value;
  }
  return {};
}

bool Fields::contains(std::string_view name) const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const auto& line) { return equal_without_case(line.first, name); });
}

std::vector<std::string_view> Fields::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : lines_) {
    if (equal_without_case(key, name)) values.push_back(value);
  }
  return values;
}

std::optional<std::uint64_t> Response::length() const {
  if (const auto* bytes = std::get_if<BytesBody>(&body)) return *bytes ? (*bytes)->size() : 0;
  if (const auto* file = std::get_if<FileBody>(&body)) return file->length;
  if (const auto* growing = std::get_if<GrowingBody>(&body)) return growing->length;
  return std::get<RelayBody>(body).length;
}

BytesBody bytes_body(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace archway::proxy
