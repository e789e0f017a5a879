#pragma once

#include "resolver/model/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace archway::cache {

/// An open file descriptor that closes itself.
class FileHandle {
 public:
  explicit FileHandle(int fd) noexcept : fd_(fd) {}
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle();

  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// A complete, verified blob, open for reading; keeps its bytes readable even when evicted.
/// Threads: any; read with explicit offsets (pread, sendfile), never by the file position.
struct BlobFile {
  std::shared_ptr<const FileHandle> file;
  std::uint64_t size = 0;  ///< bytes
};

}  // namespace archway::cache
