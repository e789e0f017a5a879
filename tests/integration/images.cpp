#include "tests/integration/images.hpp"

#include "cache/hasher.hpp"
#include "resolver/model/digest.hpp"
#include "resolver/model/media_type.hpp"

#include <random>
#include <utility>

namespace archway::test {
namespace {

std::string descriptor(std::string_view type, const std::string& digest, std::size_t size,
                       const std::string& more = "") {
  return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + digest + R"(","size":)" +
         std::to_string(size) + more + "}";
}

std::string described(std::string_view type, const std::string& bytes) {
  return descriptor(type, digest_of(bytes), bytes.size());
}

/// `linux/arm/v7` as JSON members.
std::string platform_members(const std::string& platform) {
  const auto first = platform.find('/');
  const auto second = platform.find('/', first + 1);
  std::string members = R"("os":")" + platform.substr(0, first) + R"(","architecture":")" +
                        platform.substr(first + 1, second - first - 1) + "\"";
  if (second != std::string::npos) {
    members += R"(,"variant":")" + platform.substr(second + 1) + "\"";
  }
  return members;
}

}  // namespace

std::string digest_of(std::string_view bytes) {
  return cache::digest_of(Digest::Algorithm::sha256, bytes)->str();
}

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() & 0xff);
  return bytes;
}

Image make_image(const std::string& platform, std::string layer) {
  Image image{.platform = platform, .layer = std::move(layer)};
  image.config = "{" + platform_members(platform) + R"(,"rootfs":{"type":"layers","diff_ids":[]}})";
  image.manifest.media_type = media_type::oci_manifest;
  image.manifest.bytes =
      R"({"schemaVersion":2,"mediaType":")" + image.manifest.media_type + R"(","config":)" +
      described("application/vnd.oci.image.config.v1+json", image.config) + R"(,"layers":[)" +
      described("application/vnd.oci.image.layer.v1.tar+gzip", image.layer) + "]}";
  image.manifest.digest = digest_of(image.manifest.bytes);
  return image;
}

Document make_index(const std::vector<Image>& images, bool docker) {
  Document index;
  index.media_type = docker ? media_type::docker_list : media_type::oci_index;
  std::string entries;
  for (const auto& image : images) {
    if (!entries.empty()) entries += ",";
    entries +=
        descriptor(image.manifest.media_type, image.manifest.digest, image.manifest.bytes.size(),
                   R"(,"platform":{)" + platform_members(image.platform) + "}");
  }
  index.bytes = R"({"schemaVersion":2,"mediaType":")" + index.media_type + R"(","manifests":[)" +
                entries + "]}";
  index.digest = digest_of(index.bytes);
  return index;
}

std::string manifest_path(const std::string& repository, const std::string& reference) {
  return "/v2/" + repository + "/manifests/" + reference;
}

std::string blob_path(const std::string& repository, const std::string& bytes_digest) {
  return "/v2/" + repository + "/blobs/" + bytes_digest;
}

void publish(ScriptedUpstream& upstream, const std::string& repository, const Document& document,
             const std::string& tag) {
  std::vector<std::string> references{document.digest};
  if (!tag.empty()) references.push_back(tag);
  for (const auto& reference : references) {
    upstream.on(manifest_path(repository, reference))
        .answer(200)
        .header("Content-Type", document.media_type)
        .header("Docker-Content-Digest", document.digest)
        .body(document.bytes);
  }
}

void publish(ScriptedUpstream& upstream, const std::string& repository, const Image& image) {
  publish(upstream, repository, image.manifest);
  for (const auto& bytes : {image.config, image.layer}) {
    upstream.on(blob_path(repository, digest_of(bytes))).answer(200).body(bytes).ranges();
  }
}

}  // namespace archway::test
