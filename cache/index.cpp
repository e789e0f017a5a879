#include "cache/index.hpp"

#include "cache/file_error.hpp"
#include "cache/index_file.hpp"
#include "cache/listed_codec.hpp"
#include "cache/record_codec.hpp"
#include "cache/writer_thread.hpp"

#include <atomic>
#include <cerrno>
#include <ctime>
#include <utility>

namespace archway::cache {
namespace {

using lmdb::Table;

Error write_error(int code) {
  // LMDB's own numbers are negative; only a system error has a text of the system's.
  auto error = storage_error("change the index", code > 0 ? code : EIO);
  if (lmdb::is_full(code)) error.message = "The index of archway's cache is full.";
  error.context = "cannot change the index: " + lmdb::text(code);
  return error;
}

class LmdbIndex final : public Index {
 public:
  explicit LmdbIndex(IndexFile file)
      : environment_(std::move(file.environment)), marked_(file.marked) {
    count_at_start();
    writer_.emplace([this](std::span<const Changes* const> group) { return apply(group); });
  }

  ~LmdbIndex() override {
    writer_.reset();  // Commits what is still queued.
    // Best effort: an index that could not be marked is looked at more closely by the next process.
    [[maybe_unused]] const int code = mark_index(*environment_, true);
  }

  std::optional<TagRecord> find_tag(const ImageName& image, const Tag& tag) const override {
    return look_up(Table::tags, codec::tag_key(image, tag),
                   [&](auto key, auto value) { return codec::read_tag(key, value, image, tag); });
  }

  std::optional<ManifestRecord> find_manifest(const Digest& digest) const override {
    return look_up(Table::manifests, codec::digest_key(digest), codec::read_manifest);
  }

  std::optional<BlobRecord> find_blob(const Digest& digest) const override {
    return look_up(Table::blobs, codec::digest_key(digest), codec::read_blob);
  }

  std::optional<GrantRecord> find_grant(const ImageName& image,
                                        const Digest& digest) const override {
    return look_up(Table::grants, codec::grant_key(image, digest), [&](auto key, auto value) {
      return codec::read_grant(key, value, image, digest);
    });
  }

  std::vector<SeenRecord> all_seen(std::size_t max) const override {
    return all<SeenRecord>(Table::seen, max, codec::read_seen);
  }

  std::vector<VirtualImage> all_images(std::size_t max) const override {
    return all<VirtualImage>(Table::images, max, codec::read_image);
  }

  void commit(Changes changes, Done done) override {
    writer_->submit(std::move(changes), std::move(done));
  }

  Totals totals() const override {
    return {.blobs = blobs_, .blob_bytes = blob_bytes_, .manifests = manifests_, .tags = tags_};
  }

  std::uint64_t damaged() const override { return damaged_; }

 private:
  /// One look-up in a transaction of its own; `read` copies the value out of it.
  template <class Read>
  auto look_up(Table table, const std::string& key, Read read) const
      -> decltype(read(std::string_view(), std::string_view())) {
    const lmdb::ReadTxn txn(*environment_);
    const auto got = txn.get(table, key);
    if (!got.found) {
      if (got.code != 0) ++damaged_;
      return std::nullopt;
    }
    auto record = read(std::string_view(key), got.value);
    if (!record) ++damaged_;
    return record;
  }

  template <class Record, class Read>
  std::vector<Record> all(Table table, std::size_t max, Read read) const {
    std::vector<Record> records;
    if (max == 0) return records;
    const lmdb::ReadTxn txn(*environment_);
    const int code = txn.each(table, [&](std::string_view key, std::string_view value) {
      auto record = read(key, value);
      if (!record) ++damaged_;
      if (record) records.push_back(*std::move(record));
      return records.size() < max;
    });
    if (code != 0) ++damaged_;
    return records;
  }

  void count_at_start() {
    const lmdb::ReadTxn txn(*environment_);
    const auto key = codec::blob_bytes_key();
    const auto got = txn.get(Table::meta, key);
    const auto bytes = got.found ? codec::read_number(key, got.value) : std::nullopt;
    // Without the sum (a damaged record) the first commit counts anew; with no blobs it is zero.
    recount_ = !bytes && txn.entries(Table::blobs) > 0;
    blob_bytes_ = bytes.value_or(0);
    blobs_ = txn.entries(Table::blobs);
    manifests_ = txn.entries(Table::manifests);
    tags_ = txn.entries(Table::tags);
  }

  /// The blob's size as far as the sum of sizes knows it; a damaged record makes the sum doubtful.
  std::uint64_t counted_size(const lmdb::WriteTxn& txn, const std::string& key, bool& recount) {
    const auto got = txn.get(Table::blobs, key);
    if (!got.found) return 0;
    const auto record = codec::read_blob(key, got.value);
    if (!record) recount = true;
    return record ? record->size : 0;
  }

  static std::uint64_t sum_of_sizes(const lmdb::WriteTxn& txn) {
    std::uint64_t sum = 0;
    txn.each(Table::blobs, [&sum](std::string_view key, std::string_view value) {
      if (const auto record = codec::read_blob(key, value)) sum += record->size;
      return true;
    });
    return sum;
  }

