#include "proxy/config/section.hpp"

#include "proxy/config/keys.hpp"
#include "proxy/config/nearest.hpp"

#include <algorithm>
#include <cstddef>

namespace archway::proxy {
namespace {

/// How a section is called in messages.
std::string place(std::string_view path) {
  return path.empty() ? "at the top" : "in " + std::string(path);
}

std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key* key : keys_in(section)) names.push_back(leaf(*key));
  return names;
}

std::ptrdiff_t depth(const Key& key) {
  return std::count(key.path.begin(), key.path.end(), '.');
}

/// Where else a key of this name belongs: someone forgot to indent, or indented too far. Of several
/// places the least deep one.
const Key* elsewhere(std::string_view name) {
  const Key* found = nullptr;
  for (const Key& key : config_keys()) {
    if (leaf(key) == name && (found == nullptr || depth(key) < depth(*found))) found = &key;
  }
  return found;
}

}  // namespace

Section::Section(const Value& value, std::string_view table_path)
    : value_(value), table_path_(table_path) {
  const Yaml& node = value.node();
  if (node.kind == Yaml::Kind::null) return;
  if (node.kind != Yaml::Kind::mapping) {
    value.refuse("a mapping of " + either(names_in(table_path_)));
    return;
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i) check_key(node.keys[i], i);
}

void Section::check_key(const Yaml& key, std::size_t index) {
  Reading& reading = value_.reading();
  if (key.kind != Yaml::Kind::scalar || key.text.empty()) {
    reading.problem(key.at, "found a key that is no word " + place(value_.path()) +
                                "; allowed: " + either(names_in(table_path_)));
    return;
  }
  if (find_key(joined(table_path_, key.text)) == nullptr) {
    reading.problem(key.at, unknown(key.text));
    return;
  }
  const std::string path = joined(value_.path(), key.text);
  const auto same = [&](const auto& item) { return item.first == key.text; };
  const auto first = std::find_if(values_.begin(), values_.end(), same);
  if (first != values_.end()) {
    reading.problem(key.at, path + " is given twice; the first is on line " +
                                std::to_string(first->second.at().line));
    return;
  }
  const Yaml& item = value_.node().items[index];
  // A value that is not there has no place of its own.
  const Position at = item.kind == Yaml::Kind::null ? key.at : item.at;
  values_.emplace_back(key.text, Value(&reading, &item, path, at));
}

std::string Section::unknown(const std::string& name) const {
  std::string message =
      "found the unknown key " + quoted_for_message(name) + " " + place(value_.path());
  if (name == "<<") return message + "; merge keys are not supported; write the values out";
  const auto siblings = names_in(table_path_);
  if (const auto meant = nearest(name, siblings)) {
    return message + "; did you mean " + std::string(*meant) + "?";
  }
  if (const Key* other = elsewhere(name)) {
    const bool at_top = other->path.find('.') == std::string_view::npos;
    return message + "; did you mean " + std::string(other->path) + (at_top ? " at the top?" : "?");
  }
  return message + "; allowed: " + either(siblings);
}

std::optional<Value> Section::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::optional<Value> Section::need(std::string_view name) const {
  auto value = find(name);
  // What is no mapping at all was reported as such; nothing at all is an empty one.
  const Yaml::Kind kind = value_.node().kind;
  const bool told = kind != Yaml::Kind::mapping && kind != Yaml::Kind::null;
  if (!value && !told) value_.problem("the key " + std::string(name) + " is missing");
  return value;
}

}  // namespace archway::proxy
