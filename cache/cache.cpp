#include "cache/cache.hpp"

#include "cache/blob_check.hpp"
#include "cache/blob_keeper.hpp"
#include "cache/blob_store.hpp"
#include "cache/collection.hpp"
#include "cache/file_error.hpp"
#include "cache/fill_table.hpp"
#include "cache/fill_writer.hpp"
#include "cache/growing_fill.hpp"
#include "cache/housekeeping.hpp"
#include "cache/index_file.hpp"
#include "cache/index_snapshot.hpp"
#include "cache/lock_file.hpp"
#include "cache/paths.hpp"
#include "cache/recheck.hpp"
#include "cache/reconcile.hpp"
#include "cache/scrub.hpp"
#include "cache/space.hpp"
#include "cache/store_health.hpp"
#include "cache/verification.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <utility>
#include <vector>

namespace archway::cache {
namespace {

/// How often the index is looked at, whether a snapshot of it is due.
constexpr std::chrono::seconds snapshot_look{5};

/// What an unfinished transfer left is worth keeping for so long, and is looked for so often.
constexpr std::chrono::hours part_life{24};
constexpr std::chrono::minutes parts_look{30};

/// How long a damaged file may still be looked at.
constexpr std::chrono::hours quarantined_for{24 * 7};

SpaceLimits limits_of(const Options& options, const BlobStore& store) {
  constexpr std::uint64_t part_of_small = 10;
  auto limits = options.limits;
  if (const auto all = store.disk_bytes(); all && options.keep_free_is_default) {
    limits.keep_free = std::min(limits.keep_free, *all / part_of_small);
  }
  return limits;
}

/// Of a file that is read again because it is doubted, at once.
constexpr std::size_t doubted_bytes = 512 * 1024;

/// A disk may stumble once: what reads well when it is looked at again is no loss to be taken.
bool is_wrong(BlobCheck& check) {
  std::vector<std::uint8_t> buffer(doubted_bytes);
  auto state = BlobCheck::State::under_way;
  while (state == BlobCheck::State::under_way) state = check.step(buffer);
  return state == BlobCheck::State::wrong;
}

class DiskCache final : public Cache {
 public:
  DiskCache(std::filesystem::path directory, std::unique_ptr<const FileHandle> lock,
            std::unique_ptr<BlobStore> store, std::unique_ptr<Index> index, const Options& options,
            metrics::Log* log)
      : directory_(std::move(directory)),
        lock_(std::move(lock)),
        store_(std::move(store)),
        health_(
            {.probe =
                 [this](std::span<const Digest> unreadable) { return store_->answers(unreadable); },
             .serve = [this](bool in_service) { store_->serve(in_service); }},
            log),
        keeper_(store_.get(), index.get(), books()),
        index_(std::move(index)),
        pins_(index_.get(), options.refers_to, options.is_pinned),
        space_(
            limits_of(options, *store_),
            {.store = store_.get(),
             .index = index_.get(),
             .is_filling = [this](const Digest& digest) { return fills_.find(digest) != nullptr; },
             .pins = &pins_,
             .excluded = options.excluded}),
        refers_to_(options.refers_to),
        log_(log),
        // What cannot be taken down is not worth the reading.
        scrub_(parts_of_scrub(), store_->read_only() ? std::chrono::seconds(0) : options.scrub),
        reconcile_(store_.get(), index_.get(), &space_, options.excluded),
        housekeeping_({[this] { return take_snapshot_if_due(); },
                       [this] { return remove_old_parts(); }, [this] { return scrub_.step(); },
                       [this] { return reconcile_.step(); }, [this] { return health_.step(); }}) {}

  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;
  ~DiskCache() override {
    // Closed in order an index says that every blob is whole, also after a power cut.
    if (!store_->settle()) index_->leave_in_use();
  }

  Index& index() override { return *index_; }

  std::optional<BlobFile> open_blob(const Digest& digest) override {
    if (space_.is_leaving(digest)) return std::nullopt;
    auto seen = keeper_.open(digest);
    if (seen.suspect || !seen.blob) return std::nullopt;
    return space_.lend(digest, *std::move(seen.blob));
  }

