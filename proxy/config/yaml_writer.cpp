#include "proxy/config/yaml_writer.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '/' || c == '_' || c == '-' || c == ':' || c == '+';
}

std::string spaces(int count) {
  return std::string(static_cast<std::size_t>(count), ' ');
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  const bool letters = std::all_of(text.begin(), text.end(), is_plain);
  const bool fine_start =
      !text.empty() && text.front() != '-' && text.front() != ':' && text.back() != ':';
  const bool null_look = text == "null" || text == "Null" || text == "NULL";
  if (letters && fine_start && !null_look) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {  // Not allowed in YAML but as an escape.
      quoted += "\\x";
      quoted += hex_digits[byte >> 4];
      quoted += hex_digits[byte & 15];
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string yaml_truth(bool value) {
  return value ? "true" : "false";
}

std::string yaml_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ", ";
    list += yaml_scalar(text);
  }
  return list + "]";
}

void YamlWriter::line(const std::string& text) {
  Frame& frame = frames_.back();
  if (frame.item_begins) {
    out_ += spaces(frame.indent - 2) + "- ";
    frame.item_begins = false;
  } else {
    out_ += spaces(frame.indent);
  }
  out_ += text + "\n";
}

const Key* YamlWriter::begin_key(std::string_view name) {
  Frame& frame = frames_.back();
  frame.written.emplace(name);
  const Key* key = find_key(joined(frame.table_path, name));
  if (!comments_ || key == nullptr) return key;
  if (frames_.size() == 1 && !out_.empty()) out_ += "\n";
  help(*key, spaces(frame.item_begins ? frame.indent - 2 : frame.indent));
  return key;
}

void YamlWriter::help(const Key& key, const std::string& start) {
  if (!explained_.insert(key.path).second) return;
  out_ += start + "# " + std::string(key.help) + "\n";
}

void YamlWriter::open_section(std::string_view name) {
  begin_key(name);
  line(std::string(name) + ":");
  const Frame& parent = frames_.back();
  frames_.push_back({.table_path = joined(parent.table_path, name), .indent = parent.indent + 2});
}

void YamlWriter::open_list(std::string_view name) {
  begin_key(name);
  line(std::string(name) + ":");
  const Frame& parent = frames_.back();
  frames_.push_back(
      {.table_path = joined(parent.table_path, name) + "[]", .indent = parent.indent + 4});
}

void YamlWriter::open_item() {
  const Frame& list = frames_.back();
  frames_.push_back({.table_path = list.table_path, .indent = list.indent, .item_begins = true});
}

void YamlWriter::close() {
  const Frame frame = frames_.back();
  frames_.pop_back();
  // The list itself has no keys: its entries have.
  if (comments_ && !frame.written.empty()) examples(frame);
}

void YamlWriter::value(std::string_view name, const std::string& rendered) {
  begin_key(name);
  line(std::string(name) + ": " + rendered);
}

void YamlWriter::examples(const Frame& frame) {
  for (const Key* key : keys_in(frame.table_path)) {
    const bool known = frame.written.contains(leaf(*key)) || explained_.contains(key->path);
    if (known) continue;
    if (frame.table_path.empty()) out_ += "\n";
    example(*key, frame.indent, 0);
  }
}

void YamlWriter::example(const Key& key, int indent, int depth) {
  const std::string start = spaces(indent) + "#" + spaces(depth);
  // Within an example its own explanations become comments with it when its # is taken away.
  help(key, depth == 0 ? spaces(indent) : start);
  const std::string name(leaf(key));
  if (key.form == Key::Form::value) {
    out_ += start + name + ": " + std::string(key.example) + "\n";
    return;
  }
  out_ += start + name + ":\n";
  if (key.form == Key::Form::section) {
    for (const Key* child : keys_in(key.path)) example(*child, indent, depth + 2);
    return;
  }
  bool first = true;
  for (const Key* child : keys_in(std::string(key.path) + "[]")) {
    help(*child, start + (first ? "  " : "    "));
    out_ += start + (first ? "  - " : "    ") + std::string(leaf(*child)) + ": " +
            std::string(child->example) + "\n";
    first = false;
  }
}

std::string YamlWriter::finish() {
  if (comments_) examples(frames_.back());
  return std::move(out_);
}

}  // namespace archway::proxy
