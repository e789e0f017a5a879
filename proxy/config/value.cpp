#include "proxy/config/nearest.hpp"
#include "proxy/config/section.hpp"
#include "proxy/config/units.hpp"

#include <charconv>
#include <system_error>

namespace archway::proxy {
namespace {

constexpr std::size_t shown_bytes_max = 60;

std::string found(const Yaml& node) {
  switch (node.kind) {
    case Yaml::Kind::null: return "nothing";
    case Yaml::Kind::scalar: return quoted_for_message(node.text);
    case Yaml::Kind::sequence: return "a list";
    case Yaml::Kind::mapping: return "a mapping";
  }
  return "nothing";
}

}  // namespace

void Reading::problem(Position at, std::string message) {
  if (problems.size() == problems_max) {
    ++left_out;
    return;
  }
  problems.push_back({file, at.line, at.column, std::move(message)});
}

void Reading::warn(Position at, const std::string& message) {
  if (warnings.size() == problems_max) return;
  warnings.push_back(ConfigProblem{file, at.line, at.column, message}.str());
}

std::string quoted_for_message(std::string_view text) {
  std::string result = "\"";
  for (const char c : text.substr(0, shown_bytes_max)) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
  }
  // A character that was cut in two is taken away whole.
  if (text.size() > shown_bytes_max &&
      (static_cast<unsigned char>(text[shown_bytes_max]) & 0xc0U) == 0x80) {
    while ((static_cast<unsigned char>(result.back()) & 0xc0U) == 0x80) result.pop_back();
    result.pop_back();
  }
  return result + (text.size() > shown_bytes_max ? "...\"" : "\"");
}

std::string either(const std::vector<std::string_view>& words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) result += i + 1 == words.size() ? " or " : ", ";
    result += words[i];
  }
  return result;
}

void Value::problem(std::string_view message) const {
  reading_->problem(at_, (path_.empty() ? "" : path_ + ": ") + std::string(message));
}

void Value::refuse(std::string_view allowed) const {
  problem("found " + found(*node_) + "; allowed: " + std::string(allowed));
}

std::optional<std::string> Value::text(std::string_view allowed) const {
  if (node_->kind == Yaml::Kind::scalar && !node_->text.empty()) return node_->text;
  refuse(allowed);
  return std::nullopt;
}

std::optional<bool> Value::flag() const {
  static constexpr std::pair<std::string_view, bool> choices[] = {{"true", true}, {"false", false}};
  return one_of<bool>(choices);
}

std::optional<std::uint64_t> Value::number(std::uint64_t min, std::uint64_t max) const {
  const std::string allowed =
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  const auto written = text(allowed);
  if (!written) return std::nullopt;
  std::uint64_t value = 0;
  const char* const last = written->data() + written->size();
  const auto [end, error] = std::from_chars(written->data(), last, value);
  // `010` is 8 for some readers of YAML and 10 for others: nobody should have to know.
  const bool octal_look = written->size() > 1 && written->front() == '0';
  if (error == std::errc() && end == last && !octal_look && value >= min && value <= max) {
    return value;
  }
  refuse(allowed);
  return std::nullopt;
}

std::optional<std::uint64_t> Value::size(std::uint64_t min, std::uint64_t max) const {
  const auto written = text("a size such as 50GiB");
  if (!written) return std::nullopt;
  const auto bytes = parse_size(*written);
  if (!bytes) {
    refuse(bytes.error().message);
    return std::nullopt;
  }
  if (*bytes >= min && *bytes <= max) return *bytes;
  refuse(size_text(min) + " to " + size_text(max));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> Value::time(std::chrono::milliseconds min,
                                                     std::chrono::milliseconds max) const {
  const auto written = text("a time such as 25s");
  if (!written) return std::nullopt;
  const auto time = parse_time(*written);
  if (!time) {
    refuse(time.error().message);
    return std::nullopt;
  }
  if (*time >= min && *time <= max) return *time;
  refuse(time_text(min) + " to " + time_text(max));
  return std::nullopt;
}

std::optional<std::chrono::seconds> Value::seconds(std::chrono::seconds min,
                                                   std::chrono::seconds max) const {
  const auto milliseconds = time(min, max);
  if (!milliseconds) return std::nullopt;
  const auto whole = std::chrono::floor<std::chrono::seconds>(*milliseconds);
  if (whole == *milliseconds) return whole;
  refuse("whole seconds");
  return std::nullopt;
}

std::optional<std::filesystem::path> Value::file_path() const {
  const auto written = text("a path");
  if (!written) return std::nullopt;
  if (written->starts_with('~')) {
    refuse("a path; ~ is not your home here, write it out");
    return std::nullopt;
  }
  return (reading_->directory / *written).lexically_normal();
}

std::optional<std::size_t> Value::word_of(const std::vector<std::string_view>& words) const {
  const auto written = text(either(words));
  if (!written) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == *written) return i;
  }
  std::string allowed = either(words);
  if (const auto meant = nearest(*written, words))
    allowed += "; did you mean " + std::string(*meant) + "?";
  refuse(allowed);
  return std::nullopt;
}

bool Value::fits(Yaml::Kind kind, std::string_view allowed, std::size_t max) const {
  if (node_->kind != kind) {
    refuse(allowed);
    return false;
  }
  const std::size_t count = node_->items.size();
  if (count <= max) return true;
  problem("found " + std::to_string(count) + " entries; allowed: at most " + std::to_string(max));
  return false;
}

std::vector<Value> Value::list(std::string_view allowed, std::size_t max) const {
  if (!fits(Yaml::Kind::sequence, allowed, max)) return {};
  std::vector<Value> values;
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    const Yaml& item = node_->items[i];
    values.emplace_back(reading_, &item, path_ + "[" + std::to_string(i) + "]", item.at);
  }
  return values;
}

std::vector<std::pair<Value, Value>> Value::pairs(std::string_view allowed, std::size_t max) const {
  if (!fits(Yaml::Kind::mapping, allowed, max)) return {};
  std::vector<std::pair<Value, Value>> pairs;
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    const Yaml& key = node_->keys[i];
    const Yaml& item = node_->items[i];
    const Position at = item.kind == Yaml::Kind::null ? key.at : item.at;
    pairs.emplace_back(Value(reading_, &key, path_, key.at),
                       Value(reading_, &item, path_ + "." + key.text, at));
  }
  return pairs;
}

}  // namespace archway::proxy
