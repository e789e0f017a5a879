#include "cache/blob_store.hpp"

#include "cache/directory_names.hpp"
#include "cache/file_error.hpp"
#include "cache/paths.hpp"
#include "cache/space_keeper.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

namespace archway::cache {
namespace {

constexpr mode_t directory_mode = 0700;
constexpr mode_t blob_mode = 0444;  // Nothing ever writes to a blob again.

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

int open_directory(const FileHandle& root, const std::string& path) {
  return ::openat(root.get(), path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

}  // namespace

Result<void> BlobStore::open(const std::filesystem::path& directory, bool read_only) {
  read_only_ = read_only;
  if (read_only_) return {};
  for (const char* const name : {paths::index, paths::blobs, paths::fills, paths::quarantine}) {
    if (::mkdirat(root_->get(), name, directory_mode) == 0 || errno == EEXIST) continue;
    return open_error("make " + (directory / name).string(), errno_text(errno));
  }
  if (sync_) ::fsync(root_->get());
  return {};
}

BlobStore::Found BlobStore::find(const Digest& digest) {
  if (!in_service_) return {};
  const auto path = paths::blob(digest);
  // Not blocking, should a FIFO stand there.
  auto file = std::make_shared<const FileHandle>(
      ::openat(root_->get(), path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file->get() < 0) {
    const int error = errno;
    if (error == ELOOP || error == ENXIO) set_aside_odd(digest);
    return {.gone = error == ENOENT || error == ENOTDIR};
  }
  struct stat facts {};
  if (::fstat(file->get(), &facts) != 0) return {};
  if (!S_ISREG(facts.st_mode)) {
    set_aside_odd(digest);
    return {};
  }
  return {
      .blob = BlobFile{.file = std::move(file), .size = static_cast<std::uint64_t>(facts.st_size)},
      .arrived_at = facts.st_mtim.tv_sec,
      .file_number = facts.st_ino};
}

std::vector<Digest> BlobStore::in_shard(Digest::Algorithm algorithm,
                                        std::uint8_t first_byte) const {
  std::vector<Digest> digests;
  each_name(*root_, paths::shard(algorithm, first_byte), [&](int, const char* name) {
    const auto digest = Digest::parse(std::string(paths::name(algorithm)) + ":" + name);
    if (digest && digest->bytes()[0] == first_byte) digests.push_back(*digest);
    return true;
  });
  return digests;
}

/// Makes every directory on the way that this process has not seen yet, each durable in its parent;
/// 0 or an errno.
int BlobStore::make_directory(const std::string& path) {
  for (auto slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const auto prefix = path.substr(0, slash);
    if (!known_.contains(prefix)) {
      if (::mkdirat(root_->get(), prefix.c_str(), directory_mode) != 0 && errno != EEXIST) {
        return errno;
      }
      // Also when it was there: whoever made it may have died before this.
      const FileHandle parent(open_directory(*root_, parent_of(prefix)));
      if (sync_ && (parent.get() < 0 || ::fsync(parent.get()) != 0)) return errno;
      known_.insert(prefix);
    }
    if (slash == std::string::npos) return 0;
  }
}

Result<std::unique_ptr<const FileHandle>> BlobStore::open_blob_directory(const Digest& digest) {
  const auto path = paths::blob_directory(digest);
  const std::lock_guard lock(mutex_);
  int error = 0;
  for (int attempt = 0; attempt < 2; ++attempt) {
    error = make_directory(path);
    if (error == 0) {
      auto directory = std::make_unique<const FileHandle>(open_directory(*root_, path));
      if (directory->get() >= 0) return directory;
      error = errno;
    }
    if (error != ENOENT) break;
    known_.clear();  // Somebody removed what this process had made: once more from the top.
  }
  return refused("open the directory " + path, error);
}

int BlobStore::rename_part(const Digest& digest) const {
  const auto from = paths::part(digest);
  const auto to = paths::blob(digest);
  const int root = root_->get();
  if (::renameat2(root, from.c_str(), root, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag: nobody else makes this name, so looking first is enough.
  struct stat facts {};
  if (::fstatat(root, to.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  return ::renameat(root, from.c_str(), root, to.c_str()) == 0 ? 0 : errno;
}

/// Also over a file of that name: its bytes were verified some time ago, the new ones just now.
int BlobStore::replace(const Digest& digest) const {
  const int root = root_->get();
  return ::renameat(root, paths::part(digest).c_str(), root, paths::blob(digest).c_str()) == 0
             ? 0
             : errno;
}

/// True when the name is new.
Result<bool> BlobStore::give_name(const Digest& digest, std::uint64_t size) {
  int error = rename_part(digest);
  const bool is_new = error != EEXIST;
  if (!is_new) {
    const auto there = find(digest);
    if (there.blob && there.blob->size != size) quarantine(digest, *there.blob, "a wrong size");
    error = replace(digest);
  }
  if (error == 0) return is_new;
  return refused("rename to " + paths::blob(digest), error);
}

Result<void> BlobStore::publish(const Digest& digest, const FileHandle& part, std::uint64_t size) {
  if (::fchmod(part.get(), blob_mode) != 0) {
    return refused("change the mode of " + paths::part(digest), errno);
  }
  // A failed sync is never tried again: the kernel has marked the pages clean.
  if (sync_ && ::fdatasync(part.get()) != 0) {
    return refused("sync " + paths::part(digest), errno);
  }
  const auto directory = open_blob_directory(digest);
  if (!directory) return directory.error();
  const auto named = give_name(digest, size);
  if (!named) return named.error();
  leave_part(digest);
  if (sync_ && ::fsync((*directory)->get()) != 0) {
    const int error = errno;
    if (*named) ::unlinkat(root_->get(), paths::blob(digest).c_str(), 0);
    return refused("sync the directory of " + paths::blob(digest), error);
  }
  return {};
}

Error BlobStore::refused(std::string_view doing, int error) {
  if (error == EROFS) turned_read_only_ = true;
  write_errors_.note(error, doing);
  return storage_error(doing, error);
}

bool BlobStore::settle() const {
  return sync_ || read_only_ || ::syncfs(root_->get()) == 0;
}

BlobStore::Removal BlobStore::quarantine(const Digest& digest, const BlobFile& seen,
                                         std::string_view why) {
  const std::lock_guard lock(mutex_);
  struct stat held {};
  struct stat named {};
  if (::fstat(seen.file->get(), &held) != 0) return Removal::impossible;
  const auto path = paths::blob(digest);
  if (::fstatat(root_->get(), path.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT || errno == ENOTDIR ? Removal::gone : Removal::impossible;
  }
  // As long as it is open its number is not used again: another number is another file.
  if (held.st_ino != named.st_ino || held.st_dev != named.st_dev) return Removal::gone;
  return move_away(digest, why) ? Removal::done : Removal::impossible;
}

std::optional<BlobStore::Facts> BlobStore::facts(const Digest& digest) const {
  struct stat found {};
  const auto path = paths::blob(digest);
  const bool is_file = ::fstatat(root_->get(), path.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
                       S_ISREG(found.st_mode);
  if (!is_file) return std::nullopt;
  return Facts{.size = static_cast<std::uint64_t>(found.st_size),
               .arrived_at = found.st_mtim.tv_sec};
}

bool BlobStore::is_missing(const Digest& digest) const {
  struct stat found {};
  const auto path = paths::blob(digest);
  if (::fstatat(root_->get(), path.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
    return !S_ISREG(found.st_mode);
  }
  return errno == ENOENT;
}

bool BlobStore::remove(const Digest& digest) const {
  return ::unlinkat(root_->get(), paths::blob(digest).c_str(), 0) == 0;
}

void BlobStore::show_removed() const {
  struct statfs facts {};
  if (::fstatfs(root_->get(), &facts) != 0) return;
  // There what was removed is free only after the next commit of the file system's own.
  if (facts.f_type == BTRFS_SUPER_MAGIC) ::syncfs(root_->get());
}

std::optional<std::uint64_t> BlobStore::free_bytes() const {
  return cache::free_bytes(root_->get());
}

std::optional<std::uint64_t> BlobStore::disk_bytes() const {
  struct statfs facts {};
  if (::fstatfs(root_->get(), &facts) != 0) return std::nullopt;
  return std::uint64_t{facts.f_blocks} * static_cast<std::uint64_t>(facts.f_frsize);
}

void BlobStore::set_aside_odd(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  struct stat named {};
  const auto path = paths::blob(digest);
  if (::fstatat(root_->get(), path.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (!S_ISREG(named.st_mode)) move_away(digest, "not a plain file");
}

bool BlobStore::move_away(const Digest& digest, std::string_view why) {
  if (read_only_) return false;
  const int root = root_->get();
  const auto from = paths::blob(digest);
  const auto to = paths::quarantined(digest);
  ::mkdirat(root, paths::quarantine, directory_mode);
  auto outcome = "moved to " + to;
  bool gone = ::renameat(root, from.c_str(), root, to.c_str()) == 0;
  if (!gone) {
    outcome = "cannot be moved: " + errno_text(errno);
    gone = ::unlinkat(root, from.c_str(), 0) == 0;
    if (gone) outcome += ", so it is removed";
  }
  if (gone) ++quarantined_;
  if (log_ == nullptr) return gone;
  log_->write(metrics::Level::warn, "damaged blob",
              {{"digest", digest.str()}, {"why", std::string(why)}, {"file", outcome}});
  return gone;
}

}  // namespace archway::cache
