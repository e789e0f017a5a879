#include "resolver/rewrite.hpp"

#include <algorithm>
#include <array>
#include <boost/regex.hpp>
#include <cstddef>
#include <exception>
#include <string_view>
#include <utility>

namespace archway::resolver {
namespace {

// What a match may cost grows with the square of the pattern's length: Boost gives up by itself
// after about (pattern² × text) steps.
constexpr std::size_t pattern_max = 255;

/// Docker Hub's organisations of official images for one architecture.
///
/// Source: github.com/docker-library/official-images, "Architectures other than amd64?".
constexpr std::array<std::string_view, 12> architecture_organisations = {
    "amd64",    "arm32v5", "arm32v6", "arm32v7", "arm64v8",  "i386",
    "mips64le", "ppc64le", "riscv64", "s390x",   "winamd64", "windows-amd64"};

/// `to` of a rule, taken apart.
class Template {
 public:
  /// `captures`: how many the pattern has. The Error's message is what is wrong with the text.
  static Result<Template> parse(std::string_view text, std::size_t captures) {
    Template result;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] != '$') {
        result.pieces_.back().text += text[at++];
        continue;
      }
      const auto rest = text.substr(at + 1);
      if (rest.starts_with('$')) {
        result.pieces_.back().text += '$';
        at += 2;
        continue;
      }
      const bool braces = rest.size() >= 3 && rest[0] == '{' && rest[2] == '}';
      const char digit = braces ? rest[1] : rest.empty() ? '\0' : rest[0];
      if (digit < '1' || digit > '9') {
        return fault("has a $ in \"to\" that is neither $1 … $9, ${1} … ${9} nor $$");
      }
      const auto capture = static_cast<std::size_t>(digit - '0');
      if (capture > captures) {
        return fault(std::string("has $") + digit + " in \"to\", but its pattern captures " +
                     (captures == 0 ? "nothing" : "only " + std::to_string(captures)));
      }
      result.pieces_.push_back({.capture = capture, .text = {}});
      at += braces ? 4 : 2;
    }
    return result;
  }

  std::string fill(const boost::smatch& captures) const {
    std::string text;
    for (const auto& piece : pieces_) {
      if (piece.capture > 0) text += captures.str(static_cast<int>(piece.capture));
      text += piece.text;
    }
    return text;
  }

  /// What stands before the first capture: all of it where there is none.
  const std::string& head() const { return pieces_.front().text; }
  bool has_captures() const { return pieces_.size() > 1; }

 private:
  struct Piece {
    std::size_t capture = 0;  ///< 0 : none
    std::string text = {};    ///< behind the capture
  };

  Template() : pieces_(1) {}

  static Error fault(std::string message) {
    return {.code = Errc::configuration_invalid,
            .origin = Origin::configuration,
            .message = std::move(message)};
  }

  std::vector<Piece> pieces_;
};

/// A rule, ready for use.
struct Rule {
  std::string label;  ///< `rule 2: FROM`
  boost::regex pattern;
  Template to;

  /// None when it does not match the whole of `text`; `problem` says so when that could not be
  /// found out.
  std::optional<std::string> make_of(const std::string& text, std::string& problem) const {
    boost::smatch captures;
    try {
      if (!boost::regex_match(text, captures, pattern)) return std::nullopt;
    } catch (const std::exception& e) {
      problem = label + " was given up for \"" + text + "\": " + e.what();
      return std::nullopt;
    }
    return to.fill(captures);
  }
};

Error refused(std::size_t number, const RewriteRule& rule, std::string why) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "rewrite rule " + std::to_string(number) + " (\"" +
                     rule.from.substr(0, pattern_max) + "\") " + std::move(why)};
}

/// Where the tag starts, with its colon; the text's size when there is none.
std::size_t tag_at(std::string_view text) {
  const auto slash = text.rfind('/');
  return std::min(text.find(':', slash == std::string_view::npos ? 0 : slash), text.size());
}

/// Why nothing that `to` makes can be used, as far as that shows without a name; "" when it may.
std::string why_useless(const Template& to, const UpstreamNames& names) {
  const auto& text = to.head();
  if (!to.has_captures()) {
    const auto end = tag_at(text);
    const auto image = image_named(text.substr(0, end), names);
    if (!image) return image.error().message;
    if (end == text.size()) return "";
    const auto tag = Tag::parse(text.substr(end + 1));
    return tag ? "" : tag.error().message;
  }
  const auto slash = text.find('/');
  if (slash == std::string::npos) return "";  // a capture is part of the upstream's name
  const auto image = image_named(text.substr(0, slash) + "/any/name", names);
  return image ? "" : image.error().message;
}

