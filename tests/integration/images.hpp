#pragma once

#include "tests/support/scripted_upstream.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace archway::test {

/// `sha256:…` of some bytes.
std::string digest_of(std::string_view bytes);

/// Bytes that look like nothing, the same for the same seed.
std::string noise(std::size_t size, unsigned seed = 1);

/// A manifest or index as a registry holds it.
struct Document {
  std::string media_type;
  std::string bytes;
  std::string digest;
};

/// One platform's image: a config, one layer, a manifest.
struct Image {
  std::string platform;
  std::string config;
  std::string layer;
  Document manifest;
};

Image make_image(const std::string& platform, std::string layer);
/// An OCI index, or a Docker manifest list, of these images in this order.
Document make_index(const std::vector<Image>& images, bool docker = false);

/// Puts a manifest into a scripted registry: by digest, and by tag when there is one.
void publish(ScriptedUpstream& upstream, const std::string& repository, const Document& document,
             const std::string& tag = "");
/// Puts an image's config, layer and manifest into a scripted registry.
void publish(ScriptedUpstream& upstream, const std::string& repository, const Image& image);
std::string manifest_path(const std::string& repository, const std::string& reference);
std::string blob_path(const std::string& repository, const std::string& bytes_digest);

}  // namespace archway::test
