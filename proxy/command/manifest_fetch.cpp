#include "proxy/command/manifest_fetch.hpp"

#include "cache/hasher.hpp"
#include "proxy/command/manifest_json.hpp"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

Error other_bytes(const Repository& repository, const Digest& named, const Digest& found) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = repository.str() + "@" + named.str() +
                     ": the registry sent other bytes, their digest is " + found.str()};
}

Result<FetchedManifest> checked(Registry::Document document, const Repository& repository,
                                const Reference& reference) {
  std::optional<Digest> named = document.digest;
  if (const auto* asked = std::get_if<Digest>(&reference)) named = *asked;
  const auto algorithm = named ? named->algorithm() : Digest::Algorithm::sha256;
  const auto found = cache::digest_of(algorithm, document.bytes);
  if (!found) return found.error();
  if (named && *named != *found) return other_bytes(repository, *named, *found);
  auto manifest = resolver::parse_manifest(document.bytes, document.media_type);
  return FetchedManifest{.digest = *found,
                         .media_type = std::move(document.media_type),
                         .bytes = std::move(document.bytes),
                         .manifest = std::move(manifest)};
}

Error too_large(const Descriptor& config) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = "the config " + config.digest.str() + " is larger than 4 MiB"};
}

net::awaitable<Result<std::string>> fetch_config(Registry* registry, Repository repository,
                                                 Descriptor config) {
  if (config.size > resolver::manifest_bytes_max) co_return too_large(config);
  auto stream = co_await registry->open_blob(repository, config.digest, 0);
  if (!stream) co_return stream.error();
  std::string bytes;
  std::string piece(piece_bytes, '\0');
  for (;;) {
    const auto size = co_await (*stream)->read(piece.data(), piece.size());
    if (!size) co_return size.error();
    if (*size == 0) break;
    bytes.append(piece, 0, *size);
    if (bytes.size() > resolver::manifest_bytes_max) co_return too_large(config);
  }
  const auto found = cache::digest_of(config.digest.algorithm(), bytes);
  if (!found) co_return found.error();
  if (*found != config.digest) co_return other_bytes(repository, config.digest, *found);
  co_return bytes;
}

}  // namespace

net::awaitable<Result<FetchedManifest>> fetch_manifest(Registry* registry, Repository repository,
                                                       Reference reference) {
  auto document = co_await registry->get_manifest(repository, reference);
  if (!document) co_return document.error();
  co_return checked(*std::move(document), repository, reference);
}

net::awaitable<Result<Platform>> fetch_platform(Registry* registry, Repository repository,
                                                Descriptor config) {
  const auto bytes = co_await fetch_config(registry, std::move(repository), std::move(config));
  if (!bytes) co_return bytes.error();
  // The strict reader decides whether anything here can be believed.
  if (!resolver::parse_config_platform(*bytes)) co_return Platform{};
  const auto value = parse_json(*bytes);
  if (!value || !value->is_object()) co_return Platform{};
  co_return written_platform(value->get_object());
}

std::uint64_t size_of_parts(const resolver::Manifest& manifest) {
  std::uint64_t size = manifest.config ? manifest.config->size : 0;
  for (const auto& layer : manifest.layers) size += layer.size;
  for (const auto& entry : manifest.manifests) size += entry.size;
  return size;
}

bool is_attestation(const Descriptor& entry) {
  if (entry.reference_type == "attestation-manifest") return true;
  return entry.platform && entry.platform->os == "unknown" &&
         entry.platform->architecture == "unknown";
}

bool names_version(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return true;
  const auto slash = image.rfind('/');
  return image.find(':', slash == std::string_view::npos ? 0 : slash) != std::string_view::npos;
}

Result<resolver::ImageReference> through_gateway(const resolver::ImageReference& image,
                                                 const std::string& gateway) {
  if (image.image.upstream.find(':') != std::string::npos) {
    return Error{.code = Errc::name_invalid,
                 .message = "a gateway is asked for an image by its path, and \"" +
                            image.image.upstream +
                            "\" has a port, which has no place there; ask the registry itself, "
                            "without --gateway"};
  }
  auto repository = Repository::parse(image.image.upstream + "/" + image.image.repository.str());
  if (!repository) return repository.error();
  return resolver::ImageReference{
      .image = {.upstream = gateway, .repository = *std::move(repository)},
      .reference = image.reference};
}

}  // namespace archway::proxy
