#pragma once

#include "resolver/model/digest.hpp"
#include "resolver/model/result.hpp"

#include <compare>
#include <string>
#include <string_view>
#include <variant>

namespace archway {

/// A repository's name without the registry, e.g. `library/golang`; always valid by the
/// specification's grammar and at most 255 characters, so it is safe in a URL path and a log line.
///
/// Source: OCI Distribution Spec v1.1, section "Pulling manifests" (`<name>`).
class Repository {
 public:
  static constexpr std::size_t length_max = 255;

  /// Errors: Errc::name_invalid; the message says which rule the text breaks.
  static Result<Repository> parse(std::string_view text);

  const std::string& str() const noexcept { return text_; }

  friend auto operator<=>(const Repository&, const Repository&) = default;

 private:
  explicit Repository(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// A tag, e.g. `1.22`: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`; always valid.
///
/// Source: OCI Distribution Spec v1.1, section "Pulling manifests" (`<reference>`).
class Tag {
 public:
  /// Errors: Errc::name_invalid.
  static Result<Tag> parse(std::string_view text);

  const std::string& str() const noexcept { return text_; }

  friend auto operator<=>(const Tag&, const Tag&) = default;

 private:
  explicit Tag(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// What a manifest is asked by. A text with a colon is a digest, else a tag.
using Reference = std::variant<Tag, Digest>;

/// Errors: Errc::digest_invalid, Errc::name_invalid.
Result<Reference> parse_reference(std::string_view text);
std::string str(const Reference& reference);

/// An upstream's configured name and a repository there, e.g. `docker.io/library/golang`.
struct ImageName {
  std::string upstream;
  Repository repository;

  std::string str() const { return upstream + "/" + repository.str(); }

  friend auto operator<=>(const ImageName&, const ImageName&) = default;
};

}  // namespace archway