  Access open_or_join(const Digest& digest, const std::string& asker) override {
    if (auto blob = open_blob(digest)) return {.blob = std::move(blob)};
    return fills_.join(
        digest, asker, [this, &digest] { return look(digest); },
        [this](std::shared_ptr<GrowingFill> fill) {
          auto* const started = fill.get();
          return std::make_unique<BlobFillWriter>(std::move(fill), store_.get(), index_.get(),
                                                  &space_,
                                                  [this, started] { fills_.leave(*started); });
        },
        [this](std::shared_ptr<GrowingFill> fill, BlobKeeper::Seen seen) {
          recheck_.start(std::move(fill), std::move(seen));
        });
  }

  std::shared_ptr<Fill> find_fill(const Digest& digest) const override {
    return fills_.find(digest);
  }

  void report_damaged(const Digest& digest, const BlobFile& blob, std::string_view why) override {
    BlobCheck check(digest, blob);
    if (is_wrong(check)) keeper_.condemn(check, FoundBy::serving, why);
  }

  Verified verify(const VerifyProgress& progress) override {
    const auto is_filling = [this](const Digest& digest) { return fills_.find(digest) != nullptr; };
    return Verification(store_.get(), &keeper_, index_.get(), is_filling).run(progress);
  }

  Stats stats() const override {
    return {.totals = index_->totals(),
            .fills_in_progress = fills_.size(),
            .quarantined = store_->quarantined(),
            .rechecks_in_progress = fills_.rechecks(),
            .damaged = keeper_.damaged(),
            .refusals = store_->refusals(),
            .scrubbed_bytes = scrub_.bytes(),
            .read_only = store_->read_only(),
            .out_of_service = health_.is_bad(),
            .limits = space_.limits(),
            .space = space_.usage(),
            .disk_free = store_->free_bytes().value_or(0),
            .in_use = space_.in_use(),
            .reconciled = reconcile_.is_done()};
  }

  void reconcile() override { reconcile_.begin_again(); }

  Result<Collected> collect() override {
    const auto before = space_.usage();
    if (auto made = space_.make_room(); !made) return made.error();
    const auto after = space_.usage();
    const auto manifests = remove_unused_manifests(*index_, refers_to_);
    if (!manifests) return manifests.error();
    return Collected{.blobs = after.evicted_blobs - before.evicted_blobs,
                     .blob_bytes = after.evicted_bytes - before.evicted_bytes,
                     .manifests = *manifests,
                     .quarantined = store_->remove_quarantined(quarantined_for)};
  }

  Result<Collected> remove(std::span<const Digest> blobs) override {
    constexpr std::size_t at_once = 256;
    Collected collected;
    for (std::size_t at = 0; at < blobs.size(); at += at_once) {
      std::vector<Evictable> some;
      for (const auto& digest : blobs.subspan(at, std::min(at_once, blobs.size() - at))) {
        const auto record = index_->find_blob(digest);
        if (record) some.push_back({.digest = digest, .size = record->size});
      }
      const auto removed = space_.remove(some);
      if (!removed) return removed.error();
      collected.blobs += some.size() - removed->stay.size();
      collected.blob_bytes += removed->freed;
    }
    return collected;
  }

  const std::filesystem::path& directory() const override { return directory_; }

 private:
  BlobBooks books() {
    return {.found =
                [this](const Digest& digest, std::uint64_t size) {
                  space_.keeper().adopt({.digest = digest, .size = size});
                },
            .gone = [this](const Digest& digest,
                           std::uint64_t size) { space_.keeper().forget(digest, size); },
            .unreadable = [this](const Digest& digest) { return health_.could_not_read(digest); }};
  }

  BlobKeeper::Seen look(const Digest& digest) {
    if (space_.is_leaving(digest)) return {};
    auto seen = keeper_.look(digest);
    if (seen.blob) seen.blob = space_.lend(digest, *std::move(seen.blob));
    return seen;
  }

  std::chrono::milliseconds take_snapshot_if_due() {
    const auto now = std::chrono::steady_clock::now();
    if (snapshots_.is_due(index_->commits(), index_->file_bytes(), now)) {
      const auto taken = index_->snapshot();
      if (!taken && log_ != nullptr) {
        log_->write_seldom("snapshot", metrics::Level::warn, "no snapshot of the index",
                           {{"why", taken.error().context}});
      }
    }
    return snapshot_look;
  }

  Scrub::Parts parts_of_scrub() {
    return {.store = store_.get(),
            .keeper = &keeper_,
            .index = index_.get(),
            .is_busy = [this] { return fills_.size() + fills_.rechecks() > 0; },
            .now = [] { return static_cast<std::int64_t>(std::time(nullptr)); }};
  }

