#include "cache/index.hpp"

#include "cache/file_error.hpp"
#include "cache/index_audit.hpp"
#include "cache/index_changes.hpp"
#include "cache/index_file.hpp"
#include "cache/index_snapshot.hpp"
#include "cache/listed_codec.hpp"
#include "cache/no_index.hpp"
#include "cache/record_codec.hpp"
#include "cache/writer_thread.hpp"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <sys/statvfs.h>
#include <utility>
#include <vector>

namespace archway::cache {
namespace {

using lmdb::Table;

/// A write that came out too short is EIO to LMDB, and a full disk's are.
bool is_nearly_full(const std::filesystem::path& directory) {
  constexpr std::uint64_t part_of_it = 50;  // Less than 2 %.
  struct statvfs disk {};
  return ::statvfs(directory.c_str(), &disk) == 0 && disk.f_bavail < disk.f_blocks / part_of_it;
}

Error write_error(int code, const std::filesystem::path& directory) {
  // LMDB's own numbers are negative; only a system error has a text of the system's.
  int error = code > 0 ? code : EIO;
  if (code == EIO && is_nearly_full(directory)) error = ENOSPC;
  auto said = storage_error("change the index", error);
  if (lmdb::is_full(code)) said.message = "The index of archway's cache is full.";
  if (!says_full(said)) said.context = "cannot change the index: " + lmdb::text(code);
  return said;
}

/// What somebody wished for until now: wished for anew unless it was met.
struct Wish {
  explicit Wish(std::atomic<bool>* wish) : flag(wish), is_made(wish->exchange(false)) {}
  Wish(const Wish&) = delete;
  Wish& operator=(const Wish&) = delete;
  ~Wish() {
    if (is_made && !is_met) *flag = true;
  }

  std::atomic<bool>* flag;
  const bool is_made;
  bool is_met = false;
};

class LmdbIndex final : public Index {
 public:
  explicit LmdbIndex(IndexFile file)
      : directory_(std::move(file.directory)),
        environment_(std::move(file.environment)),
        suspect_before_(file.suspect_before),
        in_use_for_good_(file.read_only),
        marked_(file.marked) {
    count_at_start();
    if (file.source == IndexFile::Source::snapshot && !file.read_only)
      commits_ = 1;  // It needs another one.
    writer_.emplace([this](std::span<const Changes* const> group) { return apply(group); });
  }

