#pragma once

#include "proxy/command/transfer.hpp"
#include "resolver/image_reference.hpp"
#include "resolver/model/digest.hpp"
#include "resolver/model/result.hpp"

#include <boost/json/array.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {

/// A folder that holds images for a place without a network: `oci-layout`, `index.json`, and
/// `blobs/sha256/…` of manifests, configs and layers. What a run that was cut short left is used by
/// the next one.
///
/// Source: OCI Image Spec v1.1, image-layout.md. Threads: one.
class OciLayout {
 public:
  /// Opens the folder, or makes it.
  ///
  /// Errors: Errc::storage_failed; Errc::request_invalid for a folder that holds something else.
  static Result<OciLayout> open(std::filesystem::path folder);

  /// True when the blob is there, whole: its bytes are hashed.
  bool has(const Descriptor& blob) const;

  /// Bytes that match their digest. Errors: Errc::storage_failed.
  Result<void> put(const Digest& digest, std::string_view bytes) const;
  /// For a blob that comes in pieces; it stands under its name once it is whole. Errors:
  /// Errc::storage_failed.
  Result<std::unique_ptr<BlobTaker>> taker(const Digest& digest) const;

  /// Names what is in the folder: in place of what had that name before. It is written down by
  /// save().
  void name(const resolver::ImageReference& image, const std::string& media_type,
            const Digest& digest, std::uint64_t size);
  /// Errors: Errc::storage_failed.
  Result<void> save() const;

 private:
  explicit OciLayout(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> read_index();
  std::filesystem::path path_of(const Digest& digest) const;

  std::filesystem::path folder_;
  boost::json::array manifests_;  ///< of index.json
};

}  // namespace archway::proxy
