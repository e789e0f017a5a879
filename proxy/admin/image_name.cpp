#include "proxy/admin/image_name.hpp"

#include "resolver/image_reference.hpp"

#include <utility>

namespace archway::proxy {
namespace {

/// An image's name, taken apart at what follows it.
struct Split {
  std::string_view name;
  std::optional<std::string_view> tag = {};
  std::optional<std::string_view> digest = {};
};

Split split(std::string_view text) {
  Split parts{.name = text.substr(0, text.find('@'))};
  if (parts.name.size() < text.size()) parts.digest = text.substr(parts.name.size() + 1);
  const auto colon = parts.name.rfind(':');
  if (colon != std::string_view::npos && parts.name.find('/', colon) == std::string_view::npos) {
    parts.tag = parts.name.substr(colon + 1);
    parts.name = parts.name.substr(0, colon);
  }
  return parts;
}

/// With tag and digest the digest counts; the tag must be one all the same.
Result<std::optional<Reference>> reference_of(const Split& parts) {
  std::optional<Reference> reference;
  if (parts.tag) {
    auto tag = Tag::parse(*parts.tag);
    if (!tag) return std::move(tag).error();
    reference = *std::move(tag);
  }
  if (parts.digest) {
    const auto digest = Digest::parse(*parts.digest);
    if (!digest) return digest.error();
    reference = *digest;
  }
  return reference;
}

bool is_upstream(std::string_view word, const resolver::UpstreamNames& names) {
  return resolver::image_named(std::string(word) + "/any", names).has_value();
}

}  // namespace

std::string NamedImage::str() const {
  if (!reference) return image.str();
  const bool by_digest = std::holds_alternative<Digest>(*reference);
  return image.str() + (by_digest ? "@" : ":") + archway::str(*reference);
}

Result<NamedImage> read_image_name(std::string_view text, const resolver::UpstreamNames& names) {
  const auto parts = split(text);
  auto reference = reference_of(parts);
  if (!reference) return std::move(reference).error();
  const auto slash = parts.name.find('/');
  if (slash != std::string_view::npos && is_upstream(parts.name.substr(0, slash), names)) {
    auto image = resolver::image_named(parts.name, names);
    if (!image) return std::move(image).error();
    return NamedImage{.image = *std::move(image), .reference = *std::move(reference)};
  }
  auto parsed = resolver::parse_image(text);
  if (!parsed) return std::move(parsed).error();
  return NamedImage{.image = std::move(parsed->image), .reference = *std::move(reference)};
}

Result<NamedImage> read_known_image(std::string_view text, const resolver::UpstreamNames& names) {
  auto named = read_image_name(text, names);
  if (!named) return named;
  auto image = resolver::image_named(named->image.str(), names);
  if (!image) return std::move(image).error();
  named->image = *std::move(image);
  return named;
}

}  // namespace archway::proxy