  ~LmdbIndex() override {
    writer_.reset();  // Commits what is still queued.
    // Best effort: an index that could not be marked is looked at more closely by the next process.
    if (!in_use_for_good_) {
      [[maybe_unused]] const int code = mark_index(*environment_, true, suspect_before_);
    }
    if (commits_ == snapshot_commits_) return;
    [[maybe_unused]] const auto taken = snapshot();
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

  std::vector<PinRecord> all_pins(std::size_t max) const override {
    return all<PinRecord>(Table::pins, max, codec::read_pin);
  }

  std::vector<TagEntry> tags_after(const std::optional<std::pair<ImageName, Tag>>& after,
                                   std::size_t max) const override {
    return all<TagEntry>(Table::tags, max, codec::read_tag_entry,
                         after ? codec::tag_key(after->first, after->second) : std::string());
  }

  std::vector<BlobEntry> blobs_after(const std::optional<Digest>& after,
                                     std::size_t max) const override {
    const auto read = [](auto key, auto value) -> std::optional<BlobEntry> {
      const auto digest = codec::read_digest_key(key);
      const auto record = codec::read_blob(key, value);
      if (!digest || !record) return std::nullopt;
      return BlobEntry{.digest = *digest, .record = *record};
    };
    return all<BlobEntry>(Table::blobs, max, read, key_of(after));
  }

  std::vector<ManifestEntry> manifests_after(const std::optional<Digest>& after,
                                             std::size_t max) const override {
    const auto read = [](auto key, auto value) -> std::optional<ManifestEntry> {
      const auto digest = codec::read_digest_key(key);
      const auto size = codec::read_manifest_size(key, value);
      if (!digest || !size) return std::nullopt;
      return ManifestEntry{.digest = *digest, .size = *size};
    };
    return all<ManifestEntry>(Table::manifests, max, read, key_of(after));
  }

  std::vector<GrantEntry> grants_after(const std::optional<std::pair<ImageName, Digest>>& after,
                                       std::size_t max) const override {
    return all<GrantEntry>(Table::grants, max, codec::read_grant_entry,
                           after ? codec::grant_key(after->first, after->second) : std::string());
  }

  void commit(Changes changes, Done done) override {
    writer_->submit(std::move(changes), std::move(done));
  }

  Totals totals() const override {
    return {.blobs = blobs_, .blob_bytes = blob_bytes_, .manifests = manifests_, .tags = tags_};
  }

  std::uint64_t damaged() const override { return damaged_; }

  std::int64_t suspect_before() const override { return suspect_before_; }

  void leave_in_use() override { in_use_for_good_ = true; }

  Audit audit() override {
    auto [found, unreadable] = audit_index(*environment_);
    {
      const std::lock_guard lock(unreadable_mutex_);
      unreadable_ = std::move(unreadable);
    }
    if (!found.sums_right || found.damaged > 0) recount_ = true;
    return found;
  }

  std::uint64_t commits() const override { return commits_; }

  std::uint64_t file_bytes() const override {
    const auto [page_bytes, pages] = environment_->shape();
    return page_bytes * pages;
  }

  Result<void> snapshot() override {
    const std::uint64_t commits = commits_;
    auto written = write_snapshot(*environment_, directory_);
    if (written) snapshot_commits_ = commits;
    return written;
  }

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

  static std::string key_of(const std::optional<Digest>& digest) {
    return digest ? codec::digest_key(*digest) : std::string();
  }

  /// What comes behind that key; all for an empty one.
  template <class Record, class Read>
  std::vector<Record> all(Table table, std::size_t max, Read read,
                          const std::string& after = {}) const {
    std::vector<Record> records;
    if (max == 0) return records;
    const lmdb::ReadTxn txn(*environment_);
    const int code =
        txn.each_after(table, after, [&](std::string_view key, std::string_view value) {
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
    const auto number = [&txn](const std::string& key) -> std::optional<std::uint64_t> {
      const auto got = txn.get(Table::meta, key);
      return got.found ? codec::read_number(key, got.value) : std::nullopt;
    };
    const auto bytes = number(codec::blob_bytes_key());
    // Without the sum the first commit counts anew; with no blobs it is zero.
    recount_ = !bytes && txn.entries(Table::blobs) > 0;
    blob_bytes_ = bytes.value_or(0);
    last_check_ = static_cast<std::int64_t>(number(codec::last_check_key()).value_or(0));
    blobs_ = txn.entries(Table::blobs);
    manifests_ = txn.entries(Table::manifests);
    tags_ = txn.entries(Table::tags);
  }

  /// On the writer's thread.
  Result<void> apply(std::span<const Changes* const> group) {
    int code = try_to_apply(group);
    while (lmdb::is_full(code) && environment_->grow() == 0) code = try_to_apply(group);
    if (code != 0) return write_error(code, directory_);
    return {};
  }

  /// A transaction remembers its first failure, so only the last step is asked how it went.
  int try_to_apply(std::span<const Changes* const> group) {
    if (!marked_) marked_ = mark_index(*environment_, false, suspect_before_) == 0;
    lmdb::WriteTxn txn(*environment_);
    // Before what is unreadable is taken: an audit that ends from here on is for the next commit.
    Wish recount(&recount_);
    IndexChanges changes(
        txn, {.blob_bytes = blob_bytes_, .recount = recount.is_made, .last_check = last_check_});
    erase_unreadable(txn, take_unreadable());
    for (const Changes* const one : group) changes.put(*one);
    const auto sums = changes.put_sums();
    const Totals totals{.blobs = txn.entries(Table::blobs),
                        .blob_bytes = sums.blob_bytes,
                        .manifests = txn.entries(Table::manifests),
                        .tags = txn.entries(Table::tags)};
    if (const int code = txn.commit(); code != 0) return code;
    recount.is_met = true;
    last_check_ = sums.last_check;
    blobs_ = totals.blobs;
    blob_bytes_ = totals.blob_bytes;
    manifests_ = totals.manifests;
    tags_ = totals.tags;
    ++commits_;
    return 0;
  }

  /// What the last audit found; should the commit fail, the next one finds it again.
  std::vector<UnreadableRecord> take_unreadable() {
    const std::lock_guard lock(unreadable_mutex_);
    return std::exchange(unreadable_, {});
  }

  const std::filesystem::path directory_;
  std::unique_ptr<lmdb::Environment> environment_;
  std::atomic<std::uint64_t> blobs_ = 0;
  std::atomic<std::uint64_t> blob_bytes_ = 0;
  std::atomic<std::uint64_t> manifests_ = 0;
  std::atomic<std::uint64_t> tags_ = 0;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> snapshot_commits_ = 0;  // What the snapshot has of them.
  mutable std::atomic<std::uint64_t> damaged_ = 0;
  const std::int64_t suspect_before_;
  std::atomic<bool> in_use_for_good_;
  std::atomic<bool> recount_ = false;
  std::mutex unreadable_mutex_;
  std::vector<UnreadableRecord> unreadable_;  // Guarded by unreadable_mutex_.
  std::int64_t last_check_ = 0;               // The writer's thread alone, like the next.
  bool marked_;
  std::optional<WriterThread> writer_;  // Last: its thread uses everything above.
};

}  // namespace

std::unique_ptr<Index> make_index(IndexFile file) {
  if (!file.environment) return make_no_index();
  return std::make_unique<LmdbIndex>(std::move(file));
}

Result<std::unique_ptr<Index>> Index::open(const std::filesystem::path& directory) {
  auto file = open_index_file(directory);
  if (!file) return file.error();
  return make_index(*std::move(file));
}

}  // namespace archway::cache
