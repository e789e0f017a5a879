#include "resolver/image_reference.hpp"

#include "resolver/model/shown.hpp"
#include "resolver/url.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace archway::resolver {
namespace {

constexpr std::string_view docker_hub = "docker.io";

/// An image's name, taken apart at the first slash.
struct Split {
  std::string_view host;  ///< "" where none was written
  std::string_view rest;
};

Split split_host(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {.host = {}, .rest = text};
  const auto first = text.substr(0, slash);
  const bool is_host = first.find_first_of(".:") != std::string_view::npos || first == "localhost";
  return is_host ? Split{first, text.substr(slash + 1)} : Split{{}, text};
}

Result<std::string> registry(std::string_view host) {
  if (host.empty()) return std::string(docker_hub);
  const auto url = Url::parse("https://" + std::string(host));
  if (!url || url->target != "/") {
    constexpr std::size_t shown_max = 255;
    return Error{.code = Errc::name_invalid,
                 .origin = Origin::client,
                 .message = shown(host, shown_max) +
                            " is not a registry: it is a host name or an address, maybe with "
                            ":PORT, such as registry.lan:5000"};
  }
  std::string name(host);
  for (auto& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool hub = name == "index.docker.io" || name == "registry-1.docker.io";
  return hub ? std::string(docker_hub) : name;
}

Result<Repository> repository(std::string_view host, std::string_view path) {
  const bool one_word = !path.empty() && path.find('/') == std::string_view::npos;
  const std::string prefix = host == docker_hub && one_word ? "library/" : "";
  return Repository::parse(prefix + std::string(path));
}

/// The part behind the last colon that stands behind the last slash.
std::optional<std::string_view> written_tag(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto slash = text.rfind('/');
  const bool is_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return is_tag ? std::optional(text.substr(colon + 1)) : std::nullopt;
}

}  // namespace

std::string ImageReference::str() const {
  const bool by_digest = std::holds_alternative<Digest>(reference);
  return image.str() + (by_digest ? "@" : ":") + archway::str(reference);
}

Result<ImageReference> parse_image(std::string_view text) {
  const auto at = text.find('@');
  const auto [host, rest] = split_host(text.substr(0, at));
  const auto tag_text = written_tag(rest);
  const auto path = tag_text ? rest.substr(0, rest.size() - tag_text->size() - 1) : rest;

  auto upstream = registry(host);
  if (!upstream) return std::move(upstream).error();
  auto parsed = repository(*upstream, path);
  if (!parsed) return std::move(parsed).error();
  auto tag = Tag::parse(tag_text.value_or("latest"));
  if (!tag) return std::move(tag).error();
  Reference reference = *std::move(tag);
  if (at != std::string_view::npos) {
    const auto digest = Digest::parse(text.substr(at + 1));
    if (!digest) return digest.error();
    reference = *digest;
  }
  return ImageReference{
      .image = {.upstream = *std::move(upstream), .repository = *std::move(parsed)},
      .reference = std::move(reference)};
}

}  // namespace archway::resolver
