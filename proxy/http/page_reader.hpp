#pragma once

#include "cache/blob_file.hpp"
#include "proxy/disk_pool.hpp"
#include "resolver/model/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace archway::proxy {

/// So many bytes of a file.
struct FilePart {
  std::shared_ptr<const cache::FileHandle> file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// The file's fault, not the connection's: whoever has it may have to know.
Error unreadable(std::string why);

/// Has somebody else wait for the disk where a loop would.
class PageReader {
 public:
  virtual ~PageReader() = default;
  /// Whether these bytes can most likely be read without waiting for the disk. Costs a system call
  /// or two, and asks nothing of the disk.
  virtual bool in_memory(const FilePart& part) = 0;
  /// Returns when they were read. Errors: Errc::storage_failed.
  virtual boost::asio::awaitable<Result<void>> bring(FilePart part) = 0;
};

/// Asks the kernel what it has, and reads the rest on the disk pool, which outlives it.
/// Threads: any.
class DiskPages final : public PageReader {
 public:
  explicit DiskPages(DiskPool* pool) : pool_(pool) {}

  bool in_memory(const FilePart& part) override;
  /// The disk is told what will be wanted next, too.
  boost::asio::awaitable<Result<void>> bring(FilePart part) override;

 private:
  DiskPool* pool_;
};

/// One file on its way out, window by window.
class FileWindows {
 public:
  /// Looked at, brought and sent at once: 256 KiB to 4 MiB a sendfile(2) are equally fast
  /// (measured).
  static constexpr std::uint64_t window_bytes = 1024 * 1024;

  /// `reader` nullptr: whoever sends waits for the disk. Else it outlives this.
  FileWindows(FilePart all, PageReader* reader)
      : all_(std::move(all)), end_(all_.offset + all_.length), reader_(reader) {}

  /// True when bring() has to come before what begins at `offset` is sent; asked of each window
  /// once.
  bool is_cold(std::uint64_t offset);
  boost::asio::awaitable<Result<void>> bring();
  /// How many bytes from there on may be sent at once.
  std::uint64_t ready(std::uint64_t offset) const;

 private:
  FilePart all_;
  std::uint64_t end_;
  PageReader* reader_;
  std::uint64_t looked_to_ = 0;
  FilePart cold_;
};

}  // namespace archway::proxy
