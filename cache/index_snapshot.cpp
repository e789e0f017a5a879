#include "cache/index_snapshot.hpp"

#include "cache/blob_file.hpp"
#include "cache/file_error.hpp"
#include "cache/paths.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace archway::cache {
namespace {

/// 0 or a code.
int write_copy(const lmdb::Environment& environment, const FileHandle& directory) {
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  const FileHandle copy(::openat(directory.get(), paths::index_snapshot_unfinished, flags, 0600));
  if (copy.get() < 0) return errno;
  if (const int code = environment.copy_to(copy.get()); code != 0) return code;
  return ::fsync(copy.get()) == 0 ? 0 : errno;
}

int publish_copy(const FileHandle& directory) {
  const int fd = directory.get();
  if (::renameat(fd, paths::index_snapshot_unfinished, fd, paths::index_snapshot) != 0) {
    return errno;
  }
  return ::fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

Result<void> write_snapshot(const lmdb::Environment& environment,
                            const std::filesystem::path& directory) {
  const FileHandle handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int code = handle.get() < 0 ? errno : write_copy(environment, handle);
  if (code == 0) code = publish_copy(handle);
  if (code == 0) return {};
  const int error = code > 0 ? code : EIO;
  if (handle.get() >= 0) ::unlinkat(handle.get(), paths::index_snapshot_unfinished, 0);
  return storage_error("write " + (directory / paths::index_snapshot).string(), error);
}

bool SnapshotSchedule::is_due(std::uint64_t commits, std::uint64_t bytes, Clock::time_point now) {
  if (commits == taken_commits_) return false;
  if (commits != seen_commits_) {
    if (seen_commits_ == taken_commits_) first_seen_at_ = now;
    seen_commits_ = commits;
    last_seen_at_ = now;
  }
  if (now - taken_at_ < std::chrono::minutes(bytes / bytes_a_minute)) return false;
  if (now - last_seen_at_ < quiet && now - first_seen_at_ < longest) return false;
  taken_commits_ = commits;
  taken_at_ = now;
  return true;
}

}  // namespace archway::cache
