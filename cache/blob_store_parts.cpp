// What a BlobStore has beside the blobs: partial files, and what was found damaged.

#include "cache/blob_store.hpp"
#include "cache/directory_names.hpp"
#include "cache/file_error.hpp"
#include "cache/paths.hpp"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <functional>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace archway::cache {
namespace {

constexpr mode_t fills_mode = 0700;
constexpr mode_t part_mode = 0600;

/// Sets room for the file's bytes [begin, end) aside, so that a full disk shows before the first of
/// them. Its length stays what was written.
int reserve(int fd, std::uint64_t begin, std::uint64_t end) {
  if (end <= begin) return 0;
  const auto size = end - begin;
  struct statvfs disk {};
  // Asked first: fallocate would take all that is left before it notices.
  if (::fstatvfs(fd, &disk) == 0 && size / disk.f_frsize > disk.f_bavail) return ENOSPC;
  while (::fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                     static_cast<off_t>(size)) != 0) {
    if (errno == EOPNOTSUPP || errno == ENOSYS) return 0;
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Calls `visit` with the directory and the name of each partial file, at most parts_max.
void each_part(const FileHandle& root, const std::function<void(int, const char*)>& visit) {
  std::size_t seen = 0;
  each_name(root, paths::fills, [&](int fills, const char* name) {
    if (!std::string_view(name).ends_with(paths::part_suffix)) return true;
    visit(fills, name);
    return ++seen < BlobStore::parts_max;
  });
}

}  // namespace

Result<std::shared_ptr<const FileHandle>> BlobStore::create_part(
    const Digest& digest, std::optional<std::uint64_t> size) {
  const auto path = paths::part(digest);
  if (read_only_) return refused("create " + path, EROFS);
  remove_part(digest);
  use_part(digest);
  constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  int fd = ::openat(root_->get(), path.c_str(), flags, part_mode);
  if (fd < 0 && errno == ENOENT && ::mkdirat(root_->get(), paths::fills, fills_mode) == 0) {
    fd = ::openat(root_->get(), path.c_str(), flags, part_mode);
  }
  if (fd < 0) {
    const int error = errno;
    leave_part(digest);
    return refused("create " + path, error);
  }
  turned_read_only_ = false;
  const Part part{.file = std::make_shared<const FileHandle>(fd)};
  if (const auto reserved = reserve_part(digest, part, size); !reserved) {
    remove_part(digest);
    return reserved.error();
  }
  return part.file;
}

std::optional<BlobStore::Part> BlobStore::open_part(const Digest& digest) {
  if (read_only_ || !in_service_) return std::nullopt;
  use_part(digest);
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  auto file = std::make_shared<const FileHandle>(
      ::openat(root_->get(), paths::part(digest).c_str(), flags));
  struct stat facts {};
  if (file->get() < 0 || ::fstat(file->get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    leave_part(digest);
    return std::nullopt;
  }
  return Part{.file = std::move(file), .size = static_cast<std::uint64_t>(facts.st_size)};
}

Result<void> BlobStore::reserve_part(const Digest& digest, const Part& part,
                                     std::optional<std::uint64_t> size) {
  const int error = reserve(part.file->get(), part.size, size.value_or(0));
  if (error == 0) return {};
  return refused("reserve " + std::to_string(*size) + " bytes for " + paths::part(digest), error);
}

void BlobStore::remove_part(const Digest& digest) {
  ::unlinkat(root_->get(), paths::part(digest).c_str(), 0);
  leave_part(digest);
}

void BlobStore::use_part(const Digest& digest) {
  const std::lock_guard lock(parts_mutex_);
  parts_in_use_.insert(digest);
}

void BlobStore::leave_part(const Digest& digest) {
  const std::lock_guard lock(parts_mutex_);
  parts_in_use_.erase(digest);
}

std::uint64_t BlobStore::remove_parts(std::chrono::seconds unused_for) {
  if (read_only_) return 0;
  std::uint64_t freed = 0;
  const auto before = std::time(nullptr) - static_cast<std::time_t>(unused_for.count());
  // Held throughout: nobody takes one over while it is removed.
  const std::lock_guard lock(parts_mutex_);
  std::unordered_set<std::string> used;
  for (const auto& digest : parts_in_use_) used.insert(paths::part(digest));
  each_part(*root_, [&](int fills, const char* name) {
    struct stat facts {};
    if (used.contains(std::string(paths::fills) + "/" + name)) return;
    if (::fstatat(fills, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (facts.st_mtim.tv_sec > before || ::unlinkat(fills, name, 0) != 0) return;
    constexpr std::uint64_t block_bytes = 512;  // The unit of st_blocks, everywhere.
    freed += static_cast<std::uint64_t>(facts.st_blocks) * block_bytes;
  });
  return freed;
}

std::uint64_t BlobStore::remove_quarantined(std::chrono::seconds for_at_least) const {
  std::uint64_t removed = 0;
  const auto before = std::time(nullptr) - static_cast<std::time_t>(for_at_least.count());
  each_name(*root_, paths::quarantine, [&](int directory, const char* name) {
    struct stat facts {};
    // Its last change but the bytes': when it was moved there.
    const bool is_old = ::fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
                        facts.st_ctim.tv_sec <= before;
    if (is_old && ::unlinkat(directory, name, 0) == 0) ++removed;
    return true;
  });
  return removed;
}

std::size_t BlobStore::parts() const {
  std::size_t count = 0;
  each_part(*root_, [&count](int, const char*) { ++count; });
  return count;
}

}  // namespace archway::cache
