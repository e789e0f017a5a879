#include "cache/cache.hpp"

#include "cache/blob_store.hpp"
#include "cache/file_error.hpp"
#include "cache/fill_table.hpp"
#include "cache/fill_writer.hpp"
#include "cache/growing_fill.hpp"
#include "cache/index_file.hpp"
#include "cache/lock_file.hpp"
#include "cache/paths.hpp"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace archway::cache {
namespace {

/// Records of found files on their way into the index; the rest is put in when next asked for.
constexpr int repairs_max = 64;

class DiskCache final : public Cache {
 public:
  DiskCache(std::filesystem::path directory, std::unique_ptr<const FileHandle> lock,
            std::unique_ptr<BlobStore> store, std::unique_ptr<Index> index)
      : directory_(std::move(directory)),
        lock_(std::move(lock)),
        store_(std::move(store)),
        index_(std::move(index)) {}

  Index& index() override { return *index_; }

  std::optional<BlobFile> open_blob(const Digest& digest) override {
    auto found = store_->find(digest);
    const auto record = index_->find_blob(digest);
    // Published between the two looks? A record comes after its file.
    if (!found.blob && record) found = store_->find(digest);
    if (!found.blob) {
      if (record && found.gone) forget(digest);
      return std::nullopt;
    }
    if (record && record->size != found.blob->size) {
      store_->quarantine(digest, *found.blob, "a wrong size");
      forget(digest);
      return std::nullopt;
    }
    if (!record) remember(digest, {.size = found.blob->size, .arrived_at = found.arrived_at});
    return std::move(found.blob);
  }

  Access open_or_join(const Digest& digest, const std::string& asker) override {
    if (auto blob = open_blob(digest)) return {.blob = std::move(blob)};
    return fills_.join(
        digest, asker, [this, &digest] { return look_again(digest); },
        [this](std::shared_ptr<GrowingFill> fill) {
          auto* const started = fill.get();
          return std::make_unique<BlobFillWriter>(std::move(fill), store_.get(), index_.get(),
                                                  [this, started] { fills_.leave(*started); });
        });
  }

  std::shared_ptr<Fill> find_fill(const Digest& digest) const override {
    return fills_.find(digest);
  }

  Stats stats() const override {
    return {.totals = index_->totals(),
            .fills_in_progress = fills_.size(),
            .quarantined = store_->quarantined()};
  }

  const std::filesystem::path& directory() const override { return directory_; }

 private:
  /// open_blob() without its repairs: under the lock of the fills there is time for one open(2) and
  /// the page or two of the index that tell the size.
  std::optional<BlobFile> look_again(const Digest& digest) {
    auto found = store_->find(digest);
    if (!found.blob) return std::nullopt;
    const auto record = index_->find_blob(digest);
    if (record && record->size != found.blob->size) return std::nullopt;
    return std::move(found.blob);
  }

  void forget(const Digest& digest) { index_->commit({.blobs_gone = {digest}}, {}); }

  void remember(const Digest& digest, const BlobRecord& record) {
    if (repairs_.fetch_add(1) >= repairs_max) {
      --repairs_;
      return;
    }
    index_->commit({.blobs = {{digest, record}}}, [this](const Result<void>&) { --repairs_; });
  }

  std::filesystem::path directory_;
  std::unique_ptr<const FileHandle> lock_;  // Given up last but the name.
  std::unique_ptr<BlobStore> store_;
  std::atomic<int> repairs_ = 0;  // Before index_, whose writer still counts it down.
  FillTable fills_;
  std::unique_ptr<Index> index_;
};

void tell(metrics::Log* log, const std::filesystem::path& directory, const IndexFile& file) {
  if (log == nullptr) return;
  if (file.set_aside) {
    log->write(metrics::Level::warn, "unusable index set aside, a new one begun",
               {{"file", file.set_aside->string()}, {"why", file.set_aside_why}});
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

}  // namespace

Result<std::unique_ptr<Cache>> Cache::open(const Options& options, metrics::Log* log) {
  std::error_code error;
  auto directory = std::filesystem::absolute(options.directory, error);
  if (error) return open_error("find " + options.directory.string(), error.message());
  if (!directory.has_filename()) directory = directory.parent_path();  // "/var/cache/archway/"
  auto root = open_root(directory);
  if (!root) return root.error();
  auto lock = lock_directory(**root, directory);
  if (!lock) return lock.error();
  auto store = std::make_unique<BlobStore>(*root, options.sync, log);
  if (auto opened = store->open(directory); !opened) return opened.error();
  auto file = open_index_file(directory / paths::index);
  if (!file) return file.error();
  tell(log, directory, *file);
  return std::unique_ptr<Cache>(std::make_unique<DiskCache>(
      std::move(directory), *std::move(lock), std::move(store), make_index(*std::move(file))));
}

}  // namespace archway::cache
