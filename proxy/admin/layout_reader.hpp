#pragma once

#include "cache/index.hpp"
#include "resolver/manifest.hpp"
#include "resolver/model/digest.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

/// One image of an OCI image layout: what its index.json says.
struct LayoutImage {
  std::string name = {};  ///< the annotation io.containerd.image.name, else the reference name
  Descriptor top;
};

/// An image of which everything was looked at: manifests verified, blobs there in their right size.
struct LayoutParts {
  std::vector<std::pair<Digest, cache::ManifestRecord>> manifests = {};
  std::vector<std::pair<Digest, std::string>> grants = {};  ///< with the platform, "" : unknown
  std::vector<Descriptor> blobs = {};                       ///< each once
  std::vector<std::string> absent = {};  ///< platforms or digests of an index that are not there
};

/// Reads an OCI image layout. Threads: any; blocks on the disk.
///
/// Errors, all: Errc::request_invalid; the message names the file and what is wrong with it.
class LayoutReader {
 public:
  explicit LayoutReader(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<std::vector<LayoutImage>> images() const;
  Result<LayoutParts> parts_of(const LayoutImage& image) const;
  std::filesystem::path path_of(const Digest& digest) const;

 private:
  Result<void> add(const Descriptor& manifest, const std::string& platform, int depth,
                   LayoutParts& parts) const;
  Result<void> add_blob(const Descriptor& blob, const std::string& platform,
                        LayoutParts& parts) const;

  std::filesystem::path directory_;
};

}  // namespace archway::proxy
