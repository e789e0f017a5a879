#include "cache/no_index.hpp"

#include "cache/file_error.hpp"

#include <cerrno>

namespace archway::cache {
namespace {

class NoIndex final : public Index {
 public:
  std::optional<TagRecord> find_tag(const ImageName&, const Tag&) const override { return {}; }
  std::optional<ManifestRecord> find_manifest(const Digest&) const override { return {}; }
  std::optional<BlobRecord> find_blob(const Digest&) const override { return {}; }
  std::optional<GrantRecord> find_grant(const ImageName&, const Digest&) const override {
    return {};
  }
  std::vector<SeenRecord> all_seen(std::size_t) const override { return {}; }
  std::vector<VirtualImage> all_images(std::size_t) const override { return {}; }
  std::vector<PinRecord> all_pins(std::size_t) const override { return {}; }
  std::vector<TagEntry> tags_after(const std::optional<std::pair<ImageName, Tag>>&,
                                   std::size_t) const override {
    return {};
  }
  std::vector<BlobEntry> blobs_after(const std::optional<Digest>&, std::size_t) const override {
    return {};
  }
  std::vector<ManifestEntry> manifests_after(const std::optional<Digest>&,
                                             std::size_t) const override {
    return {};
  }
  std::vector<GrantEntry> grants_after(const std::optional<std::pair<ImageName, Digest>>&,
                                       std::size_t) const override {
    return {};
  }
  void commit(Changes, Done done) override {
    if (done) done(storage_error("change the index", EROFS));
  }
  Totals totals() const override { return {}; }
  std::uint64_t damaged() const override { return 0; }
};

}  // namespace

std::unique_ptr<Index> make_no_index() {
  return std::make_unique<NoIndex>();
}

}  // namespace archway::cache
