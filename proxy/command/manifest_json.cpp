#include "proxy/command/manifest_json.hpp"

#include "proxy/command/json_text.hpp"
#include "resolver/manifest.hpp"

#include <boost/json/parse.hpp>
#include <utility>

namespace archway::proxy {

namespace json = boost::json;

namespace {

/// Writes JSON again, token by token: no number is read, so none is written in another way.
class Indenter {
 public:
  Indenter(std::string_view text, std::string_view indent) : text_(text), indent_(indent) {}

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '"') return copy_string();
    ++at_;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return;
    if (c == '{' || c == '[') return open(c);
    if (c == '}' || c == ']') return close(c);
    begin_if_first();
    out_ += c;
    if (c == ',') new_line();
    if (c == ':') out_ += ' ';
  }

  void copy_string() {
    begin_if_first();
    const auto begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    ++at_;
    out_ += text_.substr(begin, at_ - begin);
  }

  void open(char c) {
    begin_if_first();
    out_ += c;
    ++depth_;
    just_opened_ = true;
  }

  void close(char c) {
    --depth_;
    // What is empty stays together: {} and [].
    if (!just_opened_) new_line();
    just_opened_ = false;
    out_ += c;
  }

  void begin_if_first() {
    if (just_opened_) new_line();
    just_opened_ = false;
  }

  void new_line() {
    out_ += '\n';
    for (int i = 0; i < depth_; ++i) out_ += indent_;
  }

  std::string_view text_;
  std::string_view indent_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool just_opened_ = false;
  std::string out_;
};

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = resolver::manifest_depth_max;
  json::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (!error) return value;
  return Error{.code = Errc::manifest_invalid,
               .origin = Origin::upstream,
               .message = "it is not JSON: " + error.message()};
}

std::string indented_json(std::string_view json, std::string_view indent) {
  return Indenter(json, indent).run();
}

Platform written_platform(const json::object& object) {
  return {.os = text_in(object, "os"),
          .architecture = text_in(object, "architecture"),
          .variant = text_in(object, "variant"),
          .os_version = text_in(object, "os.version"),
          .os_features = texts_in(object, "os.features")};
}

json::object platform_json(const Platform& platform) {
  json::object object;
  object["architecture"] = platform.architecture;
  object["os"] = platform.os;
  if (!platform.os_version.empty()) object["os.version"] = platform.os_version;
  if (!platform.os_features.empty()) {
    json::array features;
    for (const auto& feature : platform.os_features) features.emplace_back(feature);
    object["os.features"] = std::move(features);
  }
  if (!platform.variant.empty()) object["variant"] = platform.variant;
  return object;
}

}  // namespace archway::proxy
