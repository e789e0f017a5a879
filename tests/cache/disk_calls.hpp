#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace archway::cache::testing {

/// While it lives: the calls of this program that make things durable below a directory, and LMDB's
/// writes, in their order. One at a time. Threads: any.
class DiskCalls {
 public:
  explicit DiskCalls(const std::filesystem::path& directory);
  DiskCalls(const DiskCalls&) = delete;
  DiskCalls& operator=(const DiskCalls&) = delete;
  ~DiskCalls();

  /// "sync blobs/sha256/ab", "read blobs/sha256/ab/abcd…" (by pread alone), "rename
  /// fills/sha256-abcd.part", "write head of index/data.mdb" (its first two pages), "space of
  /// index" (by its path; failing with ENOSPC it says that none is left): the names relative to the
  /// directory.
  std::vector<std::string> seen() const;

  /// From now on such calls fail with this errno; 0: no more.
  void fail(std::string call, int error);
};

}  // namespace archway::cache::testing