  void put_blobs(lmdb::WriteTxn& txn, const Changes& changes, std::uint64_t& bytes, bool& recount) {
    for (const auto& [digest, record] : changes.blobs) {
      const auto key = codec::digest_key(digest);
      bytes += record.size - counted_size(txn, key, recount);
      txn.put(Table::blobs, key, codec::write(key, record));
    }
    for (const auto& digest : changes.blobs_gone) {
      const auto key = codec::digest_key(digest);
      bytes -= counted_size(txn, key, recount);
      txn.erase(Table::blobs, key);
    }
  }

  static void put_tags(lmdb::WriteTxn& txn, const Changes& changes) {
    for (const auto& [name, record] : changes.tags) {
      const auto key = codec::tag_key(name.first, name.second);
      txn.put(Table::tags, key, codec::write_tag(key, name.first, name.second, record));
    }
    for (const auto& [image, tag] : changes.tags_gone) {
      txn.erase(Table::tags, codec::tag_key(image, tag));
    }
  }

  static void put_manifests(lmdb::WriteTxn& txn, const Changes& changes) {
    for (const auto& [digest, record] : changes.manifests) {
      const auto key = codec::digest_key(digest);
      txn.put(Table::manifests, key, codec::write(key, record));
    }
  }

  /// The rule of Grant::platform. The look-up sees what the same commit has written before, and a
  /// damaged record may have been anybody's.
  static std::string platform_after(const lmdb::WriteTxn& txn, const std::string& key,
                                    const Grant& grant) {
    const auto got = txn.get(Table::grants, key);
    if (!got.found) return grant.platform;
    const auto before = codec::read_grant(key, got.value, grant.image, grant.digest);
    return before && before->platform == grant.platform ? grant.platform : std::string();
  }

  static void put_grants(lmdb::WriteTxn& txn, const Changes& changes) {
    for (const auto& grant : changes.grants) {
      const auto key = codec::grant_key(grant.image, grant.digest);
      const GrantRecord record{.granted_at = std::time(nullptr),
                               .platform = platform_after(txn, key, grant)};
      txn.put(Table::grants, key, codec::write_grant(key, grant.image, grant.digest, record));
    }
  }

  static void put_seen(lmdb::WriteTxn& txn, const Changes& changes) {
    for (const auto& record : changes.seen) {
      const auto key = codec::tag_key(record.image, record.tag);
      txn.put(Table::seen, key, codec::write_seen(key, record));
    }
    for (const auto& [image, tag] : changes.seen_gone) {
      txn.erase(Table::seen, codec::tag_key(image, tag));
    }
  }

  static void put_images(lmdb::WriteTxn& txn, const Changes& changes) {
    for (const auto& image : changes.images) {
      const auto key = codec::image_key(image.name, image.tag);
      txn.put(Table::images, key, codec::write_image(key, image));
    }
    for (const auto& [name, tag] : changes.images_gone) {
      txn.erase(Table::images, codec::image_key(name, tag));
    }
  }

  /// On the writer's thread. A transaction remembers its first failure, so only the last step is
  /// asked how it went.
  Result<void> apply(std::span<const Changes* const> group) {
    if (!marked_) marked_ = mark_index(*environment_, false) == 0;
    lmdb::WriteTxn txn(*environment_);
    std::uint64_t bytes = blob_bytes_;
    bool recount = recount_;
    for (const Changes* const changes : group) {
      put_blobs(txn, *changes, bytes, recount);
      put_tags(txn, *changes);
      put_manifests(txn, *changes);
      put_grants(txn, *changes);
      put_seen(txn, *changes);
      put_images(txn, *changes);
    }
    if (recount) bytes = sum_of_sizes(txn);
    const auto key = codec::blob_bytes_key();
    txn.put(Table::meta, key, codec::write_number(key, bytes));
    const Totals totals{.blobs = txn.entries(Table::blobs),
                        .blob_bytes = bytes,
                        .manifests = txn.entries(Table::manifests),
                        .tags = txn.entries(Table::tags)};
    if (const int code = txn.commit(); code != 0) return write_error(code);
    recount_ = false;
    blobs_ = totals.blobs;
    blob_bytes_ = totals.blob_bytes;
    manifests_ = totals.manifests;
    tags_ = totals.tags;
    return {};
  }

  std::unique_ptr<lmdb::Environment> environment_;
  std::atomic<std::uint64_t> blobs_ = 0;
  std::atomic<std::uint64_t> blob_bytes_ = 0;
  std::atomic<std::uint64_t> manifests_ = 0;
  std::atomic<std::uint64_t> tags_ = 0;
  mutable std::atomic<std::uint64_t> damaged_ = 0;
  bool recount_ = false;  // The writer's thread alone, like the next.
  bool marked_;
  std::optional<WriterThread> writer_;  // Last: its thread uses everything above.
};

}  // namespace

std::unique_ptr<Index> make_index(IndexFile file) {
  return std::make_unique<LmdbIndex>(std::move(file));
}

Result<std::unique_ptr<Index>> Index::open(const std::filesystem::path& directory) {
  auto file = open_index_file(directory);
  if (!file) return file.error();
  return make_index(*std::move(file));
}

}  // namespace archway::cache