Result<Rule> compiled(std::size_t number, const RewriteRule& rule, const UpstreamNames& names) {
  if (rule.from.empty()) return refused(number, rule, "has no \"from\"");
  if (rule.to.empty()) return refused(number, rule, "has no \"to\"");
  if (rule.from.size() > pattern_max || rule.to.size() > pattern_max) {
    return refused(number, rule, "is longer than 255 characters");
  }
  boost::regex pattern;
  try {
    pattern.assign(rule.from, boost::regex::perl);
  } catch (const std::exception& e) {
    return refused(number, rule, std::string("is not a regular expression: ") + e.what());
  }
  auto to = Template::parse(rule.to, pattern.mark_count());
  if (!to) return refused(number, rule, to.error().message);
  if (auto why = why_useless(*to, names); !why.empty()) {
    return refused(number, rule, "makes what is no image's name: " + why);
  }
  return Rule{.label = "rule " + std::to_string(number) + ": " + rule.from,
              .pattern = std::move(pattern),
              .to = *std::move(to)};
}

std::string useless(const Rule& rule, const std::string& made, const std::string& why) {
  return rule.label + " makes \"" + made + "\", which cannot be used: " + why;
}

/// For a rule that matched the name alone.
void take_name(const Rule& rule, const std::string& made, const UpstreamNames& names,
               Rewriter::Rewritten& result) {
  auto image = image_named(made, names);
  if (!image) {
    result.problem = useless(rule, made, image.error().message);
  } else if (*image != result.image) {
    result.image = *std::move(image);
    result.by = rule.label;
  }
}

/// For a rule that matched name and tag.
void take_tag(const Rule& rule, const std::string& made, const UpstreamNames& names,
              Rewriter::Rewritten& result) {
  const auto end = tag_at(made);
  const auto image = image_named(made.substr(0, end), names);
  if (!image) {
    result.problem = useless(rule, made, image.error().message);
  } else if (*image != result.image) {
    result.problem = useless(rule, made,
                             "a rule for name and tag may change the tag alone, because the parts "
                             "of an image are asked for under its name without the tag");
  } else if (auto tag = Tag::parse(end < made.size() ? made.substr(end + 1) : ""); !tag) {
    result.problem = useless(rule, made, tag.error().message);
  } else if (*tag != *result.tag) {
    result.tag = *std::move(tag);
    result.by = rule.label;
  }
}

/// `docker.io/arm64v8/alpine` -> `docker.io/library/alpine`.
void take_out_organisation(Rewriter::Rewritten& result) {
  const std::string_view repository = result.image.repository.str();
  if (result.image.upstream != "docker.io") return;
  if (std::count(repository.begin(), repository.end(), '/') != 1) return;
  const auto slash = repository.find('/');
  const auto& known = architecture_organisations;
  if (std::find(known.begin(), known.end(), repository.substr(0, slash)) == known.end()) return;
  auto official = Repository::parse("library" + std::string(repository.substr(slash)));
  if (!official) return;  // longer than a name may be
  result.image.repository = *std::move(official);
  result.by = "architecture organisation";
}

}  // namespace

struct Rewriter::Compiled {
  std::vector<Rule> rules;
  bool organisations = false;
  UpstreamNames names;
};

Rewriter::Rewriter() : compiled_(std::make_shared<const Compiled>()) {}

Result<Rewriter> Rewriter::make(std::vector<RewriteRule> rules, bool organisations,
                                UpstreamNames names) {
  Compiled all{.rules = {}, .organisations = organisations, .names = std::move(names)};
  for (std::size_t i = 0; i < rules.size(); ++i) {
    auto rule = compiled(i + 1, rules[i], all.names);
    if (!rule) return std::move(rule).error();
    all.rules.push_back(*std::move(rule));
  }
  Rewriter rewriter;
  rewriter.compiled_ = std::make_shared<const Compiled>(std::move(all));
  return rewriter;
}

Rewriter::Rewritten Rewriter::apply(ImageName image, std::optional<Tag> tag) const {
  Rewritten result{.image = std::move(image), .tag = std::move(tag)};
  const auto name = result.image.str();
  for (const auto& rule : compiled_->rules) {
    if (const auto made = rule.make_of(name, result.problem)) {
      take_name(rule, *made, compiled_->names, result);
      return result;
    }
    if (!result.tag) continue;
    if (const auto made = rule.make_of(name + ":" + result.tag->str(), result.problem)) {
      take_tag(rule, *made, compiled_->names, result);
      return result;
    }
  }
  if (compiled_->organisations) take_out_organisation(result);
  return result;
}

}  // namespace archway::resolver
