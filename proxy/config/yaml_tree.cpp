#include "proxy/config/yaml_tree.hpp"

#include <cstdint>
#include <optional>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace archway::proxy {
namespace {

constexpr std::string_view not_yaml = "this is not valid YAML: ";
constexpr const char* no_aliases = "aliases (*name) are not supported; write the value out";

Position position(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

ParsedYaml failed(Position at, std::string why) {
  return {.failed_at = at, .failure = std::move(why)};
}

/// YAML, but more of it than a configuration needs.
struct Refused : YAML::ParserException {
  using YAML::ParserException::ParserException;
};

/// Builds the tree from the parser's events. Its own nodes would hide aliases, and which scalar was
/// quoted where.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& text) : text_(text) {}

  Yaml take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    add({.kind = Yaml::Kind::null, .at = position(mark)});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { throw Refused(mark, no_aliases); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    check_closed(mark);
    add({.kind = Yaml::Kind::scalar, .at = position(mark), .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, Yaml::Kind::sequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, Yaml::Kind::mapping);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Refused(mark, "tags (!name) are not supported");
  }

  /// yaml-cpp takes the end of the file for a missing closing quote.
  void check_closed(const YAML::Mark& mark) const {
    if (mark.pos < 0 || static_cast<std::size_t>(mark.pos) >= text_.size()) return;
    auto at = static_cast<std::size_t>(mark.pos);
    const char quote = text_[at];
    if (quote != '"' && quote != '\'') return;
    for (++at; at < text_.size(); ++at) {
      if (quote == '"' && text_[at] == '\\') {
        ++at;
      } else if (text_[at] == quote) {
        const bool doubled = quote == '\'' && text_.compare(at + 1, 1, "'") == 0;
        if (!doubled) return;
        ++at;
      }
    }
    throw Refused(mark, "this quote is never closed");
  }

  void begin(const YAML::Mark& mark, const std::string& tag, Yaml::Kind kind) {
    check_tag(mark, tag);
    if (open_.size() == yaml_depth_max) throw Refused(mark, "it is nested too deeply");
    open_.push_back({.kind = kind, .at = position(mark)});
  }
  void end() {
    Yaml done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done));
  }
  void add(Yaml node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Yaml& parent = open_.back();
    const bool is_key =
        parent.kind == Yaml::Kind::mapping && parent.keys.size() == parent.items.size();
    (is_key ? parent.keys : parent.items).push_back(std::move(node));
  }

  const std::string& text_;
  std::vector<Yaml> open_;
  Yaml root_;
};

/// The length of the UTF-8 sequence at `at`, 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<std::uint8_t>(text[at]);
  std::size_t length = 0;
  if (lead < 0x80) length = 1;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<std::uint8_t>(text[at + i]) & 0xc0U) != 0x80) return 0;
  }
  return length;
}

/// The text with plain newlines, or the first byte that no configuration has.
struct CleanText {
  std::string text = {};
  std::optional<Position> bad_at = {};
  std::string bad = {};
};

CleanText clean(std::string_view text) {
  CleanText result;
  result.text.reserve(text.size());
  Position at;
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("\r\n")) ++i;
    const std::size_t length = sequence_length(text, i);
    const char c = text[i];
    const bool control =
        (static_cast<std::uint8_t>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
    if (length == 0 || control) {
      result.bad_at = at;
      result.bad = length == 0 ? "this byte is not UTF-8; save the file as UTF-8"
                               : "a control character has no place in a configuration";
      return result;
    }
    result.text.append(text, i, length);
    i += length;
    at.column += static_cast<int>(length);
    if (c == '\n') at = {at.line + 1, 1};
  }
  return result;
}

/// yaml-cpp does not say what it minds about a tab.
std::string tab_hint(const std::string& text, const YAML::Mark& mark) {
  if (mark.is_null()) return "";
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i <= mark.line; ++i) std::getline(lines, line);
  const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
  return indent.find('\t') == std::string::npos ? "" : "; indent by blanks, not by tabs";
}

ParsedYaml parse_clean(const std::string& text) {
  Position at;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder builder(text);
    if (!parser.HandleNextDocument(builder)) return {};
    ParsedYaml parsed{.root = builder.take_root()};
    TreeBuilder second(text);
    if (!parser.HandleNextDocument(second)) return parsed;
    at = second.take_root().at;
    return failed(at, "a second document begins here; only one is allowed");
  } catch (const Refused& error) {
    return failed(position(error.mark), error.msg);
  } catch (const YAML::Exception& error) {
    // Newer versions of yaml-cpp add the name: it may be a password that begins with an asterisk.
    if (error.msg.starts_with("the referenced anchor is not defined")) {
      return failed(position(error.mark), no_aliases);
    }
    return failed(position(error.mark),
                  std::string(not_yaml) + error.msg + tab_hint(text, error.mark));
  }
}

}  // namespace

ParsedYaml parse_yaml(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return failed({}, "the file is in UTF-16; save it as UTF-8");
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const CleanText cleaned = clean(text);
  if (cleaned.bad_at) return failed(*cleaned.bad_at, cleaned.bad);
  return parse_clean(cleaned.text);
}

}  // namespace archway::proxy
