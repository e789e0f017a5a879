#include "resolver/model/name.hpp"

#include "resolver/model/shown.hpp"

#include <algorithm>

namespace archway {
namespace {

bool lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool word(char c) {
  return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

Error invalid(std::string_view what, std::string_view text, std::string_view why) {
  return {.code = Errc::name_invalid,
          .origin = Origin::client,
          .message = shown(text, Repository::length_max) + " is not a " + std::string(what) + ": " +
                     std::string(why)};
}

/// One path component: lower-case letters and digits, joined by `.`, `_`, `__` or any run of `-`.
bool component(std::string_view text) {
  if (text.empty() || !lower_or_digit(text.front()) || !lower_or_digit(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const auto end = std::min(text.find_first_not_of(text[i], i), text.size());
    const auto length = end - i;
    const bool joins =
        (text[i] == '.' && length == 1) || (text[i] == '_' && length <= 2) || text[i] == '-';
    if (!joins || !lower_or_digit(text[end])) return false;
    i = end;
  }
  return true;
}

}  // namespace

Result<Repository> Repository::parse(std::string_view text) {
  if (text.empty()) return invalid("repository name", text, "it is empty");
  if (text.size() > length_max) {
    return invalid("repository name", text, "it is longer than 255 characters");
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('/', begin), text.size());
    if (!component(text.substr(begin, end - begin))) {
      return invalid("repository name", text,
                     "each part between slashes is lower-case letters and digits, joined by single "
                     "dots, one or two underscores, or dashes");
    }
    begin = end + 1;
  }
  return Repository(std::string(text));
}

Result<Tag> Tag::parse(std::string_view text) {
  constexpr std::size_t length_max = 128;
  if (text.empty() || text.size() > length_max) {
    return invalid("tag", text, "a tag has 1 to 128 characters");
  }
  const auto bad = [](char c) { return !word(c) && c != '.' && c != '-'; };
  if (!word(text.front())) return invalid("tag", text, "it starts with a letter, digit or _");
  for (const char c : text) {
    if (bad(c))
      return invalid("tag", text, "only letters, digits, '_', '.' and '-' may stand there");
  }
  return Tag(std::string(text));
}

Result<Reference> parse_reference(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    auto digest = Digest::parse(text);
    if (!digest) return std::move(digest).error();
    return Reference(*digest);
  }
  auto tag = Tag::parse(text);
  if (!tag) return std::move(tag).error();
  return Reference(*std::move(tag));
}

std::string str(const Reference& reference) {
  if (const auto* tag = std::get_if<Tag>(&reference)) return tag->str();
  return std::get<Digest>(reference).str();
}

}  // namespace archway