  std::chrono::milliseconds remove_old_parts() {
    store_->remove_parts(part_life);
    return parts_look;
  }

  std::filesystem::path directory_;
  std::unique_ptr<const FileHandle> lock_;  // Given up last but the name.
  std::unique_ptr<BlobStore> store_;
  StoreHealth health_;
  FillTable fills_;
  BlobKeeper keeper_;  // Before index_, whose last commits it still hears of.
  std::unique_ptr<Index> index_;
  Pins pins_;
  Space space_;
  Pins::RefersTo refers_to_;
  metrics::Log* log_;
  Recheck recheck_{&keeper_, [this](const GrowingFill& fill) { fills_.leave(fill); }};
  Scrub scrub_;
  Reconcile reconcile_;
  SnapshotSchedule snapshots_{std::chrono::steady_clock::now()};  // The next one's alone.
  Housekeeping housekeeping_;  // Last: its thread uses everything above.
};

void tell(metrics::Log* log, const std::filesystem::path& directory, const IndexFile& file) {
  if (log == nullptr) return;
  if (file.read_only) {
    log->write(metrics::Level::warn,
               "the cache cannot be written to: it serves what is there and keeps nothing new",
               {{"directory", directory.string()}});
  }
  const bool from_snapshot = file.source == IndexFile::Source::snapshot;
  if (file.set_aside) {
    log->write(metrics::Level::warn, "unusable index set aside",
               {{"file", file.set_aside->string()},
                {"why", file.set_aside_why},
                {"instead", std::string(from_snapshot ? "its last snapshot" : "a new one")}});
  } else if (from_snapshot) {
    log->write(metrics::Level::warn, "there was no index; its last snapshot is used", {});
  }
  log->write(metrics::Level::info, "cache opened",
             {{"directory", directory.string()}, {"closed_in_order", file.was_clean}});
}

Result<std::shared_ptr<const FileHandle>> open_root(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (error) return open_error("make " + directory.parent_path().string(), error.message());
  // For its owner alone: it may hold images that not everybody on this machine may read.
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return open_error("make " + directory.string(), errno_text(errno));
  }
  auto root = std::make_shared<const FileHandle>(
      ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root->get() < 0) return open_error("open " + directory.string(), errno_text(errno));
  return root;
}

/// What the index cannot be kept on is refused before anything is made there.
Result<FileSystemTraits> check_file_system(const Options& options, const FileHandle& root,
                                           const std::filesystem::path& directory) {
  const auto magic = options.magic_of(root);
  const auto traits = magic ? traits_of(*magic) : FileSystemTraits{};
  if (!traits.shared) return traits;
  return Error{.code = Errc::configuration_invalid,
               .origin = Origin::configuration,
               .message = "The cache cannot be kept in " + directory.string() + ", which is on " +
                          std::string(traits.name) +
                          ": other machines may write to it, and the index is mapped into memory. "
                          "Give cache.directory a local disk."};
}

Result<IndexFile> open_index(const std::filesystem::path& directory, bool read_only) {
  if (read_only) return open_index_file_read_only(directory);
  return open_index_file(directory);
}

}  // namespace

Result<std::unique_ptr<Cache>> Cache::open(const Options& options, metrics::Log* log) {
  std::error_code error;
  auto directory = std::filesystem::absolute(options.directory, error);
  if (error) return open_error("find " + options.directory.string(), error.message());
  if (!directory.has_filename()) directory = directory.parent_path();  // "/var/cache/archway/"
  auto root = open_root(directory);
  if (!root) return root.error();
  const auto traits = check_file_system(options, **root, directory);
  if (!traits) return traits.error();
  auto lock = lock_directory(**root, directory);
  if (!lock) return lock.error();
  auto store = std::make_unique<BlobStore>(*root, options.sync && !traits->keeps_no_order, log);
  if (auto opened = store->open(directory, lock->read_only); !opened) return opened.error();
  auto file = open_index(directory / paths::index, lock->read_only);
  if (!file) return file.error();
  tell(log, directory, *file);
  if (log != nullptr && options.sync && traits->keeps_no_order) {
    log->write(metrics::Level::warn, "the cache's durability is relaxed here",
               {{"directory", directory.string()}, {"file_system", std::string(traits->name)}});
  }
  return std::unique_ptr<Cache>(
      std::make_unique<DiskCache>(std::move(directory), std::move(lock->file), std::move(store),
                                  make_index(*std::move(file)), options, log));
}

}  // namespace archway::cache
