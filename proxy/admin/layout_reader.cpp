#include "proxy/admin/layout_reader.hpp"

#include "cache/hasher.hpp"
#include "proxy/admin/image_graph.hpp"
#include "proxy/config/small_file.hpp"
#include "resolver/verdict.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <optional>
#include <system_error>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t index_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t images_max = 10'000;

Error unusable(const fs::path& path, const std::string& why) {
  return {.code = Errc::request_invalid, .message = path.string() + ": " + why};
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string name_of(const json::object& entry) {
  const auto* annotations = entry.if_contains("annotations");
  if (annotations == nullptr || !annotations->is_object()) return "";
  auto name = text_of(annotations->get_object(), "io.containerd.image.name");
  if (name.empty()) name = text_of(annotations->get_object(), "org.opencontainers.image.ref.name");
  return name;
}

std::optional<LayoutImage> image_of(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const auto& entry = value.get_object();
  const auto digest = Digest::parse(text_of(entry, "digest"));
  const auto* size = entry.if_contains("size");
  if (!digest || size == nullptr || !size->is_int64() || size->get_int64() < 0) return std::nullopt;
  return LayoutImage{.name = name_of(entry),
                     .top = {.media_type = text_of(entry, "mediaType"),
                             .digest = *digest,
                             .size = static_cast<std::uint64_t>(size->get_int64()),
                             .platform = {}}};
}

/// The platform that an entry of an index is for; "" for what is no image (attestations).
std::string platform_of(const Descriptor& entry) {
  const bool is_image = entry.reference_type.empty() && entry.platform;
  return is_image && entry.platform->os != "unknown" ? entry.platform->str() : std::string();
}

}  // namespace

fs::path LayoutReader::path_of(const Digest& digest) const {
  return directory_ / "blobs" / std::string(digest.algorithm_name()) / digest.hex();
}

Result<std::vector<LayoutImage>> LayoutReader::images() const {
  const auto path = directory_ / "index.json";
  const auto layout = read_small_file(directory_ / "oci-layout", 4096);
  if (!layout)
    return unusable(directory_, "this is no OCI image layout: " + layout.error().message);
  const auto file = read_small_file(path, index_bytes_max);
  if (!file) return unusable(path, file.error().message);
  json::error_code error;
  const auto document = json::parse(file->text, error);
  const auto* list =
      !error && document.is_object() ? document.get_object().if_contains("manifests") : nullptr;
  if (list == nullptr || !list->is_array()) return unusable(path, "this is no image index");
  const auto& entries = list->get_array();
  if (entries.empty() || entries.size() > images_max) {
    return unusable(path, "it names " + std::to_string(entries.size()) + " images; allowed: 1 to " +
                              std::to_string(images_max));
  }
  std::vector<LayoutImage> images;
  for (const auto& entry : entries) {
    auto image = image_of(entry);
    if (!image) return unusable(path, "an entry has no valid digest and size");
    images.push_back(*std::move(image));
  }
  return images;
}

Result<LayoutParts> LayoutReader::parts_of(const LayoutImage& image) const {
  LayoutParts parts;
  const auto added = add(image.top, "", 0, parts);
  if (!added) return added.error();
  return parts;
}

Result<void> LayoutReader::add(const Descriptor& manifest, const std::string& platform, int depth,
                               LayoutParts& parts) const {
  const auto path = path_of(manifest.digest);
  if (depth > resolver::index_depth_max) return unusable(path, "indexes are nested too deep");
  const auto known = [&](const auto& one) { return one.first == manifest.digest; };
  if (std::any_of(parts.manifests.begin(), parts.manifests.end(), known)) return {};
  const auto file = read_small_file(path, resolver::manifest_bytes_max);
  if (!file) return unusable(path, file.error().message);
  const auto digest = cache::digest_of(manifest.digest.algorithm(), file->text);
  if (!digest) return digest.error();
  if (*digest != manifest.digest) {
    return unusable(path, "it is damaged: its bytes have the digest " + digest->str());
  }
  const auto read = resolver::parse_manifest(file->text, manifest.media_type);
  if (!read.interpretable) return unusable(path, "this manifest cannot be read: " + read.why);
  parts.manifests.emplace_back(
      manifest.digest,
      cache::ManifestRecord{.media_type = manifest.media_type, .bytes = file->text});
  parts.grants.emplace_back(manifest.digest, platform);
  for (const auto& blob : blobs_of(read)) {
    if (const auto added = add_blob(blob, platform, parts); !added) return added;
  }
  for (const auto& entry : read.manifests) {
    std::error_code error;
    if (!fs::exists(path_of(entry.digest), error)) {
      const auto name = platform_of(entry);
      parts.absent.push_back(name.empty() ? entry.digest.str() : name);
      continue;
    }
    if (const auto added = add(entry, platform_of(entry), depth + 1, parts); !added) return added;
  }
  return {};
}

Result<void> LayoutReader::add_blob(const Descriptor& blob, const std::string& platform,
                                    LayoutParts& parts) const {
  parts.grants.emplace_back(blob.digest, platform);
  const auto known = [&](const Descriptor& one) { return one.digest == blob.digest; };
  if (std::any_of(parts.blobs.begin(), parts.blobs.end(), known)) return {};
  const auto path = path_of(blob.digest);
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return unusable(path, "a manifest names it, but " + error.message());
  if (size != blob.size) {
    return unusable(path, "it has " + std::to_string(size) + " bytes, not the " +
                              std::to_string(blob.size) + " that its manifest says");
  }
  parts.blobs.push_back(blob);
  return {};
}

}  // namespace archway::proxy
